package rehearse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/migrator"
	"slipway/lambda/script"
	"slipway/lambda/workbench/catalog"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
)

// undoRule is the rule under which a script can waive that it does not restore.
const undoRule = "undo-differs"

// undo takes the new versions back, the newest first, compares the schema with
// the one before each, and applies them again.
func (x *rehearsal) undo(ctx context.Context, steps []step, after *look) error {
	versioned := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return len(s.adds) == 0 })
	if len(versioned) == 0 {
		x.report.UndoSkipped = "there is no new versioned script"
		return nil
	}
	undoOf := map[string]change.Entry{}
	for _, e := range steps[len(steps)-1].tree {
		if e.Bad == nil && e.Kind == script.Undo {
			undoOf[e.Version.Key()] = e
		}
	}
	ignore := map[string]bool{} // what repeatable scripts bring: nothing undoes them
	if last := steps[len(steps)-1]; last.last {
		ignore = lines(catalog.Diff(last.before.text, after.text))
	}
	x.Progress("undoing the new scripts, and applying them again")
	undone := 0
	for _, s := range slices.Backward(versioned) {
		u, ok, err := x.undoStep(ctx, s, undoOf, ignore)
		if err != nil {
			return err
		}
		// What a newer one left behind is not the older one's.
		for entry := range lines(u.Diff) {
			ignore[entry] = true
		}
		x.report.Undo = append(x.report.Undo, u)
		if !ok {
			break
		}
		undone++
	}
	if undone == 0 || x.report.Undo[len(x.report.Undo)-1].Message != "" {
		return nil
	}
	return x.again(ctx, after)
}

// undoStep reverts what one step added. ok is false when no older one can be tried.
func (x *rehearsal) undoStep(ctx context.Context, s step, undoOf map[string]change.Entry,
	ignore map[string]bool) (u Undo, ok bool, err error) {
	var scripts []change.Entry
	for _, e := range s.adds {
		undo, there := undoOf[e.Version.Key()]
		if !there {
			return Undo{Script: e.Path, Skipped: "has no undo script, so older ones can't be tried either"}, false, nil
		}
		scripts = append(scripts, undo)
	}
	u.Script = scripts[0].Path
	if len(scripts) > 1 {
		u.Script = fmt.Sprintf("%s … %s", scripts[len(scripts)-1].Path, scripts[0].Path)
	}
	for _, e := range scripts {
		if reason := check.WaivedBy(e.Path, string(e.Data), undoRule); reason != "" {
			u.Waived = reason
		}
	}
	rep, failure := x.migrate(ctx, migrator.Request{Command: "revert", Steps: len(scripts)}, x.stage)
	if failure != nil {
		u.Message, u.Line, u.Excerpt = rep.Message, rep.Line, rep.Excerpt
		if rep.Line > 0 {
			u.Message = fmt.Sprintf("line %d: %s", rep.Line, rep.Message)
		}
		return u, false, notMade(failure)
	}
	now, err := x.look(ctx)
	if err != nil {
		return u, false, err
	}
	u.Diff = withoutSchemas(without(catalog.Diff(s.before.text, now.text), ignore), x.schemas())
	u.Restores = u.Diff == ""
	return u, true, nil
}

// again applies what was undone, and compares the schema with the one after
// the first time.
func (x *rehearsal) again(ctx context.Context, after *look) error {
	rep, failure := x.migrate(ctx, migrator.Request{Command: "migrate"}, x.stage)
	last := &x.report.Undo[0]
	if failure != nil {
		for i := range x.report.Undo {
			if u := &x.report.Undo[i]; strings.TrimPrefix(u.Script, "U") == strings.TrimPrefix(rep.Script, "V") {
				last = u
			}
		}
		last.Restores = false
		last.Message = fmt.Sprintf("after it, %s can't be applied again: %s", rep.Script, rep.Message)
		return notMade(failure)
	}
	now, err := x.look(ctx)
	if err != nil {
		return err
	}
	if diff := catalog.Diff(after.text, now.text); diff != "" {
		last.Restores = false
		last.Message = "undone and applied again, the schema is another one"
		last.Diff = diff
	}
	return nil
}

func lines(diff string) map[string]bool {
	m := map[string]bool{}
	for _, entry := range entries(diff) {
		m[entry[min(2, len(entry)):]] = true
	}
	return m
}

// entries are the entries of a diff, each with the lines that belong to it.
func entries(diff string) []string {
	var list []string
	for line := range strings.SplitSeq(diff, "\n") {
		if strings.HasPrefix(line, "+ ") || strings.HasPrefix(line, "- ") || len(list) == 0 {
			list = append(list, line)
			continue
		}
		list[len(list)-1] += "\n" + line
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// without leaves some entries out of a diff.
func without(diff string, ignore map[string]bool) string {
	return strings.Join(slices.DeleteFunc(entries(diff), func(e string) bool { return ignore[e[min(2, len(e)):]] }),
		"\n")
}

// schemas are those that Flyway makes where they are missing: no undo script takes them away.
func (x *rehearsal) schemas() []string {
	list := []string{x.Schema}
	for name := range strings.SplitSeq(x.Flyway.Environment["FLYWAY_SCHEMAS"], ",") {
		list = append(list, strings.TrimSpace(name))
	}
	return list
}

// withoutSchemas leaves out that one of these schemas came.
func withoutSchemas(diff string, schemas []string) string {
	return strings.Join(slices.DeleteFunc(entries(diff), func(e string) bool {
		return slices.ContainsFunc(schemas, func(name string) bool {
			entry := "+ schema " + name
			quoted := "+ schema " + pgx.Identifier{name}.Sanitize()
			return name != "" && (e == entry || e == quoted || strings.HasPrefix(e, entry+" ") ||
				strings.HasPrefix(e, quoted+" "))
		})
	}), "\n")
}
