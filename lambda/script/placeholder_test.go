package script

import (
	"reflect"
	"strings"
	"testing"
)

func TestReplaceAsFlywayDoes(t *testing.T) {
	values := map[string]string{"port": "5432", "dsn": "h port=1", "empty": "", "nested": "${port}", "a b": "spaced"}
	for text, want := range map[string]string{
		"":                            "",
		"no placeholder $port {port}": "no placeholder $port {port}",
		"${port}":                     "5432",
		"${PORT} ${Port}":             "5432 5432",
		"a${port}b${dsn}c":            "a5432bh port=1c",
		"${empty}${empty}x":           "x",
		"${nested}":                   "${port}", // what comes out is not looked at again
		"-- ${port}\n'${port}'":       "-- 5432\n'5432'",
		"${a b}":                      "spaced",
		"ü${port}ü":                   "ü5432ü",
		// Flyway reads on behind a $ that begins no placeholder without looking
		// at the character after it.
		"$${port}":   "$${port}",
		"$$${port}":  "$$5432",
		"$$$${port}": "$$$${port}",
		"x$ ${port}": "x$ 5432",
		"$":          "$",
	} {
		got, unknown := Replace(text, "${", "}", values)
		if got != want || len(unknown) > 0 {
			t.Errorf("%q: %q (unknown %v), want %q", text, got, unknown, want)
		}
	}
}

func TestPlaceholdersHaveLines(t *testing.T) {
	const text = "one ${A}\r\n${b\nc} $${no}\n\n${flyway:timestamp}${d} ${open\n"
	want := []Placeholder{{"a", 1}, {"b\nc", 2}, {"flyway:timestamp", 5}, {"d", 5}, {"", 5}}
	if got := Placeholders(text, "${", "}"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReplaceNamesWhatHasNoValue(t *testing.T) {
	const text = "${a} ${b}\n${c ${a} ${"
	got, unknown := Replace(text, "${", "}", map[string]string{"a": "1"})
	if want := "1 ${b}\n${c ${a} ${"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []Placeholder{{"b", 1}, {"c ${a", 2}, {"", 2}}; !reflect.DeepEqual(unknown, want) {
		t.Errorf("unknown %v, want %v", unknown, want)
	}
}

func TestOtherPrefixesAndSuffixes(t *testing.T) {
	for _, c := range []struct{ prefix, suffix, text, want string }{
		{"@", "@", "a @x@ b@x@", "a 1 b1"},
		{"__", "__", "__x__ ___x__", "1 ___x__"}, // the second one is __ _x __
		{"<<", ">>", "<<x>> <x> <<<x>>", "1 <x> <<<x>>"},
		{"#[", "]", "##[x] #[x]", "##[x] 1"},
		{"aab", "c", "aaabxc aabxc", "aaabxc 1"},
	} {
		got, _ := Replace(c.text, c.prefix, c.suffix, map[string]string{"x": "1"})
		if got != c.want {
			t.Errorf("%s…%s in %q: %q, want %q", c.prefix, c.suffix, c.text, got, c.want)
		}
	}
}

func FuzzReplace(f *testing.F) {
	f.Add("a ${x} $${x} ${open", "${", "}")
	f.Add("@x@@", "@", "@")
	f.Fuzz(func(t *testing.T, text, prefix, suffix string) {
		same, _ := Replace(text, prefix, suffix, nil)
		if same != text {
			t.Errorf("%q became %q with no value at all", text, same)
		}
		last := 1
		for _, p := range Placeholders(text, prefix, suffix) {
			if p.Line < last || p.Line > 1+strings.Count(text, "\n") {
				t.Errorf("%q: line %d", text, p.Line)
			}
			last = p.Line
		}
	})
}

func TestPassedOver(t *testing.T) {
	values := map[string]string{"a": "1"}
	for text, want := range map[string][]Placeholder{
		"${a} $${a}\n$q$${A}$q$ $${b} $${a": {{"a", 1}, {"a", 2}},
		"${a\n$${a}} ${b}\n$$${a}\n$$$${a}": {{"a", 4}},
		"$$${a}":                            nil,
		"":                                  nil,
	} {
		if got := PassedOver(text, "${", "}", values); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestOriginOfAPlaceInAReplacedText(t *testing.T) {
	values := map[string]string{"a": "long value\nof two lines", "b": "", "c": "ü"}
	for _, text := range []string{
		"", "no placeholder", "${a}", "x ${A} y ${b}z ${c} ${unknown} $${c} e", "${a}${a}${b}tail", "open ${a} and ${c",
	} {
		replaced, _ := Replace(text, "${", "}", values)
		last := 0
		for at := range len(replaced) + 2 {
			origin := Origin(text, "${", "}", values, at)
			if origin < last || origin > len(text) {
				t.Errorf("%q, %d: %d after %d", text, at, origin, last)
			}
			last = origin
			// From any place outside a value on, the texts go on alike.
			if at < len(replaced) && origin < len(text) && !strings.HasPrefix(text[origin:], "${") &&
				replaced[at] != text[origin] {
				t.Errorf("%q, %d: %q comes from %q", text, at, replaced[at:], text[origin:])
			}
		}
		if got := Origin(text, "${", "}", values, len(replaced)); got != len(text) {
			t.Errorf("%q: the end comes from %d of %d", text, got, len(text))
		}
	}
	if got := Origin("SELECT '${a}' FROM nothing", "${", "}", values,
		strings.Index("SELECT 'long value\nof two lines' FROM nothing", "nothing")); got != 19 {
		t.Errorf("the place behind a value: %d", got)
	}
	if got := Origin("SELECT ${a}", "", "}", values, 7); got != 7 {
		t.Errorf("without a prefix: %d", got)
	}
}
