package flyway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestDecodeReadsWhatFlywayAnswers(t *testing.T) {
	yes, no := true, false
	for file, want := range map[string]Result{
		"migrated.json": {Operation: "migrate", Success: &yes, Warnings: []string{"a warning"}, Migrations: []Migration{
			{Category: "Versioned", Version: "1", Description: "customers", Type: "SQL",
				Filepath: "/sql/V1__customers.sql"},
		}},
		"failed.json": {Operation: "migrate", Success: &no, Error: &Error{
			Code: "FAILED_VERSIONED_MIGRATION", SQLState: "42601",
			Message: "Script V2__x.sql failed\n---\nSQL State : 42601", Line: 3, Path: "/sql/V2__x.sql",
			Cause: &Cause{Message: "around", Cause: &Cause{Message: "ERROR: syntax error at or near \"TABEL\""}},
		}},
		"invalid.json": {Operation: "validate", Validation: &no,
			Invalid: []Invalid{{Version: "1", Filepath: "/sql/V1__a.sql", ErrorDetails: struct {
				ErrorCode    string `json:"errorCode"`
				ErrorMessage string `json:"errorMessage"`
			}{"CHECKSUM_MISMATCH", "Migration checksum mismatch"}}}},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for name, around := range map[string]string{"alone": "", "noise": "WARNING: x\n\nTAB\t[y]\r\n",
			"long noise": strings.Repeat("x", 1<<17) + "\n"} {
			got, err := decode(strings.NewReader(around + string(text) + around))
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("%s, %s:\n%+v, %v\nwant %+v", file, name, got, err, want)
			}
		}
	}
}

func TestDecodeRefusesAnswersThatAreCut(t *testing.T) {
	text, err := os.ReadFile("testdata/failed.json")
	if err != nil {
		t.Fatal(err)
	}
	whole := bytes.TrimSpace(text)
	for i := range whole {
		if got, err := decode(bytes.NewReader(whole[:i])); err == nil {
			t.Fatalf("%q was taken: %+v", whole[:i], got)
		}
	}
}

func TestDecodeRefusesWhatIsNoAnswer(t *testing.T) {
	for _, text := range []string{"", "\n\n", "Exception in thread main", "[1]\n", "null", `{"operation":1}`,
		`{"migrations":{}}`, "{]", `{"a":1 "b"}`, `{1:2}`, "{\"error\":{\"lineNumber\":\"x\"}}", "\x00{"} {
		if got, err := decode(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken: %+v", text, got)
		}
	}
}

// endless gives one text again and again, n bytes in all.
type endless struct {
	text string
	n    int
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read >= e.n {
		return 0, io.EOF
	}
	at := e.read % len(e.text)
	n := copy(p, e.text[at:])
	e.read += n
	return n, nil
}

func TestDecodeKeepsLittleOfMuch(t *testing.T) {
	const all = 100 << 20
	for name, in := range map[string]io.Reader{
		"lines before": io.MultiReader(&endless{text: "noise\n", n: all},
			strings.NewReader("\n{\"operation\":\"info\"}")),
		"one line before": io.MultiReader(&endless{text: "noise", n: all},
			strings.NewReader("\n{\"operation\":\"info\"}")),
		"lines behind": io.MultiReader(strings.NewReader("{\"operation\":\"info\"}"),
			&endless{text: "noise\n", n: all}),
		"in other fields": io.MultiReader(strings.NewReader(`{"operation":"info","other":[1`),
			&endless{text: `,{"a":["b",{}]}`, n: all / 15 * 15 / 10}, strings.NewReader("]}")),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got, err := decode(in)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err != nil || got.Operation != "info" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 32<<20 {
			t.Errorf("%s: the heap grew by %d MB", name, grown>>20)
		}
	}
}

func TestDecodeTakesThousandsOfScriptsAndLongLines(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"operation":"migrate","success":true,"migrations":[`)
	for i := range 5000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"version":"%d","description":"%s"}`, i+1, strings.Repeat("x", 200))
	}
	fmt.Fprintf(&b, `],"warnings":["%s"]}`, strings.Repeat("w", 1<<20))
	got, err := decode(&b)
	if err != nil || len(got.Migrations) != 5000 || got.Migrations[4999].Version != "5000" ||
		len(got.Warnings[0]) != 1<<20 {
		t.Errorf("%v", err)
	}
}

func TestReasonIsWhatTheServerSaid(t *testing.T) {
	e := &Error{Message: "Script failed\n------",
		Cause: &Cause{Message: "x", Cause: &Cause{Message: "ERROR: no such table\n  Position: 3 ",
			Cause: &Cause{Message: "  "}}}}
	if got := e.Reason(); got != "no such table\n  Position: 3" {
		t.Errorf("%q", got)
	}
	if got := (&Error{Message: "alone"}).Error(); got != "alone" {
		t.Errorf("%q", got)
	}
}

func TestPlaceIsAlsoReadFromTheMessage(t *testing.T) {
	for _, c := range []struct {
		e    Error
		path string
		line int
	}{
		{Error{Path: "/sql/V1__a b.sql", Line: 7}, "/sql/V1__a b.sql", 7},
		{Error{Message: "Unable to parse statement in /sql/V2__it's at line 3.sql at line 12 col 1. See https://…"},
			"/sql/V2__it's at line 3.sql", 12},
		{Error{Message: "something else"}, "", 0},
	} {
		if path, line := c.e.Place(); path != c.path || line != c.line {
			t.Errorf("%+v: %q, %d", c.e, path, line)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("noise\n{\"operation\":\"info\",\"x\":[{}]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decode(bytes.NewReader(text))
		if (got == nil) == (err == nil) {
			t.Fatalf("%q: %v and %v", text, got, err)
		}
		if got != nil && got.Error != nil {
			got.Error.Place()
			_ = got.Error.Error()
		}
		// What is an object for encoding/json is one for decode as well.
		var object map[string]json.RawMessage
		if text = bytes.TrimSpace(text); err != nil && json.Unmarshal(text, &object) == nil && object != nil {
			var wrong *json.UnmarshalTypeError
			if again, err := decode(bytes.NewReader(text)); err != nil && !errors.As(err, &wrong) {
				t.Errorf("%q: %v, %v", text, again, err)
			}
		}
	})
}
