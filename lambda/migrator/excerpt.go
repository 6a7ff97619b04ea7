package migrator

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"slipway/lambda/lazyregexp"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// position is where in the statement PostgreSQL saw the error, in characters
// from 1, as the driver appends it to its message.
var position = regexp.MustCompile(`\n\s*Position: (\d+)`)

// show gives a failure its line and the lines of the script around it. line is
// where Flyway says that the statement begins, reason what PostgreSQL said.
func (r *run) show(f *report.Failure, line int, reason string) {
	if f.Line = line; line < 1 {
		return
	}
	text, values, ok := r.original(f.Script)
	if !ok {
		return
	}
	sql, _ := script.Replace(text, r.Config.Flyway.Prefix, r.Config.Flyway.Suffix, values)
	character := 0
	if m := position.FindStringSubmatch(reason); m != nil {
		character, _ = strconv.Atoi(m[1])
	}
	r.mark(f, text, values, placeOf(sql, line, character, reason))
}

// mark is [run.show] for a place in the text as it runs, which these values made.
func (r *run) mark(f *report.Failure, text string, values map[string]string, p place) {
	origin := func(at int) int {
		return script.Origin(text, r.Config.Flyway.Prefix, r.Config.Flyway.Suffix, values, at)
	}
	f.Excerpt, f.Line = report.NewExcerpt(text, origin(p.start), origin(p.at), origin(p.end), p.exact)
	if r.holdsPassword(text) {
		f.Excerpt = nil
	}
}

// holdsPassword reports whether the password stands in the text, as it is or as
// SQL quotes it. Very short ones would stand in any.
func (r *run) holdsPassword(text string) bool {
	password := string(r.session.Target().Password)
	forms := []string{
		password, strings.ReplaceAll(password, "'", "''"), strings.ReplaceAll(password, `"`, `""`),
		strings.NewReplacer(`\`, `\\`, "'", "''").Replace(password),
	}
	return len(password) >= 4 && slices.ContainsFunc(forms, func(form string) bool {
		return strings.Contains(text, form)
	})
}

// original is the text of a script of the release as its file has it, and the
// values that its placeholders get, none where they are not replaced.
func (r *run) original(name string) (text string, values map[string]string, ok bool) {
	if r.set == nil {
		return "", nil, false
	}
	for _, f := range slices.Concat(r.set.Versioned, r.set.Baselines, r.set.Repeatable, r.set.Callbacks, r.set.Undo) {
		if f.Script != name {
			continue
		}
		raw, err := f.Text()
		if err != nil {
			return "", nil, false
		}
		if r.Config.Flyway.Replace && !f.LiteralPlaceholders {
			values = r.undoPlaceholders(f)
		}
		return strings.TrimPrefix(string(raw), "\ufeff"), values, true
	}
	return "", nil, false
}

// scriptAt is the script of the release at that path, below its location.
func (r *run) scriptAt(path string) string {
	for _, root := range r.Config.Locations {
		if abs, err := filepath.Abs(root); err == nil {
			if name, err := filepath.Rel(abs, path); err == nil && !strings.HasPrefix(name, "..") {
				return filepath.ToSlash(name)
			}
		}
	}
	return filepath.ToSlash(path)
}

// place is where in a text an error is, in bytes, and the statement around it.
type place struct {
	start, at, end int
	exact          bool // at is the character's, not only the statement's
}

// maxScript is up to which size a script is split into all its statements. Of a
// larger one only the beginning of the failed statement is, of that size.
const (
	maxScript    = 4 << 20
	maxStatement = 1 << 16
)

// placeOf is the place of an error in a statement that begins in that line, at
// that character of it, from 1; 0 for not known. Flyway sends the comments
// before a statement along, and names the line of its first word. Where several
// statements begin in the line, the one counts that has there what the message
// quotes.
func placeOf(sql string, line, character int, message string) place {
	begin := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(sql[begin:], '\n')
		if next < 0 {
			break
		}
		begin += next + 1
	}
	text, from := sql, 0
	if len(sql) > maxScript {
		text, from = sql[begin:min(len(sql), begin+maxStatement)], begin
		if !endsStatement(sql[:begin]) {
			character = 0
		}
	}
	width, _, _ := strings.Cut(sql[begin:], "\n")
	end := begin + len(width)
	var found []place
	sent := from // where what Flyway sends of the next statement begins, after blanks
	for _, s := range sqltext.Split(text) {
		if start := from + s.Start; start >= begin && start <= end {
			sent += len(sql[sent:]) - len(strings.TrimLeftFunc(sql[sent:], unicode.IsSpace))
			at, ok := advance(sql[sent:], character)
			p := place{start, max(start, sent+at), from + s.End, ok && sent+at >= start}
			found = append(found, p)
		}
		sent = from + s.Next
	}
	switch {
	case len(found) == 0:
		return place{begin, begin, end, false}
	case len(found) == 1:
		return found[0]
	}
	matching := slices.DeleteFunc(slices.Clone(found),
		func(p place) bool { return !p.exact || !quotes(message, sql[p.at:]) })
	if len(matching) == 1 {
		return matching[0]
	}
	return place{begin, begin, found[len(found)-1].end, false}
}

// endsStatement reports whether nothing stands between the last statement's
// semicolon and the end of the text, by that line alone.
func endsStatement(text string) bool {
	text = strings.TrimRightFunc(text[max(0, len(text)-maxStatement):], unicode.IsSpace)
	last := text[1+strings.LastIndexByte(text, '\n'):]
	return last == "" || strings.HasSuffix(last, ";") && !strings.Contains(last, "--")
}

// advance is where the character of that number, from 1, begins.
func advance(text string, character int) (at int, ok bool) {
	if character < 1 {
		return 0, false
	}
	for i := range text {
		if character--; character == 0 {
			return i, true
		}
	}
	return len(text), character == 1 // behind the end
}

var quoted = lazyregexp.New(`"([^"\n]+)"`)

// quotes reports whether the message quotes the word with which the text begins.
func quotes(message, text string) bool {
	for _, m := range quoted().FindAllStringSubmatch(message, -1) {
		name := strings.TrimPrefix(text, `"`)
		if len(name) >= len(m[1]) && strings.EqualFold(name[:len(m[1])], m[1]) {
			return true
		}
	}
	return false
}
