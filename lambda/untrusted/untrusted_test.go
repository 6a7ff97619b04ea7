package untrusted

import (
	"bytes"
	"encoding/json"
	"html"
	"html/template"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// nasty are texts that would do something where they are shown.
var nasty = []string{
	"", " ", "plain words, with dots.", "größer ≤ 3 € 日本語 e\u0301", "a\x00b", "\x1b[2J\x1b]0;title\x07", "\u009b31m",
	"\x7f", "a\rb", "a\r\nb\tc\vd\f",
	"\u202eevil\u202c", "\u2066x\u2069", "zero\u200bwidth\u200d\ufeff\u2060", "\u00ad", "\u2028line\u2029",
	"\U000e0041\U000e007f", "x\ufe0f\U000e0100", "\u3164\u115f\u2800",
	"\xff\xfe", "\xc3", "\xed\xa0\x80", "\U0010ffff\ufffe", "\ue000",
	"`a`", "``a``", "`a``b`", "```", "````js\n````", "`", "a`b", "`` ` ``", "@``O", "`a` `b`c`d`", "` `",
	"```\n# x\n```",
	"[a](https://evil.example)", "![i](u)", "<https://evil.example>", "https://evil.example", "www.evil.example",
	"WWW.EVIL.example", "mail@evil.example", "mailto:x",
	"@name", "@org/team", "#123", "org/repo#1", "!1", "&1", "~label", "%milestone", "GH-12", "1a2b3c4d5e6f",
	"x 0123456789abcdef0123456789abcdef01234567, y",
	"<script>alert(1)</script>", "<!-- x -->", "&lt;script&gt;", "&#64;name", "a | b", "| --- |",
	"*b* _i_ **b** __b__ ~~s~~", "$x$", `\`, `\\`, `\*`, "# h", "- l", "+ l", "1. l", "12) l",
	"===", "---", "> q", "    code", "\tcode", "a\n===\nb", "[x]: https://evil", "x  \ny", "OK  5 applied\nNext: rm",
	"#{SourceVariables.x}", "{{ x }}",
}

func addSeeds(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
}

// hidden is what no reader sees, written down once more and in other words than
// the package has it.
func hidden(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector):
		return true
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), unicode.Is(unicode.Noncharacter_Code_Point, r),
		r == '\u2800':
		return true
	}
	return false
}

func checkShows(t *testing.T, name, in, out, keep string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%s(%q) is no UTF-8: %q", name, in, out)
	}
	for _, r := range out {
		if hidden(r) && !strings.ContainsRune(keep, r) {
			t.Errorf("%s(%q) holds %U: %q", name, in, r, out)
		}
	}
}

// letters is what is left for a reader to recognise.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func FuzzLine(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		out := Line(s)
		checkShows(t, "Line", s, out, "")
		checkShows(t, "Text", s, Text(s), "\n\t")
		if AllShows(s) && out != s {
			t.Errorf("Line(%q) changes it: %q", s, out)
		}
		if Line(out) != out {
			t.Errorf("Line(%q) is not stable: %q", s, out)
		}
		for i, line := range strings.Split(Indented(s), "\n") {
			if i > 0 && !strings.HasPrefix(line, "    ") {
				t.Errorf("Indented(%q) has a line at the margin: %q", s, line)
			}
		}
	})
}

func FuzzApproval(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		out := Approval(s)
		checkShows(t, "Approval", s, out, "")
		for _, bad := range []string{"://", "www.", "#{"} {
			if strings.Contains(out, bad) {
				t.Errorf("Approval(%q) holds %s: %q", s, bad, out)
			}
		}
		if letters(out) != letters(Line(s)) {
			t.Errorf("Approval(%q) loses text: %q", s, out)
		}
	})
}

var (
	codeSpan  = regexp.MustCompile("`[^`]+`")
	escape    = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]|&(?:amp|lt|gt);")
	linked    = regexp.MustCompile(`(?i)[@#!&~%]\w|://|www\.|\bgh-\d|\b[0-9a-f]{7,64}\b`)
	lineStart = regexp.MustCompile(`^( {4}|[-+=#>:]|\d+[.)])`)
)

// checkInline fails where something of the Markdown is markup: what is left
// without code and without what is escaped.
func checkInline(t *testing.T, s, out string) {
	t.Helper()
	plain := codeSpan.ReplaceAllString(out, " ")
	rendered := escape.ReplaceAllStringFunc(plain, func(e string) string {
		return strings.TrimPrefix(strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(e), "\\")
	})
	if linked.MatchString(rendered) {
		t.Errorf("Markdown(%q) draws a link or calls somebody: %q", s, out)
	}
	if lineStart.MatchString(out) {
		t.Errorf("Markdown(%q) begins a block: %q", s, out)
	}
	if bad := strings.IndexAny(escape.ReplaceAllString(plain, ""), "`*_[]<>|~$&\\"); bad >= 0 {
		t.Errorf("Markdown(%q) holds markup: %q", s, out)
	}
	if strings.Contains(out, "``") {
		t.Errorf("Markdown(%q) has adjacent backticks: %q", s, out)
	}
}

func FuzzMarkdown(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		out := Markdown(s)
		checkShows(t, "Markdown", s, out, "")
		checkInline(t, s, out)
		// A reader gets every letter, in order. Entities in code are text.
		shown := strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;",
			">").Replace(codeSpan.ReplaceAllStringFunc(out, letters))
		if letters(shown) != letters(Line(s)) {
			t.Errorf("Markdown(%q) loses text: %q", s, out)
		}
	})
}

func FuzzMarkdownCode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		out := MarkdownCode(s)
		checkShows(t, "MarkdownCode", s, out, "")
		if inner := strings.Trim(out, "`"); len(out) != len(inner)+2 || inner == "" ||
			strings.ContainsAny(inner, "`|\n") {
			t.Errorf("MarkdownCode(%q) is not one span in one cell: %q", s, out)
		}
		block := MarkdownBlock("diff", s)
		checkShows(t, "MarkdownBlock", s, block, "\n\t")
		if strings.Count(block, "```") != 2 || !strings.HasPrefix(block, "```diff\n") ||
			!strings.HasSuffix(block, "\n```\n") {
			t.Errorf("MarkdownBlock(%q) ends early: %q", s, block)
		}
	})
}

func FuzzHTML(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		page := HTML([]byte("<p>" + template.HTMLEscapeString(s) + "</p>"))
		checkShows(t, "HTML", s, string(page), "\n\t")
		inner := strings.TrimSuffix(strings.TrimPrefix(string(page), "<p>"), "</p>")
		if strings.ContainsAny(inner, "<>\"'") {
			t.Errorf("HTML(%q) holds markup: %q", s, page)
		}
		if AllShows(s) && html.UnescapeString(inner) != s {
			t.Errorf("HTML(%q) reads %q", s, html.UnescapeString(inner))
		}
	})
}

func FuzzJSON(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := json.MarshalIndent(map[string]string{s: s}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		out := JSON(raw)
		checkShows(t, "JSON", s, string(out), "\n\t")
		var before, after any
		if err := json.Unmarshal(raw, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("JSON(%q): %v", s, err)
		}
		a, _ := json.Marshal(before)
		b, _ := json.Marshal(after)
		if !bytes.Equal(a, b) {
			t.Errorf("JSON(%q) means something else: %s, %s", s, a, b)
		}
	})
}

func TestExamples(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Line("a\x1b[2J\u202eb\nc\xff"), "a(U+001B)[2J(U+202E)b c(0xFF)"},
		{Text("a\r\nb\rc\td"), "a\nb\nc\td"},
		{Approval("see https://evil.example, www.x.example #{A.B} @me"),
			"see https: //evil.example, www .x.example # {A.B}  @ me"},
		{Markdown("Dropping `a_b` in *x* | y"), "Dropping `a_b` in \\*x\\* \\| y"},
		{Markdown("by @name for #12 (1a2b3c4d5e6f), see https://evil.example."),
			"by `@name` for `#12` (`1a2b3c4d5e6f`), see `https://evil.example`."},
		{Markdown("one ` alone <b>"), "one ' alone &lt;b&gt;"},
		{Markdown("1. item"), "1\\. item"},
		{MarkdownCode("a`b|c\n"), "`a'b¦c `"},
		{MarkdownBlock("diff", "+ ```\n- x"), "```diff\n+ '''\n- x\n```\n"},
		{string(JSON([]byte("\"\u202e\U000e0041é\""))), `"\u202e\udb40\udc41é"`},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestPrinter(t *testing.T) {
	var out strings.Builder
	p := Printer{W: &out, Color: true}
	p.Line("%s %s %v %d", "a\x1b[0m\nOK", p.Paint(31, "b\x1b"), io.EOF, 3)
	if want := "a(U+001B)[0m\n    OK \x1b[31mb(U+001B)\x1b[0m EOF 3\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
