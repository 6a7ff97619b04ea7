package migrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/session"
	"slipway/lambda/sqltext"
)

// checkRights refuses a role that can't make the history's table: Flyway would
// try ten times, a second apart.
func (r *run) checkRights(ctx context.Context) error {
	if r.exists {
		return nil
	}
	may, err := session.Ask(r.session, func(c *database.Conn) (bool, error) {
		return c.MayCreate(ctx, r.session.Table.Schema)
	})
	if err != nil || may {
		return err
	}
	f := report.Failf(report.AccessDenied, "permission denied for schema %s: the role may not make the history's table",
		r.session.Table.Schema).
		Next(fmt.Sprintf("Grant it: GRANT CREATE ON SCHEMA %s TO %q; or migrate as the owner of the schema.",
			r.session.Table.Schema, r.session.Target().User))
	f.SQLState = "42501"
	return f
}

// checkMixed refuses pending scripts that mix statements of both kinds: Flyway
// would, too, but only when it gets there.
func (r *run) checkMixed() error {
	var problems []report.Problem
	for _, f := range r.plan.Pending {
		if !f.NoTransaction || f.Outside {
			continue
		}
		text, err := f.Text()
		if err != nil {
			return notAsRead(f, err)
		}
		sql := string(text)
		inside, outside := 0, 0 // lines of the first of each kind
		lines := sqltext.NewLines(sql)
		for _, s := range sqltext.Split(sql) {
			line := lines.Of(s.Start)
			if s.OutsideTransaction() {
				outside = cmp.Or(outside, line)
			} else {
				inside = cmp.Or(inside, line)
			}
		}
		if inside > 0 && outside > 0 {
			problems = append(problems, report.Problem{
				Script: f.Script, Version: f.Version.String(), Line: max(inside, outside),
				Reason: fmt.Sprintf("the statement in line %d runs in a transaction, the one in line %d can't", inside,
					outside),
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &report.Failure{
		Code: report.BadRelease, Script: problems[0].Script, Line: problems[0].Line, Problems: problems,
		Message: "pending scripts mix transactional and non-transactional statements; nothing was run",
		NextStep: "Split it: statements that can't run in a transaction (CREATE INDEX CONCURRENTLY, VACUUM, …) into " +
			"a script of their own.",
	}
}

var createsIndex = lazyregexp.New(`^CREATE( UNIQUE)? INDEX CONCURRENTLY`)

// checkInvalid looks for what a killed run left: a pending script is to create
// an index that is there already, and invalid. IF NOT EXISTS would take it for
// done, and without it the script would only fail.
func (r *run) checkInvalid(ctx context.Context) error {
	indexes, err := session.Ask(r.session, func(c *database.Conn) ([]string, error) { return c.InvalidIndexes(ctx) })
	if err != nil {
		return err
	}
	r.invalid = append([]string{}, indexes...)
	for _, index := range indexes {
		f, err := r.creator(index)
		if err != nil {
			return err
		}
		if f != nil {
			failure := report.Failf(report.PreviousFailed,
				"%s was cut off in an earlier run and left the index %s invalid; nothing was run", f.Script, index).
				Next("Run `DROP INDEX CONCURRENTLY " + index + ";`, then migrate again.")
			failure.Script = f.Script
			return failure
		}
	}
	return nil
}

// creator is the pending script that creates the index, nil if none does, or
// one drops it before.
func (r *run) creator(index string) (*script.File, error) {
	name := strings.Trim(index[strings.LastIndexByte(index, '.')+1:], `"`)
	named := regexp.MustCompile(`(?i)(^|[^\w])` + regexp.QuoteMeta(name) + `([^\w]|$)`)
	for _, f := range r.plan.Pending {
		text, err := f.Text()
		if err != nil {
			return nil, notAsRead(f, err)
		}
		if !named.Match(text) {
			continue
		}
		for _, s := range sqltext.Split(string(text)) {
			names := named.Match(text[s.Start:s.End])
			switch {
			case strings.HasPrefix(s.Head, "DROP INDEX") && names:
				return nil, nil
			case createsIndex().MatchString(s.Head) && names:
				return &f, nil
			}
		}
	}
	return nil, nil
}

// mayBeHalfDone corrects the advice after a run that ended without an answer
// of Flyway's, when the next script runs outside a transaction: it may have begun.
func (r *run) mayBeHalfDone(err error) {
	var f *report.Failure
	if !errors.As(err, &f) || f.Script != "" || f.Code == report.Locked || len(r.plan.Failed) > 0 ||
		len(r.plan.Pending) == 0 || !r.plan.Pending[0].NoTransaction {
		return
	}
	next := r.plan.Pending[0].Script
	f.NextStep = fmt.Sprintf("Look whether %s, which runs outside a transaction, was cut off half done; then run it "+
		"again.", next)
	if drops := r.dropInvalid(""); drops != "" {
		f.NextStep = fmt.Sprintf("%s was cut off outside a transaction and left an invalid index: run `%s`, then "+
			"migrate again.", next, drops)
	}
	text, _ := r.scriptText(next, 0)
	if again := r.finalize(next, text); again != "" {
		f.NextStep = again
	}
}
