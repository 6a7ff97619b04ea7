package script

import (
	"strings"
	"testing"

	"slipway/lambda/sqltext"
)

const bom = sqltext.ByteOrderMark

// The sums stood in flyway_schema_history after Flyway 12.4.0 had applied such files.
func TestChecksumIsFlyways(t *testing.T) {
	for text, want := range map[string]int32{
		"SELECT 1;":                                           78787420,
		"SELECT 1;\n":                                         78787420,
		"SELECT 1;\r\n":                                       78787420,
		"SELECT 1;\r":                                         78787420,
		bom + "SELECT 1;\n":                                   78787420,
		"\n\n\r\n\rSELECT 1;\n\n\n":                           78787420,
		bom + "-- " + bom + "\nSELECT 1;\n":                   -1323983333,
		"\n-- " + bom + "\nSELECT 1;\n":                       -1323983333,
		"-- äöü € 😀\nSELECT 'é';\n":                           103802594,
		"SELECT 1; -- a\u2028b\u0085c\x0c d\x0b\n":            902878896,
		"-- " + strings.Repeat("x", 4092) + "\rSELECT 1;\n":   1495532004,
		"-- " + strings.Repeat("x", 8188) + "\r\nSELECT 1;\n": -313011949,
		"":         0,
		bom:        0,
		"\r\n\n\r": 0,
	} {
		if got := Checksum([]byte(text)); got != want {
			t.Errorf("%.40q: %d, want %d", text, got, want)
		}
	}
}

func TestChecksumLeavesItsInputAlone(t *testing.T) {
	text := []byte(bom + "a\r\nb")
	before := string(text)
	Checksum(text)
	if string(text) != before {
		t.Error("the text was changed")
	}
}

func TestTextThatPostgreSQLCanNotTake(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\x00c":                       "line 2 holds a NUL",
		"a\n\nb \xe4\xf6":                 "line 3 is not UTF-8",
		"\xff\xfeS\x00":                   "NUL",
		"ok\xed\xa0\x80":                  "line 1 is not UTF-8", // a lone surrogate
		"\xc0\x80":                        "line 1 is not UTF-8", // NUL, overlong
		strings.Repeat("\n", 99) + "\xf8": "line 100",
	} {
		err := checkText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"", "\ufeffx", "\ufffd", "a\r\nb\x0c\x1b😀"} {
		if err := checkText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
