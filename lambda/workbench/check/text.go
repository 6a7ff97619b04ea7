package check

import (
	"strings"

	"golang.org/x/text/encoding/ianaindex"

	"slipway/lambda/script"
	"slipway/lambda/sqltext"
	"slipway/lambda/workbench/change"
)

// text is a script as it is judged.
type text struct {
	change.Entry
	path       string
	original   string // as it stands in the file
	sql        string // for the parser: placeholders replaced, lines where they were
	filled     string // with values for placeholders, and nothing else changed
	file       script.File
	passedOver []script.Placeholder
	statements []sqltext.Statement
	outside    bool // a statement can't run in a transaction, or a .conf file says so
	read       bool // could be read and decoded
	lint       bool // is to be linted: new, or all are
	syntaxOnly bool // undo scripts and callbacks: what they do is their purpose
	linted     bool
}

// readTexts prepares the scripts that there is something to say of.
func readTexts(c *change.Change, o Options) ([]*text, error) {
	var texts []*text
	known := map[string]change.Entry{}
	for _, e := range c.Tip {
		known[e.Key()] = e
	}
	for _, e := range c.Work.Sorted() {
		if e.Bad != nil || e.Kind == script.Config || e.Link {
			continue
		}
		before, there := known[e.Key()]
		t := &text{Entry: e, path: e.Path}
		t.lint = o.All || !there || before.Checksum() != e.Checksum()
		t.syntaxOnly = e.Kind == script.Undo || e.Kind == script.Callback
		conf := configOf(c.Work[e.Path+".conf"])
		t.outside = conf["executeintransaction"] == "false"
		t.file = script.File{Name: e.Name, Script: e.Path, Outside: t.outside,
			Inside: conf["executeintransaction"] == "true"}
		raw, ok := decode(e.Data, firstOf(conf["encoding"], o.Encoding))
		if t.read = ok; ok {
			t.original = strings.TrimPrefix(raw, "\ufeff")
			t.prepare(o, conf["placeholderreplacement"] != "false" && o.Replace)
		}
		texts = append(texts, t)
	}
	return texts, nil
}

func configOf(e change.Entry) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(string(e.Data)) {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(strings.TrimSpace(key), "#") {
			values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return values
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func decode(raw []byte, encoding string) (string, bool) {
	if encoding == "" || strings.EqualFold(encoding, "UTF-8") {
		return strings.ToValidUTF8(string(raw), "?"), true
	}
	e, err := ianaindex.IANA.Encoding(encoding)
	if err != nil || e == nil {
		return "", false
	}
	decoded, err := e.NewDecoder().Bytes(raw)
	return string(decoded), err == nil
}

var lineEnds = strings.NewReplacer("\r", " ", "\n", " ")

// prepare fills placeholders in and hides from the parser what is not SQL.
func (t *text) prepare(o Options, replace bool) {
	t.sql = t.original
	if replace {
		prefix, suffix := firstOf(o.PlaceholderPrefix, "${"), firstOf(o.PlaceholderSuffix, "}")
		values := map[string]string{}
		for _, p := range script.Placeholders(t.sql, prefix, suffix) {
			if p.Name != "" {
				// The name's own line ends, if it has any, are kept.
				values[p.Name] = "placeholder" + strings.Repeat("\n", strings.Count(p.Name, "\n"))
			}
		}
		for name, value := range o.Placeholders {
			if _, used := values[name]; used {
				values[name] = lineEnds.Replace(value)
			}
		}
		t.passedOver = script.PassedOver(t.sql, prefix, suffix, o.Placeholders)
		t.sql, _ = script.Replace(t.sql, prefix, suffix, values)
	}
	t.filled = t.sql
	t.statements = sqltext.Split(t.sql)
	t.sql = blankData(t.sql, t.statements)
	t.sql = squawkControl.ReplaceAllString(t.sql, "squawk_$1")
	for _, s := range t.statements {
		t.outside = t.outside || s.OutsideTransaction()
		t.file.NoTransaction = t.file.NoTransaction || t.file.Outside || s.KnownOutside() && !t.file.Inside
	}
}

// spaces keeps line ends and length.
func spaces(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c != '\n' && c != '\r' {
			b[i] = ' '
		}
	}
	return string(b)
}

// blankData hides the lines behind COPY … FROM STDIN.
func blankData(sql string, statements []sqltext.Statement) string {
	var b strings.Builder
	at := 0
	for i, s := range statements {
		if !s.Copies() {
			continue
		}
		from := min(s.End+1, len(sql))
		to := len(sql)
		if i+1 < len(statements) {
			to = statements[i+1].Start
		}
		// A comment between the data and the next statement goes as well: no harm.
		b.WriteString(sql[at:from])
		b.WriteString(spaces(sql[from:to]))
		at = to
	}
	b.WriteString(sql[at:])
	return b.String()
}
