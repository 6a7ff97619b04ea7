package untrusted

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var markup = strings.NewReplacer(
	`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'",
)

var (
	// reference is a word that some renderer makes a link or a notification of,
	// escaped or not: mentions, issues, merge requests, addresses, commits.
	// Inside code they all let it be.
	reference = regexp.MustCompile(`(?i)[@#!^%&$~]\w|:/|www\.|mailto:|\bgh-\d|\b[0-9a-f]{7,64}\b`)
	// begin is what makes a list, a heading or a rule of a line that begins with it.
	begin = regexp.MustCompile(`^([-+=#:]|\d+[.)])`)
)

// Markdown is s in a line, or in a cell of a table, of Markdown: nothing in it
// is markup. Code between backticks stays code.
func Markdown(s string) string {
	parts := strings.Split(strings.Trim(Line(s), " "), "`")
	if len(parts)%2 == 0 { // one has no partner
		parts = []string{strings.Join(parts, "'")}
	}
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			addCode(&b, part)
			continue
		}
		for j, word := range strings.Split(part, " ") {
			if j > 0 {
				b.WriteByte(' ')
			}
			addWord(&b, word)
		}
	}
	return begin.ReplaceAllStringFunc(b.String(), func(start string) string {
		return start[:len(start)-1] + `\` + start[len(start)-1:]
	})
}

// addWord adds a word, as code where it is a reference.
func addWord(b *strings.Builder, word string) {
	if !reference.MatchString(word) {
		b.WriteString(markup.Replace(word))
		return
	}
	core := strings.TrimLeft(word, `("'[{<,;`)
	b.WriteString(markup.Replace(word[:len(word)-len(core)]))
	end := len(strings.TrimRight(core, `)"']}>,;.:?`))
	addCode(b, core[:end])
	b.WriteString(markup.Replace(core[end:]))
}

// addCode adds code, apart from code that stands before it.
func addCode(b *strings.Builder, s string) {
	if s == "" { // what stands on both sides must not become one word
		b.WriteString("''")
		return
	}
	if strings.HasSuffix(b.String(), "`") {
		b.WriteByte(' ')
	}
	b.WriteString(MarkdownCode(s))
}

// MarkdownCode is s as code in a line, or in a cell of a table.
func MarkdownCode(s string) string {
	s = strings.NewReplacer("`", "'", "|", "¦").Replace(Line(s))
	if s == "" {
		s = " "
	}
	return "`" + s + "`"
}

// MarkdownBlock is s as a block of that language, which nothing in it ends.
func MarkdownBlock(language, s string) string {
	const fence = "```"
	return fence + language + "\n" + strings.ReplaceAll(Text(s), fence, "'''") + "\n" + fence + "\n"
}

// HTML is a whole page whose texts are escaped already, with every character
// showing.
func HTML(page []byte) []byte { return []byte(Text(string(page))) }

// JSON is the same JSON with every character showing: those that do not are
// written as their escapes, and bytes that are none as U+FFFD.
func JSON(raw []byte) []byte {
	var b bytes.Buffer
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if shows(r) || r == '\n' || r == '\t' || r == '\r' {
			b.WriteRune(r)
		} else {
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
		raw = raw[size:]
	}
	return b.Bytes()
}

// WriteJSON prints v as one indented JSON value, see [JSON].
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(JSON(b.Bytes()))
	return err
}

// JSONWriter passes JSON on as [JSON] has it. Each Write has to hold whole
// values, as those of a log handler do.
type JSONWriter struct{ W io.Writer }

func (j JSONWriter) Write(raw []byte) (int, error) {
	if _, err := j.W.Write(JSON(raw)); err != nil {
		return 0, err
	}
	return len(raw), nil
}
