package check

import (
	"strings"
	"testing"
	"time"

	"slipway/lambda/proof/changetest"
)

func TestLongHistories(t *testing.T) {
	squawk := linter(t)
	all := changetest.History(300)
	begun := time.Now()
	r := run(t, changetest.Branch(t, map[string]string{"V1__step_1.sql": all["V1__step_1.sql"]}, all, nil),
		Options{Linter: squawk})
	took := time.Since(begun)
	t.Logf("299 new scripts in %s: %s", took.Round(time.Millisecond), r.Summary())
	if took > time.Minute || r.Linted != 299 {
		t.Errorf("%d scripts in %s", r.Linted, took)
	}
	// Whatever it says can be waived, one finding after the other.
	for _, f := range r.Findings {
		if f.Level != Error {
			continue
		}
		if f.Rule == "syntax-error" {
			t.Errorf("%s: %s", f.At(), f.Message)
		}
		if !strings.Contains(all[f.Script], "slipway:allow-file "+f.Rule) {
			all[f.Script] = "-- slipway:allow-file " + f.Rule + " because the table is small\n" + all[f.Script]
		}
	}
	r = run(t, changetest.Branch(t, map[string]string{"V1__step_1.sql": all["V1__step_1.sql"]}, all, nil),
		Options{Linter: squawk})
	if r.Failures() != 0 {
		t.Errorf("can't be waived: %v", found(r))
	}
}

func BenchmarkCheck300(b *testing.B) {
	squawk := linter(b)
	folder := changetest.Branch(b, nil, changetest.History(300), nil)
	for b.Loop() {
		run(b, folder, Options{Linter: squawk})
	}
}

// A B script of the target branch: what changes in it reaches new databases only.
func TestBaselineScriptOfTheTargetBranch(t *testing.T) {
	begin := with(files{"B2__all.sql": v1 + v2})
	for name, c := range map[string]struct {
		work files
		want string
	}{
		"edited":  {with(files{"B2__all.sql": v1}), "warning edited-baseline B2__all.sql"},
		"deleted": {base, "error deleted-script B2__all.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, run(t, changetest.Branch(t, begin, c.work, nil), Options{}), c.want)
		})
	}
}
