package event

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/plan"
	"slipway/lambda/report"
)

func TestDirectRequests(t *testing.T) {
	for event, want := range map[string]migrator.Request{
		`{"command":"migrate"}`:             {Command: "migrate"},
		`{"command":"info"}`:                {Command: "info"},
		`{"command":"validate"}`:            {Command: "validate"},
		`{"command":"repair"}`:              {Command: "repair"},
		`{"command":"repair","rows":"1,7"}`: {Command: "repair", Rows: "1,7"},
		`{"command":"repair","checksums":{}}`: {Command: "repair",
			Checksums: map[string]plan.NewChecksum{}},
		`{"command":"repair","deleted":{"3":"V2__b.sql"}}`: {Command: "repair",
			Deleted: map[int]string{3: "V2__b.sql"}},
		`{"command":"repair","checksums":{"V1__a.sql":{"was":0,"now":-2}}}`: {
			Command: "repair", Checksums: map[string]plan.NewChecksum{"V1__a.sql": {Was: 0, Now: -2}},
		},
		` {"command":"baseline","target":"12"} `: {Command: "baseline", Target: "12"},
		`{"command":"migrate","target":"12.1"}`:  {Command: "migrate", Target: "12.1"},
		`{"command":"revert","steps":2,"from":"12","dryRun":true}`: {Command: "revert", Steps: 2, From: "12",
			DryRun: true},
		`{"command":"revert","to":"10"}`: {Command: "revert", To: "10"},
	} {
		r := migrated()
		answer, function := invoke(t, r, event)
		if function != nil {
			t.Errorf("%s: %v", event, function)
			continue
		}
		if len(r.reqs) != 1 || !reflect.DeepEqual(r.reqs[0], want) {
			t.Errorf("%s asks for %+v", event, r.reqs)
		}
		if answer["command"] != want.Command || answer["code"] != "OK" || answer["schemaVersionAfter"] != "12" {
			t.Errorf("%s: answers %v", event, answer)
		}
	}
}

func TestDirectRequestsAreRefusedByName(t *testing.T) {
	for event, want := range map[string]string{
		`{}`:                                   `unknown command ""`,
		`{"target":"12"}`:                      `unknown command ""`,
		`{"command":"clean"}`:                  `unknown command "clean"`,
		`{"command":"Migrate"}`:                `unknown command "Migrate"`,
		`{"command":"undo"}`:                   `unknown command "undo"`,
		`{"command":"migrate","tragte":"12"}`:  `unknown field "tragte"`,
		`{"command":"migrate","password":"p"}`: `unknown field "password"`,
		`{"command":1}`:                        "command",
		`{"command":"migrate","target":12}`:    "target",
		`{"command":"revert","steps":"1"}`:     "steps",
		`{"command":"repair","checksums":{"V1__a.sql":{"was":1}}}`:                    "V1__a.sql needs both numbers",
		`{"command":"repair","checksums":{"V1__a.sql":{"now":1}}}`:                    "V1__a.sql needs both numbers",
		`{"command":"repair","deleted":{"three":"V2__b.sql"}}`:                        "three",
		`{"command":"repair","checksums":{"V1__a.sql":null}}`:                         "V1__a.sql needs both numbers",
		`{"command":"repair","checksums":{"V1__a.sql":{"was":1,"now":2147483648}}}`:   "checksums",
		`{"command":"repair","checksums":{"V1__a.sql":{"was":1,"now":2,"type":"x"}}}`: `unknown field "type"`,
		`{"command":"info"} {}`: "JSON",
		``:                      "JSON",
		`null`:                  "JSON",
		`[]`:                    "JSON",
		`"migrate"`:             "JSON",
		`{"command":`:           "JSON",
		"\xff":                  "JSON",
	} {
		r := migrated()
		_, function := invoke(t, r, event)
		var rep report.Report
		if function == nil || function.Type != "BAD_REQUEST" || json.Unmarshal([]byte(function.Message), &rep) != nil ||
			rep.Code != report.BadRequest || !strings.Contains(rep.Message, want) || rep.Next == "" {
			t.Errorf("%s: %+v, want %q", event, function, want)
		}
		if len(r.reqs) > 0 {
			t.Errorf("%s was carried out: %+v", event, r.reqs)
		}
	}
}

// Whoever may call the function has no say in which secret it reads.
func TestNoRequestNamesASecret(t *testing.T) {
	for _, key := range []string{"secretArn", "SecretArn", "SECRETARN", "secretARN"} {
		for _, value := range []string{`"arn:x"`, `""`, `null`, `{}`} {
			r := migrated()
			_, function := invoke(t, r, `{"command":"info","`+key+`":`+value+`}`)
			var rep report.Report
			if function == nil || json.Unmarshal([]byte(function.Message), &rep) != nil ||
				rep.Code != report.BadRequest || len(r.reqs) > 0 ||
				!strings.Contains(rep.Message, `unknown field "`+key+`"`) ||
				!strings.Contains(rep.Next, "MASTER_SECRET_ARN") {
				t.Errorf("%s %s: %+v", key, value, function)
			}
		}
	}
}

func TestFailureOfADirectRequestIsTheReport(t *testing.T) {
	r := migrated()
	r.err = &report.Failure{Code: report.Locked, Message: "another run", NextStep: "Wait.",
		Blockers: []report.Blocker{{PID: 7}}}
	_, function := invoke(t, r, `{"command":"migrate"}`)
	if function == nil || function.Type != "LOCKED" {
		t.Fatalf("got %+v", function)
	}
	var rep report.Report
	if err := json.Unmarshal([]byte(function.Message), &rep); err != nil || rep.Code != report.Locked ||
		rep.Next != "Wait." || len(rep.Applied) != 2 || len(rep.Blockers) != 1 {
		t.Errorf("%v: %s", err, function.Message)
	}
}

func TestEachReportIsShownOnce(t *testing.T) {
	shown := 0
	h := Handler{Runner: migrated(), Log: slog.New(slog.DiscardHandler), Show: func(r *report.Report) {
		shown++
		if r.Command != "migrate" {
			t.Errorf("%+v", r)
		}
	}}
	for _, event := range []string{`{"command":"migrate"}`, cfn("Create", ""), cfn("Delete", ""), `{}`} {
		_, _ = h.Invoke(t.Context(), []byte(event))
	}
	if shown != 2 {
		t.Errorf("shown %d times, not once for each run", shown)
	}
}

func FuzzInvoke(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) < 3 {
		f.Fatal("no seeds")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		r := migrated()
		body, err := Handler{Runner: r, Log: slog.New(slog.DiscardHandler)}.Invoke(t.Context(), event)
		if (body == nil) == (err == nil) {
			t.Fatalf("%s: %s and %v", event, body, err)
		}
		if err != nil && len(r.reqs) > 0 {
			t.Errorf("%q was refused and carried out", event)
		}
		if len(r.reqs) > 0 && !slices.Contains(migrator.Commands, r.reqs[0].Command) {
			t.Errorf("%q was carried out: %+v", event, r.reqs)
		}
	})
}
