package migrator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/plan"
	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// repeat is a repeatable script that is applied. An undo may take away what it
// made, and the history would still call it applied. Then it gets a tombstone
// too (version NULL, as Flyway's own repair writes for a repeatable script that
// is gone), which makes it pending again.
type repeat struct {
	file script.File
	row  history.Row
	text string // in lower case, placeholders replaced
	// open: it may touch things that it does not name.
	open bool
}

// repeatsOf are the repeatable scripts that stand as applied.
func (r *run) repeatsOf() ([]repeat, error) {
	files := map[string]script.File{}
	for _, f := range r.set.Repeatable {
		files[plan.Abbreviate(f.Description)] = f
	}
	latest := plan.StandingRepeatables(r.rows, r.Runner.Version)
	var all []repeat
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		f, ok := files[name]
		if !ok {
			continue
		}
		text, err := f.Text()
		if err != nil {
			return nil, err
		}
		again := repeat{file: f, row: latest[name], text: string(text)}
		if c := r.Config.Flyway; c.Replace && !f.LiteralPlaceholders {
			again.text, _ = script.Replace(again.text, c.Prefix, c.Suffix, r.undoPlaceholders(f))
		}
		again.open = touchesUnnamed(again.text)
		again.text = strings.ToLower(again.text)
		all = append(all, again)
	}
	return all, nil
}

var (
	everything = lazyregexp.New(
		`(?i)\b(all\s+(tables|sequences|functions|procedures|routines)\s+in|pg_(class|tables|views|proc|type|namespace|catalog)|information_schema)\b`)
	execute = lazyregexp.New(`(?i)\bexecute\s+(\w*)`)
)

// touchesUnnamed reports whether a script makes its statements up as it runs,
// or speaks of all tables at once.
func touchesUnnamed(text string) bool {
	if everything().MatchString(text) {
		return true
	}
	for _, m := range execute().FindAllStringSubmatch(text, -1) {
		// EXECUTE FUNCTION belongs to a trigger, EXECUTE ON to a grant.
		if next := strings.ToLower(m[1]); next != "function" && next != "procedure" && next != "on" {
			return true
		}
	}
	return false
}

// names reports whether the script speaks of an object of that name.
func (a repeat) names(name string) bool {
	name = strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(a.text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(a.text[:i])
		after, _ := utf8.DecodeRuneInString(a.text[i+len(name):])
		if !inName(before) && !inName(after) {
			return true
		}
		from = i + len(name)
	}
}

func inName(c rune) bool {
	return c == '_' || c == '$' || c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c))
}

// lost says in words what of the script's the undo took away, "" for nothing.
func (a repeat) lost(gone []database.Object) string {
	var list []string
	for _, o := range gone {
		if a.names(o.Name) || a.open && o.Kind != "index" {
			list = append(list, o.Kind+" "+o.Name)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if more := len(list) - 5; more > 0 {
		list = append(list[:5], fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, ", ")
}

// gone are the objects that were there before and are no more, or are others now.
func gone(before, after map[string]database.Object) []database.Object {
	var list []database.Object
	for key, o := range before {
		if now, ok := after[key]; !ok || now.State != o.State {
			list = append(list, o)
		}
	}
	return list
}

var dropped = lazyregexp.New(`(?is)^\s*drop\s+(?:materialized\s+view|foreign\s+table|view|table|function|procedure|aggregate|type|domain|sequence|schema)\s+(?:if\s+exists\s+)?(.*)$`)

// droppedBy are the names that undo scripts drop: a forecast. What an undo
// really takes away is seen when it runs.
func droppedBy(steps []step) []string {
	var names []string
	for _, s := range steps {
		for _, st := range sqltext.Split(s.text) {
			m := dropped().FindStringSubmatch(s.text[st.Start:st.End])
			if m == nil {
				continue
			}
			for item := range strings.SplitSeq(m[1], ",") {
				fields := strings.FieldsFunc(item, func(c rune) bool {
					return unicode.IsSpace(c) || c == '(' || c == ';'
				})
				if len(fields) == 0 {
					continue
				}
				name := strings.Trim(fields[0][strings.LastIndex(fields[0], ".")+1:], `"`)
				if name != "" {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// usesOf are those of the names that the script speaks of.
func (a repeat) usesOf(dropped []string) []string {
	var names []string
	for _, name := range dropped {
		if a.names(name) {
			names = append(names, name)
		}
	}
	return names
}
