package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/settings"
	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/deployed"
)

// cdkFile says where the environments are.
const cdkFile = "cdk.json"

// connect finds a deployed environment; a wrong name is a usage error.
func (b *bench) connect(ctx context.Context, name, lookupRole string) (*deployed.Client, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	return b.connectTo(ctx, e, lookupRole)
}

// find reads an environment from cdk.json.
func find(name string) (deployed.Environment, error) {
	if name == "" {
		return deployed.Environment{},
			usageError{errors.New("name the environment: --environment NAME, as in cdk.json")}
	}
	e, err := deployed.Find(cdkFile, name)
	if errors.Is(err, deployed.ErrUnknown) {
		err = usageError{err}
	}
	return e, err
}

func (b *bench) connectTo(ctx context.Context, e deployed.Environment, lookupRole string) (*deployed.Client, error) {
	client, err := deployed.Connect(ctx, e, lookupRole)
	if err != nil {
		return nil, err
	}
	client.Progress = func(text string) { b.say("%s", text) }
	return client, nil
}

// ask has the function of an environment run one command, prints the report
// and returns its exit code.
func (b *bench) ask(ctx context.Context, environment string, request deployed.Request, asJSON, exitCode bool) (int,
	error) {
	client, err := b.connect(ctx, environment, "")
	if err != nil {
		return 1, err
	}
	r, err := client.Ask(ctx, request)
	if err != nil {
		return 1, err
	}
	code, err := b.finish(r, asJSON)
	if exitCode && err == nil {
		code = r.InfoExit()
	}
	return code, err
}

func (b *bench) print(r *report.Report, asJSON bool) error {
	if asJSON {
		return r.WriteJSON(b.out)
	}
	return r.WriteText(b.out, colored(b.env, b.out))
}

// runValidate is `validate`: on a local database, one that exists, or of a deployed environment.
func runValidate(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (code int, err error) {
	var w where
	w.defineDeployed(flags)
	asJSON := flags.Bool("json", false, "print the report as JSON")
	if err := w.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	if w.environment != "" {
		return b.ask(ctx, w.environment, deployed.Request{Command: "validate"}, *asJSON, false)
	}
	return b.call(ctx, w, *asJSON, "validate")
}

// call runs the program once on a database that is reached from here.
func (b *bench) call(ctx context.Context, w where, asJSON bool, arguments ...string) (code int, err error) {
	s, err := b.open(ctx, w)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if asJSON {
		arguments = append(arguments, "--json")
	}
	return s.command(ctx, b.out, b.err, arguments...)
}

// pending says what is to be found out of an environment, and how it is told.
type pending struct {
	sql         string // folder of the scripts
	environment string
	assembly    string // the cloud assembly whose settings hold; "" for those of the variables
	lookupRole  string // "" for the credentials at hand
	summary     string // a file that gets the outcome in one line; "" for none
	asJSON      bool
}

// runPending is `pending`, see [bench.pending].
func runPending(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var p pending
	flags.StringVar(&p.sql, "sql", defaultSQL, "`folder` of the scripts")
	flags.StringVar(&p.environment, "environment", "", "`name` of the environment, as in cdk.json")
	flags.StringVar(&p.assembly, "assembly", "",
		"`folder` of the cloud assembly (cdk.out) whose settings hold; default: those of this environment's variables")
	flags.StringVar(&p.lookupRole, "lookup-role", "",
		"`ARN` of the role in which the stack is looked at; its inspector is then asked in the role that the stack "+
			"names")
	flags.StringVar(&p.summary, "summary", "", "`file` that gets the outcome in one line")
	flags.BoolVar(&p.asJSON, "json", false, "print the report as JSON")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	return b.pending(ctx, p)
}

// pending prints what the release here would run in an environment, and with an
// assembly also what that would replace or delete of the environment's database.
// The database is asked through the deployed function that only reads, which
// holds the release before. The exit code is 0, that of migrate when it would
// refuse, or 1 for a replacement that cdk.json does not allow.
func (b *bench) pending(ctx context.Context, o pending) (int, error) {
	var p planned
	if o.assembly != "" {
		out := b.out
		if o.asJSON {
			out = b.err
		}
		var err error
		if p, err = b.plan(ctx, o.environment, o.lookupRole, o.assembly); err != nil {
			return 1, err
		}
		p.print(out)
	}
	history, err := b.history(ctx, o.environment, o.lookupRole)
	if errors.Is(err, deployed.ErrNoReader) || errors.Is(err, deployed.ErrNoInspector) {
		// To fail would keep the very deployment from coming that ends this.
		b.say("%v", err)
		return p.code(0), writeSummary(o.summary, p.outcome("which scripts are pending is not known before this "+
			"deployment"))
	}
	if err != nil {
		return 1, err
	}
	env := b.env
	if o.assembly != "" {
		if env, err = deployed.Settings(o.assembly, deployed.Environment{Name: o.environment}); err != nil {
			return 1, err
		}
	}
	v := settings.Read(env)
	if err := v.Err(); err != nil {
		return 1, err
	}
	set, err := script.LoadEncoded(v.Encoding(), o.sql)
	if err != nil {
		return report.BadRelease.Exit(), err
	}
	r, err := migrator.Forecast(set, history, forecastConfig(v, o.environment))
	if err != nil {
		return 1, err
	}
	if err := b.print(r, o.asJSON); err != nil {
		return 1, err
	}
	return p.code(r.Code.Exit()), writeSummary(o.summary, p.outcome(outcome(r)))
}

func writeSummary(file, text string) error {
	if file == "" {
		return nil
	}
	return os.WriteFile(file, []byte(report.Cut(untrusted.Approval(text), maxOutcome)+"\n"), 0o644)
}

// history asks the deployed function, and is nil where there is none.
func (b *bench) history(ctx context.Context, environment, lookupRole string) (*report.Report, error) {
	client, err := b.connect(ctx, environment, lookupRole)
	// A pipeline could not deploy what it would ask a person to approve.
	if errors.Is(err, deployed.ErrNotDeployed) && (lookupRole == "" || !errors.Is(err, deployed.ErrFirstFailed)) {
		b.say("%v: everything is pending", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	history, err := client.Ask(ctx, deployed.Request{Command: "info"})
	if err == nil && !history.OK() {
		err = fmt.Errorf("the history can't be read: %s", history.Summary(1000))
	}
	return history, err
}

// forecastConfig are the settings that a forecast for that environment needs.
func forecastConfig(v *settings.Values, environment string) migrator.Config {
	return migrator.Config{
		Baseline: v.Text("SLIPWAY_BASELINE_VERSION"), Flyway: v.Flyway(), CommandLine: "make {} ENVIRONMENT=" +
			environment,
	}
}

// maxOutcome is what a variable of CodePipeline and the text of an approval hold.
const maxOutcome = 700

// outcome is a forecast in one line.
func outcome(r *report.Report) string {
	if !r.OK() {
		return report.Cut(r.Summary(maxOutcome), maxOutcome)
	}
	text := "no script is pending"
	var names []string
	for _, s := range r.Pending {
		names = append(names, s.Script)
	}
	if len(names) > 0 {
		verb := "scripts are"
		if len(names) == 1 {
			verb = "script is"
		}
		text = fmt.Sprintf("%d %s pending: %s", len(names), verb, strings.Join(names, ", "))
	}
	if len(r.Undecided) > 0 {
		// Behind a long list of names it would be cut off.
		undecided := report.Cut("; undecided: "+strings.Join(r.Undecided, "; "), maxOutcome/2)
		return report.Cut(text, maxOutcome-len(undecided)) + undecided
	}
	return report.Cut(text, maxOutcome)
}
