package check

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

func TestSARIFFollowsItsSchema(t *testing.T) {
	r := &Result{Prefix: "db/sql", Findings: []Finding{
		{Rule: "ban-drop-table", Level: Error, Script: "V3__a b?.sql", Line: 7, Message: "no", Help: "Don't."},
		{Rule: "edited-script", Level: Error, Script: "V1__a.sql", Message: "no", Waived: "it \"had\" to be"},
		{Rule: "unused-waiver", Level: Note, Script: "V1__a.sql", Line: 1, Message: "no"},
	}}
	for _, r := range []*Result{r, {}} {
		var out bytes.Buffer
		if err := r.WriteSARIF(&out); err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(out.Bytes()))
		d.DisallowUnknownFields() // the parsed report would lose them
		if err := d.Decode(&sarif.Report{}); err != nil {
			t.Fatal(err)
		}
		parsed, err := sarif.FromBytes(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		parsed.Runs[0].NewlineSequences = []string{"\n"} // absent is allowed, but the library makes it empty
		if err := parsed.Validate(); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	var out bytes.Buffer
	_ = r.WriteSARIF(&out)
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	first, second := run.Results[0], run.Results[1]
	if first.Locations[0].Physical.Artifact.URI != "db/sql/V3__a%20b%3F.sql" ||
		first.Locations[0].Physical.Region.StartLine != 7 {
		t.Errorf("the place is %+v", first.Locations)
	}
	if run.Tool.Driver.Rules[second.RuleIndex].ID != "edited-script" ||
		second.Suppressions[0].Justification != "it \"had\" to be" {
		t.Errorf("the second result is %+v", second)
	}
	if got := run.Tool.Driver.Rules[first.RuleIndex].HelpURI; got != "https://squawkhq.com/docs/ban-drop-table" {
		t.Errorf("help at %s", got)
	}
}
