package check

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/distribution"
)

// linter is the real one. Where it can't be had, the test says so and is
// left out, but never in CI.
func linter(t testing.TB) *Squawk {
	t.Helper()
	dir, err := distribution.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), dir, os.Getenv("SLIPWAY_SQUAWK"), os.Stderr)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("not run: the linter is missing: %v", err)
	}
	return found
}

// `make test` asks this one at its end and prints why the others were left out: go test does not.
func TestLinterIsAvailable(t *testing.T) {
	if linter(t).Version == "" {
		t.Error("squawk names no version")
	}
}

// files are scripts by name.
type files = map[string]string

func run(t testing.TB, folder string, o Options) *Result {
	t.Helper()
	c, err := change.Find(t.Context(), folder, "")
	if err != nil {
		t.Fatal(err)
	}
	o.Replace = true
	r, err := Run(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found are the findings as "level rule script:line", with "waived" for the level of waived ones.
func found(r *Result) []string {
	var list []string
	for _, f := range r.Findings {
		level := string(f.Level)
		if f.Waived != "" {
			level = "waived"
		}
		list = append(list, fmt.Sprintf("%s %s %s", level, f.Rule, f.At()))
	}
	return list
}

func expect(t *testing.T, r *Result, want ...string) {
	t.Helper()
	got := found(r)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const (
	v1 = "CREATE TABLE a (id bigint PRIMARY KEY);\n"
	v2 = "CREATE TABLE b (id bigint PRIMARY KEY);\n"
)

var base = files{"V1__a.sql": v1, "V2__b.sql": v2, "R__view.sql": "CREATE VIEW v AS SELECT 1 AS one;\n",
	"U2__b.sql": "DROP TABLE b;\n"}

// with is base with some files changed; an empty text removes one.
func with(changes files) files {
	all := files{}
	for name, text := range base {
		all[name] = text
	}
	for name, text := range changes {
		if all[name] = text; text == "" {
			delete(all, name)
		}
	}
	return all
}

func TestAgainstTheTargetBranch(t *testing.T) {
	for name, c := range map[string]struct {
		work, moved files
		options     Options
		want        []string
	}{
		"nothing changed": {work: base},
		"a new script":    {work: with(files{"V3__c.sql": "SELECT 1;"})},
		"two scripts of one version, one on either branch": {
			work: with(files{"V3__c.sql": "SELECT 1;"}), moved: with(files{"V3__other.sql": "SELECT 2;"}),
			want: []string{"error version-collision V3__c.sql"},
		},
		"two scripts of one version, spelled in two ways": {
			work: with(files{"V3__c.sql": "SELECT 1;", "sub/V03.0__d.sql": "SELECT 2;"}),
			want: []string{"error version-collision sub/V03.0__d.sql"},
		},
		"the same script on both branches": {
			work: with(files{"V3__c.sql": "SELECT 1;"}), moved: with(files{"V3__c.sql": "SELECT 1;"}),
		},
		"the same script on both branches, with other line ends": {
			work: with(files{"V3__c.sql": "SELECT 1;"}), moved: with(files{"V3__c.sql": "SELECT 1;\r\n"}),
			want: []string{"error version-collision V3__c.sql"},
		},
		"a version below one that was merged meanwhile": {
			work: with(files{"V3__c.sql": "SELECT 1;"}), moved: with(files{"V4__d.sql": "SELECT 2;"}),
			want: []string{"error version-not-above V3__c.sql"},
		},
		"a version in between, waived": {
			work: with(files{"V1.5__c.sql": "SELECT 1;\n-- slipway:allow version-not-above because every " +
				"environment is rebuilt\n"}),
			want: []string{"waived version-not-above V1.5__c.sql"},
		},
		"a version in between, out of order": {
			work: with(files{"V1.5__c.sql": "SELECT 1;"}), options: Options{OutOfOrder: true},
		},
		"an edited script": {
			work: with(files{"V1__a.sql": v1 + "-- more\n"}),
			want: []string{"error edited-script V1__a.sql"},
		},
		"a baseline script beside what it stands for": {work: with(files{"B2__all.sql": v1 + v2})},
		"two baseline scripts of one version, one on either branch": {
			work: with(files{"B2__all.sql": v1 + v2}), moved: with(files{"B2.0__other.sql": v1}),
			want: []string{"error version-collision B2__all.sql"},
		},
		"a baseline script in place of what it stands for": {
			work: with(files{"B2__all.sql": v1 + v2, "V1__a.sql": "", "V2__b.sql": ""}),
			want: []string{"error deleted-script V1__a.sql", "error deleted-script V2__b.sql"},
		},
		"an edited script, waived": {
			work: with(files{"V1__a.sql": "-- slipway:allow edited-script because it failed everywhere, and repair " +
				"follows\n" + v1}),
			want: []string{"waived edited-script V1__a.sql"},
		},
		"an edit that came from the target branch": {
			work: base, moved: with(files{"V1__a.sql": v1 + "-- more\n"}),
		},
		"edited repeatable and undo scripts": {
			work: with(files{"R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;\n",
				"U2__b.sql": "DROP TABLE IF EXISTS b;\n"}),
		},
		"deleted scripts": {
			work: with(files{"V2__b.sql": "", "R__view.sql": ""}),
			want: []string{"error deleted-script V2__b.sql", "error deleted-script R__view.sql"},
		},
		"a deleted script, waived by another": {
			work: with(files{"V2__b.sql": "", "V3__c.sql": "-- slipway:allow deleted-script in V2__b.sql because it " +
				"never ran\nSELECT 1;\n"}),
			want: []string{"waived deleted-script V2__b.sql"},
		},
		"a deleted undo script": {work: with(files{"U2__b.sql": ""})},
		"a renamed script": {
			work: with(files{"V2__b.sql": "", "V2__other_name.sql": v2}),
			want: []string{"error renamed-script V2__other_name.sql"},
		},
		"a script that moved to another folder": {work: with(files{"V2__b.sql": "", "old/V2__b.sql": v2})},
		"edits that Flyway's checksum does not see": {
			work: with(files{
				"V1__a.sql": strings.ReplaceAll(v1, "\n", "\r\n"), "V2__b.sql": "\ufeff" + v2,
				"R__view.sql": strings.ReplaceAll(base["R__view.sql"], " AS SELECT", "\nAS SELECT"),
			}),
			want: []string{"error unseen-edit V1__a.sql", "error unseen-edit V2__b.sql"},
		},
		"a repeatable script of which only a line was broken": {
			work: with(files{"R__view.sql": strings.ReplaceAll(base["R__view.sql"], ";", "\n;")}),
			want: []string{"error unseen-edit R__view.sql"},
		},
		"files of no release": {
			work: with(files{"V3__c.sh": "true", "beforeMigrate.py": "x", ".hidden.sh": "x", "a/Thumbs.db": "x",
				"README.md": "x", ".gitkeep": "x"}),
			want: []string{"error bad-name V3__c.sh", "error bad-name beforeMigrate.py", "error bad-name .hidden.sh",
				"error bad-name a/Thumbs.db"},
		},
		"bad names": {
			work: with(files{"V3_c.sql": "SELECT 1;", "notes.sql": "", "V4__d.SQL": "SELECT 1;", "README.md": "text"}),
			want: []string{"error bad-name V3_c.sql", "error bad-name V4__d.SQL"},
		},
		"bad content and configuration": {
			work: with(files{"V3__c.sql": "SELECT '\xe4';", "V4__d.sql": "SELECT 1;", "V4__d.sql.conf": "what=ever"}),
			want: []string{"error bad-script V3__c.sql", "error bad-script V4__d.sql.conf"},
		},
		"what can't be waived": {
			work:  with(files{"V3__c.sql": "-- slipway:allow version-collision because I say so\n"}),
			moved: with(files{"V3__other.sql": "SELECT 2;"}),
			want:  []string{"error version-collision V3__c.sql"},
		},
		"waivers without a reason or a rule": {
			work: with(files{"V1__a.sql": v1 + "-- slipway:allow edited-script\n-- slipway:allow because of " +
				"that\n-- squawk-ignore ban-drop-table because\n"}),
			want: []string{
				"error edited-script V1__a.sql", "error waiver-without-reason V1__a.sql:2",
				"error waiver-without-reason V1__a.sql:3", "error waiver-without-reason V1__a.sql:4",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, run(t, changetest.Branch(t, base, c.work, c.moved), c.options), c.want...)
		})
	}
}

func TestWithoutATarget(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "V1__a.sql"), []byte(v1), 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, folder, Options{})
	expect(t, r)
	if len(r.Scripts) != 1 || r.Scripts[0].Change != "new" || r.Against != "" {
		t.Errorf("scripts %+v against %q", r.Scripts, r.Against)
	}
	if _, err := change.Find(t.Context(), folder, "master"); err == nil {
		t.Error("a target outside a repository was found")
	}
}

func TestFindSaysWhatToDo(t *testing.T) {
	_, err := Find(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "none"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "does not start") {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err = Find(t.Context(), t.TempDir(), "", io.Discard)
	if err == nil || !strings.Contains(err.Error(), "--squawk FILE") || !strings.Contains(err.Error(), "pip") {
		t.Error(err)
	}
}
