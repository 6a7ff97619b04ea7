package migrator

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// checkPlaceholders refuses scripts that use a placeholder without a value:
// Flyway would find out only when it gets there. It warns of those that Flyway
// passes over, and of scripts without a statement.
func (r *run) checkPlaceholders() error {
	if len(r.plan.Pending) == 0 {
		return nil
	}
	var problems []report.Problem
	mixed := "" // a script that uses placeholders with a value as well
	for _, f := range slices.Concat(r.plan.Pending, r.callbacksOfRun()) {
		raw, err := f.Text()
		if err != nil {
			return notAsRead(f, err)
		}
		text := string(raw)
		if f.Kind != script.Callback && sqltext.Blank(text) {
			r.warn("%s holds no statement; once it counts as applied, what is put into it later is an edit", f.Script)
		}
		if f.LiteralPlaceholders || !r.Config.Flyway.Replace {
			continue
		}
		found, replaced := r.withoutValue(f, text)
		if len(found) > 0 && replaced && mixed == "" {
			mixed = f.Script
		}
		problems = append(problems, found...)
	}
	if len(problems) == 0 {
		return nil
	}
	next := "Configure the placeholder (FLYWAY_PLACEHOLDERS_<NAME>); where the text is meant as it stands, put " +
		"placeholderReplacement=false into a .conf file beside the script."
	if s := r.Config.Flyway; mixed != "" && s.Prefix != "" {
		_, size := utf8.DecodeRuneInString(s.Prefix)
		next = fmt.Sprintf("Configure the placeholder (FLYWAY_PLACEHOLDERS_<NAME>). Where the text is meant as it "+
			"stands, cut it in two ('%s' || '%sname%s'), or give placeholders another prefix: placeholderPrefix in "+
			"cdk.json's flyway, FLYWAY_PLACEHOLDER_PREFIX elsewhere.", s.Prefix[:size], s.Prefix[size:], s.Suffix)
	}
	return &report.Failure{
		Code: report.BadRelease, Script: problems[0].Script, Line: problems[0].Line, Problems: problems,
		Message: "the pending scripts use placeholders without a value; nothing was run", NextStep: next,
	}
}

// withoutValue lists the placeholders of a script that have no value, and
// returns whether it uses one that has.
func (r *run) withoutValue(f script.File, text string) (problems []report.Problem, replaced bool) {
	s := r.Config.Flyway
	values := r.placeholders()
	_, unknown := script.Replace(text, s.Prefix, s.Suffix, values)
	for _, p := range unknown {
		if strings.HasPrefix(p.Name, "flyway:") {
			replaced = true
			continue
		}
		reason := fmt.Sprintf("the placeholder %s%s%s has no value", s.Prefix, p.Name, s.Suffix)
		if p.Name == "" {
			reason = fmt.Sprintf("a placeholder begins with %s and does not end", s.Prefix)
		}
		problems = append(problems, report.Problem{Script: f.Script, Version: f.Version.String(), Line: p.Line,
			Reason: reason})
	}
	for _, p := range script.PassedOver(text, s.Prefix, s.Suffix, values) {
		r.warn("%s, line %d: %s%s%s stays as it is: Flyway passes over a placeholder behind a %s; put a space or "+
			"another letter between",
			f.Script, p.Line, s.Prefix, p.Name, s.Suffix, s.Prefix[:1])
	}
	return problems, replaced || len(script.Placeholders(text, s.Prefix, s.Suffix)) > len(unknown)
}
