package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/settings"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/postgres"
	"slipway/lambda/workbench/rehearse"
)

// rehearsal are the flags of the commands that rehearse.
type rehearsal struct {
	copyURL, data string
	roles         string
	rows          int
	limit         time.Duration
	superuser     bool
	undo, noUndo  bool
}

func (o *rehearsal) define(flags *flag.FlagSet) {
	flags.StringVar(&o.data, "data", "", "SQL `file` that fills the target branch's tables before the new scripts run")
	flags.IntVar(&o.rows, "rows", 10000, "how many made-up `rows` each table gets that is still empty then; 0 for "+
		"none; not on a copy")
	flags.StringVar(&o.roles, "roles", "", "`roles` that your server has and the scripts name, with commas between, "+
		"made on the throw-away server")
	flags.DurationVar(&o.limit, "timeout", 30*time.Minute, "`limit` of the whole rehearsal; 0 for none")
	flags.BoolVar(&o.superuser, "superuser", false, "let the scripts run as a superuser of the throw-away server, "+
		"which may do anything on this machine as its user; for your own scripts only")
	flags.BoolVar(&o.noUndo, "no-undo", false, "leave out the undo scripts")
	flags.BoolVar(&o.undo, "undo", false, "try the undo scripts on the copy as well")
}

// parse parses arguments and takes the copy's URL from the environment. That of
// another database is refused: a rehearsal changes what it runs on.
func (o *rehearsal) parse(b *bench, flags *flag.FlagSet, arguments []string) error {
	if err := parse(flags, arguments); err != nil {
		return err
	}
	if b.env[databaseVariable] != "" {
		return usageError{errors.New("a rehearsal changes the database that it runs on, so DATABASE_URL does not " +
			"count: name a restored copy with COPY=postgres://… (" + copyVariable + ")")}
	}
	o.copyURL = b.env[copyVariable]
	return nil
}

// rehearse makes the rehearsal of that change.
func (o *rehearsal) rehearse(ctx context.Context, b *bench, c *change.Change) (rep *rehearse.Report, err error) {
	options, err := o.options(ctx, b)
	if err != nil {
		return nil, err
	}
	if o.copyURL != "" {
		if options.Target, err = b.rehearsalTarget(o.copyURL); err != nil {
			return nil, err
		}
		options.Restored, options.Undo, options.Rows = true, o.undo && !o.noUndo, 0
		return rehearse.Run(ctx, c, options)
	}
	b.say("starting a throw-away PostgreSQL")
	server, err := postgres.Start(ctx, postgres.Options{Cache: b.cache, Ephemeral: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := o.throwAway(ctx, server, &options); err != nil {
		return nil, err
	}
	return rehearse.Run(ctx, c, options)
}

// throwAway makes role and database. The role is no superuser: one could run
// programs on this machine, and in a build of a branch the branch decides what
// the scripts do.
func (o *rehearsal) throwAway(ctx context.Context, server *postgres.Server, options *rehearse.Options) error {
	const role, name = "migrator", "rehearsal"
	attributes := []string{"CREATEROLE", "CREATEDB"}
	if o.superuser {
		attributes = []string{"SUPERUSER"}
	}
	password := rand.Text()
	if err := server.CreateRole(ctx, role, password, attributes...); err != nil {
		return err
	}
	if err := createRoles(ctx, server, strings.Split(o.roles, ","), role); err != nil {
		return usageError{fmt.Errorf("--roles: %w", err)}
	}
	if _, err := server.CreateDatabase(ctx, name, role); err != nil {
		return err
	}
	options.Target = database.Target{
		Host: "127.0.0.1", Port: server.Port, Name: name, User: role, Password: database.Password(password),
		TLS: database.TLS{Insecure: true},
	}
	options.Admin = options.Target
	options.Admin.User, options.Admin.Password = postgres.Superuser, database.Password(server.Password())
	options.Undo = !o.noUndo
	return nil
}

// createRoles makes the roles that scripts name on a throw-away server. Those
// that it has itself, its superuser and own, are refused.
func createRoles(ctx context.Context, server *postgres.Server, names []string, own string) error {
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if name == own || name == postgres.Superuser {
			return fmt.Errorf("%s is a role of the throw-away server itself", name)
		}
		if err := server.CreateRole(ctx, name, rand.Text()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (o *rehearsal) options(ctx context.Context, b *bench) (rehearse.Options, error) {
	v := settings.Read(b.env)
	options := rehearse.Options{
		Encoding: v.Encoding(), Table: v.Given("FLYWAY_TABLE"), Baseline: v.Text("SLIPWAY_BASELINE_VERSION"),
		Schema: v.HistorySchema(), LockTimeout: v.Duration("SLIPWAY_LOCK_TIMEOUT"), Limit: o.limit,
		Rows: o.rows, Progress: b.say, Flyway: v.Flyway(),
		Log: slog.New(slog.NewTextHandler(b.err, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if err := v.Err(); err != nil {
		return options, usageError{err}
	}
	if o.data != "" {
		text, err := os.ReadFile(o.data)
		if err != nil {
			return options, usageError{fmt.Errorf("--data: %w", err)}
		}
		options.Data = string(text)
	}
	var err error
	options.Installation, err = b.installation(ctx)
	return options, err
}

// installation is Flyway and Java as `run` uses them.
func (b *bench) installation(ctx context.Context) (flyway.Installation, error) {
	home := b.env["SLIPWAY_FLYWAY_HOME"]
	if home == "" {
		var err error
		if home, err = b.cache.Flyway(ctx); err != nil {
			return flyway.Installation{}, err
		}
	}
	javaHome, err := b.cache.Java(ctx, b.env["JAVA_HOME"])
	if err != nil {
		return flyway.Installation{}, err
	}
	java, err := flyway.FindJava(javaHome, exec.LookPath)
	return flyway.Installation{Home: home, Java: java}, err
}

// rehearsalTarget is the database of a URL.
func (b *bench) rehearsalTarget(text string) (database.Target, error) {
	t, err := b.external("COPY", text)
	if err != nil {
		return database.Target{}, err
	}
	field := func(key string) string { s, _ := t.secret[key].(string); return s }
	port, _ := t.secret["port"].(int)
	return database.Target{
		Host: field("host"), Port: port, Name: field("dbname"), User: field("username"),
		Password: database.Password(field("password")),
		TLS: database.TLS{Insecure: t.env["SLIPWAY_INSECURE_TLS"] == "true" ||
			b.env["SLIPWAY_INSECURE_TLS"] == "true", RootCert: t.env["PGSSLROOTCERT"]},
	}, nil
}

// runRehearse is `rehearse`. It ends with 0, with 1 when a script failed or an
// undo script does not restore the schema, with 2 after a wrong call, and with
// 70 when it could not rehearse, or not to the end.
func runRehearse(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var of branch
	var o rehearsal
	of.define(flags)
	o.define(flags)
	asJSON := flags.Bool("json", false, "print the result as JSON")
	if err := o.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	c, err := of.find(ctx)
	if err != nil {
		return exitNotMade, err
	}
	rep, err := o.rehearse(ctx, b, c)
	if err != nil {
		return exitNotMade, err
	}
	if *asJSON {
		err = rep.WriteJSON(b.out)
	} else {
		err = rep.WriteText(b.out, colored(b.env, b.out))
	}
	if err != nil {
		return exitNotMade, fmt.Errorf("the result could not be printed: %w", err)
	}
	switch {
	case rep.Failure != nil && rep.Failure.Server:
		return exitNotMade, nil
	case !rep.OK():
		return 1, nil
	}
	return 0, nil
}
