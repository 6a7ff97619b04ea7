package migrator

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// revertPlan is what a revert would do: the steps, newest version first.
type revertPlan struct {
	steps   []step
	repeats []repeat
}

// planRevert decides what is undone and checks all of it: the way back, the
// rows, and every undo script. What is wrong is reported together.
func (r *run) planRevert() (*revertPlan, error) {
	rows, err := r.chooseSteps()
	if err != nil || len(rows) == 0 {
		return &revertPlan{}, err
	}
	problems := r.contradictions()
	undo := map[string]script.File{}
	for _, f := range r.set.Undo {
		undo[f.Version.Key()] = f
	}
	p := &revertPlan{}
	missing := 0
	for _, a := range rows {
		f, ok := undo[a.Version.Key()]
		switch {
		case a.Type != history.SQL:
			problems = append(problems,
				report.Problem{Script: a.Script, Version: *a.Row.Version, Reason: "was applied as " + a.Type +
					", which can't be undone by a script"})
		case !ok:
			missing++
			problems = append(problems,
				report.Problem{Script: a.Script, Version: *a.Row.Version,
					Reason: fmt.Sprintf("has no undo script: the release lacks U%s__….sql", a.Version)})
		default:
			s := step{row: a.Row, undo: f}
			bad, err := r.prepare(&s)
			if err != nil {
				return nil, err
			}
			problems = append(problems, bad...)
			p.steps = append(p.steps, s)
		}
	}
	if len(problems) > 0 {
		f := refusal("the revert can't be done, for %s; nothing was changed", report.Count(len(problems), "reason"))
		if missing == len(problems) {
			f.Message = fmt.Sprintf("undo scripts are missing for %s; nothing was changed",
				report.Count(missing, "version"))
			f.NextStep = "Write what is missing (`make new` makes it beside the next script), or go forward with a " +
				"new script that takes the change back."
		}
		f.Script, f.Line, f.Problems = problems[0].Script, problems[0].Line, problems
		return nil, f
	}
	for _, event := range r.undoCallbacks() {
		r.warn("%s is not run: the open edition of Flyway has no undo, so a revert calls no callbacks", event)
	}
	p.repeats, err = r.repeatsOf()
	return p, err
}

func refusal(format string, args ...any) *report.Failure {
	return report.Failf(report.RevertRefused, format, args...).
		Next("Correct what is named, in the release that the database is at, and revert again; or go forward with a " +
			"new script.")
}

// chooseSteps are the applied versions to undo, the newest first.
func (r *run) chooseSteps() ([]*plan.Applied, error) {
	current := r.plan.Current
	if r.req.From != "" {
		from, err := script.ParseVersion(r.req.From)
		if err != nil {
			return nil, report.Failf(report.BadRequest, "--from: %w", err).
				Next("Repeat the current version, as `slipway info` shows it.")
		}
		if from.Compare(current) != 0 {
			f := refusal("the database is at version %s, not %s; nothing was changed", orNone(current), from)
			f.NextStep = "Run `slipway info`: somebody may have migrated or reverted since you looked."
			return nil, f
		}
	} else if r.Config.Protected && !r.req.DryRun {
		f := refusal("this environment is protected, so a revert has to repeat the version that the database is at; " +
			"nothing was changed")
		f.NextStep = fmt.Sprintf("Once you are sure, add --from %s.", orNone(current))
		return nil, f
	}
	standing := r.standing()
	if r.req.Steps > 0 {
		n := len(standing)
		if i := slices.IndexFunc(standing, func(a *plan.Applied) bool { return history.IsBaseline(a.Type) }); i >= 0 {
			n = i
		}
		if r.req.Steps > n {
			f := refusal("only %s can be reverted, not %d; nothing was changed", report.Count(n, "version"),
				r.req.Steps)
			f.NextStep = "Run `slipway info` and name a smaller number."
			return nil, f
		}
		return standing[:r.req.Steps], nil
	}
	return r.downTo(standing)
}

// downTo are the versions above the one asked for, which has to be applied itself.
func (r *run) downTo(standing []*plan.Applied) ([]*plan.Applied, error) {
	to, err := script.ParseVersion(r.req.To)
	if err != nil {
		return nil, report.Failf(report.BadRequest, "--to: %w", err).
			Next("Name a version as `slipway info` shows it, or 0 to undo everything.")
	}
	zero := to.Compare(script.MustVersion("0")) == 0
	for i, a := range standing {
		if a.Version.Compare(to) == 0 {
			return standing[:i], nil
		}
		if history.IsBaseline(a.Type) {
			f := refusal("the database was adopted at version %s, and nothing before that can be reverted; nothing "+
				"was changed", a.Version)
			if a.Type == history.BaselineScript {
				f.Message = fmt.Sprintf("the database began with %s, which can't be reverted; nothing was changed",
					a.Script)
			}
			f.NextStep = fmt.Sprintf("Revert to %s at most.", a.Version)
			return nil, f
		}
	}
	if zero {
		return standing, nil
	}
	f := refusal("version %s is not applied, so there is no way back to it; nothing was changed", to)
	f.NextStep = "Run `slipway info` and name a version that is applied."
	return nil, f
}

// standing are the versions that are applied, the newest first.
func (r *run) standing() []*plan.Applied { return plan.Standing(r.rows, r.Runner.Version) }

// contradictions are why history and release do not fit each other. Scripts
// that are only pending, or late, do not matter here.
func (r *run) contradictions() []report.Problem {
	var problems []report.Problem
	for _, row := range r.plan.Failed {
		problems = append(problems, report.Problem{Script: row.Script, Version: plan.ScriptOf(row).Version,
			Reason: "failed in an earlier run, outside a transaction: run `slipway repair` first"})
	}
	problems = append(problems, r.plan.Edited...)
	for _, row := range slices.Concat(r.plan.Missing, r.plan.Future) {
		problems = append(problems, report.Problem{Script: row.Script, Version: plan.ScriptOf(row).Version,
			Reason: "is applied, and the release does not have it"})
	}
	return problems
}

// undoCallbacks are the callbacks of the release that only a paid Flyway calls.
func (r *run) undoCallbacks() []string {
	var names []string
	for _, f := range r.set.Callbacks {
		if strings.Contains(f.Event, "Undo") {
			names = append(names, f.Script)
		}
	}
	return names
}

func orNone(v script.Version) string {
	if v.IsZero() {
		return "none"
	}
	return v.String()
}

// announce reports a plan that is not carried out.
func (r *run) announce(p *revertPlan) {
	r.report.DryRun = true
	for _, s := range p.steps {
		planned := plan.ScriptOf(s.row)
		planned.Script, planned.Milliseconds, planned.InstalledBy, planned.InstalledOn = s.undo.Script, 0, "", nil
		r.report.Reverted = append(r.report.Reverted, planned)
		r.report.SchemaVersionAfter = ""
	}
	if n := len(p.steps); n > 0 {
		for _, a := range r.standing()[n:] {
			r.report.SchemaVersionAfter = a.Version.String()
			break
		}
	}
	names := droppedBy(p.steps)
	for _, again := range p.repeats {
		if dropped := again.usesOf(names); len(dropped) > 0 {
			r.report.Actions = append(r.report.Actions, fmt.Sprintf("%s uses what is dropped (%s): it runs again at "+
				"the next migrate", again.file.Script, strings.Join(dropped, ", ")))
		}
	}
}

// reverted are the steps that the history says were taken since that rank.
func (p *revertPlan) reverted(rank int, rows []history.Row) []report.Script {
	undo := map[string]string{}
	for _, s := range p.steps {
		undo[*s.row.Version] = s.undo.Script
	}
	list := []report.Script{}
	for _, row := range rows {
		if row.Rank > rank && row.Type == history.Delete && row.Version != nil {
			s := plan.ScriptOf(row)
			s.Script = undo[s.Version]
			list = append(list, s)
		}
	}
	return list
}
