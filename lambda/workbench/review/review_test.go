package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"slipway/lambda/report"
	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

var exampleTexts = map[string]string{
	"V7__prices.sql": `-- Prices with two decimals.
SET LOCAL lock_timeout = '3s';

ALTER TABLE orders ALTER COLUMN price TYPE numeric;
ALTER TABLE orders ADD COLUMN ordered_at timestamptz NOT NULL DEFAULT now();
-- slipway:allow ban-drop-column because no release has read it since spring
ALTER TABLE customers DROP COLUMN born;
`,
	"V8__shipments.sql": `CREATE TABLE shipments (
	id bigint PRIMARY KEY, order_id bigint NOT NULL,
	"<b>&""carrier""" varchar(20), CONSTRAINT shipments_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
`,
	"R__totals.sql": "CREATE OR REPLACE VIEW totals AS\nSELECT customer_id, sum(price) AS total FROM orders GROUP " +
		"BY customer_id;\n",
}

// example is a review with something of everything.
func example() *Review {
	id := rehearse.Column{Name: "id", Type: "bigint", NotNull: true, Primary: true}
	customers := rehearse.Table{Name: "customers", Kind: "table",
		Columns: []rehearse.Column{id, {Name: "name", Type: "character varying(20)", NotNull: true},
			{Name: "born", Type: "date"}}}
	orders := rehearse.Table{Name: "orders", Kind: "table",
		Columns: []rehearse.Column{id, {Name: "customer_id", Type: "bigint", NotNull: true},
			{Name: "price", Type: "integer"}}}
	totals := rehearse.Table{Name: "totals", Kind: "view",
		Columns: []rehearse.Column{{Name: "customer_id", Type: "bigint"}, {Name: "total", Type: "numeric"}}}
	key := rehearse.ForeignKey{Table: "orders", Columns: "customer_id", To: "customers"}
	before := rehearse.Schema{Tables: []rehearse.Table{customers, orders, totals}, Keys: []rehearse.ForeignKey{key}}
	customers.Columns = customers.Columns[:2]
	orders.Columns = []rehearse.Column{id, orders.Columns[1], {Name: "price", Type: "numeric"},
		{Name: "ordered_at", Type: "timestamp with time zone", NotNull: true}}
	shipments := rehearse.Table{Name: "shipments", Kind: "table",
		Columns: []rehearse.Column{id, {Name: "order_id", Type: "bigint", NotNull: true},
			{Name: "<b>&\"carrier\"", Type: "text"}}}
	after := rehearse.Schema{
		Tables: []rehearse.Table{customers, orders, shipments, totals},
		Keys:   []rehearse.ForeignKey{key, {Table: "shipments", Columns: "order_id", To: "orders"}},
	}
	return &Review{
		Title: "Ship orders",
		Check: &check.Result{
			Against: "origin/master", Base: "1a2b3c4d5e6f", Tip: "1a2b3c4d5e6f", Linted: 4, Linter: "2.70.0",
			Head:  change.Head{Branch: "ship-orders", Commit: "6f5e4d3c2b1a", Uncommitted: true},
			Texts: exampleTexts,
			Scripts: []check.Script{
				{Script: "V7__prices.sql", Version: "7", Kind: "versioned", Change: "new"},
				{Script: "V8__shipments.sql", Version: "8", Kind: "versioned", Change: "new"},
				{Script: "R__totals.sql", Kind: "repeatable", Change: "edited"},
				{Script: "U7__prices.sql", Version: "7", Kind: "undo", Change: "new"},
			},
			Findings: []check.Finding{
				{Rule: "changing-column-type", Level: check.Error, Script: "V7__prices.sql", Line: 4, Table: "orders",
					Message: "Changing a column type requires an `ACCESS EXCLUSIVE` lock."},
				{Rule: "prefer-text-field", Level: check.Warning, Script: "V8__shipments.sql", Line: 3,
					Message: "Changing the size of a `varchar` field locks.", Help: "Use a `TEXT` field."},
				{Rule: "ban-drop-column", Level: check.Error, Script: "V7__prices.sql", Line: 7,
					Message: "Dropping a column may break existing clients.",
					Waived:  "no release has read it since spring"},
			},
		},
		Rehearsal: &rehearse.Report{
			Against: "origin/master", Server: "17.5", TargetScripts: 6,
			Filled: []rehearse.Filling{{Table: "customers", Rows: 10000}, {Table: "orders", Rows: 10000}},
			Scripts: []rehearse.Script{
				{
					Script: "V7__prices.sql", Version: "7", Transaction: true, DurationMs: 1834,
					Rewritten: []string{"orders"}, Rows: []rehearse.Rows{{Table: "orders", Updated: 10000}},
					Locks: []rehearse.Lock{
						{Table: "orders", Mode: "AccessExclusiveLock", Blocks: "reads and writes", HeldMs: 1790,
							Rows: 10000, Bytes: 3 << 20},
						{Table: "customers", Mode: "ShareRowExclusiveLock", Blocks: "writes", HeldMs: 420, Rows: 10000,
							Bytes: 1 << 20},
						{Table: "totals", Mode: "AccessShareLock", HeldMs: 3},
					},
				},
				{Script: "V8__shipments.sql", Version: "8", DurationMs: 14,
					Locks: []rehearse.Lock{{Table: "orders", Mode: "ShareUpdateExclusiveLock", Blocks: "other DDL",
						HeldMs: 9, Rows: 10000, Bytes: 3 << 20}}},
				{Script: "R__totals.sql", Transaction: true, DurationMs: 6, Locks: []rehearse.Lock{}},
			},
			Undo: []rehearse.Undo{{Script: "U8__shipments.sql", Restores: true},
				{Script: "U7__prices.sql", Diff: "- column public.customers.born date"}},
			Diff:     "- column public.customers.born date\n+ table public.shipments",
			Sampling: rehearse.Sampling{Samples: 900, MedianMs: 5.1, MaxMs: 21},
			Before:   before, After: after,
		},
		Diffs: []Diff{
			{"dev", "Stack slipway-dev\n[~] Custom::FlywayMigration Migration\n └─ [~] .Scripts:\n     └─ [+] " +
				"Added: .V7__prices.sql: 0a1b2c3d\n"}, {"prod", "\n"},
		},
	}
}

// clean is the example without what blocks the merge.
func clean() *Review {
	r := example()
	r.Check.Findings = r.Check.Findings[2:]
	r.Rehearsal.Scripts[0].Rewritten = nil
	r.Rehearsal.Undo[1] = rehearse.Undo{Script: "U7__prices.sql", Restores: true}
	return r
}

// failing is the example whose first script fails, so that the others do not run.
func failing() *Review {
	r := example()
	text := exampleTexts["V7__prices.sql"]
	f := &rehearse.Failure{
		Where: "the new scripts", Code: "MIGRATION_FAILED", Script: "V7__prices.sql", SQLState: "42703",
		Message: `column "born" of relation "customers" does not exist`, Next: "Correct the script.",
	}
	at := strings.LastIndex(text, "born")
	f.Excerpt, f.Line = report.NewExcerpt(text, strings.LastIndex(text, "ALTER"), at, len(text), true)
	h := r.Rehearsal
	h.Failure, h.Undo, h.Diff, h.Before, h.After = f, nil, "", rehearse.Schema{}, rehearse.Schema{}
	h.Scripts = h.Scripts[:1]
	h.Scripts[0].Failed, h.Scripts[0].Rewritten, h.Scripts[0].Rows = true, nil, nil
	return r
}

// many is a branch of 300 scripts, some with findings.
func many() *Review {
	r := example()
	r.Check.Scripts, r.Check.Findings, r.Rehearsal.Scripts, r.Rehearsal.Undo = nil, nil, nil, nil
	r.Check.Texts = map[string]string{}
	for i := range 300 {
		name := fmt.Sprintf("V%d__table_%d.sql", i+10, i)
		r.Check.Scripts = append(r.Check.Scripts, check.Script{Script: name, Kind: "versioned", Change: "new"})
		r.Check.Texts[name] = fmt.Sprintf("CREATE TABLE table_%d (\n%s\tid bigint PRIMARY KEY\n);\n", i,
			strings.Repeat("\tvalue text,\n", i%90))
		r.Rehearsal.Scripts = append(r.Rehearsal.Scripts,
			rehearse.Script{Script: name, Transaction: true, DurationMs: float64(i) / 7})
		if i%60 == 59 {
			r.Check.Findings = append(r.Check.Findings, check.Finding{
				Rule: "prefer-text-field", Level: check.Error, Script: name, Line: 1 + i%90,
				Message: "An error about this line.", Help: "Write it otherwise.",
			})
		}
	}
	return r
}

func TestMarkdown(t *testing.T) {
	const golden = "testdata/comment.md"
	got := example().Markdown(0)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v; the comment is another one than in %s (UPDATE=1 writes it):\n%s", err, golden, got)
	}
}

func TestCommentsAreCutToSize(t *testing.T) {
	r := example()
	r.Diffs[0].Text = strings.Repeat("[+] AWS::Some::Thing größer\n", 5000)
	for range 300 {
		r.Check.Findings = append(r.Check.Findings, r.Check.Findings[0])
		r.Rehearsal.Scripts = append(r.Rehearsal.Scripts, r.Rehearsal.Scripts[0])
		r.Rehearsal.Diff += "\n+ column of some table"
	}
	for _, limit := range []int{CommentLimit, 4000, 600, 50} {
		text := r.Markdown(limit)
		if len(text) > limit || !strings.HasPrefix(text, "## Migration review of Ship orders") {
			t.Errorf("limit %d: %d bytes\n%.200s", limit, len(text), text)
		}
		if limit >= 4000 && (!strings.Contains(text, "more |") || strings.Count(text, "```")%2 != 0) {
			t.Errorf("limit %d: it does not say what was cut, or leaves a block open", limit)
		}
	}
	if len(r.Markdown(0)) < 100000 {
		t.Error("without a limit something was cut")
	}
}

// What comes from the branch is text, not markup.
func TestNothingOfTheBranchIsMarkup(t *testing.T) {
	r := example()
	const evil = "](https://evil.example) <script>alert(1)</script> ``` | x |\n# heading @all ![i](u) *b* " +
		"\x1b[2J\u202e\u200b\u2028\xff"
	r.Title = evil
	r.Check.Findings[0].Script, r.Check.Findings[0].Message, r.Check.Findings[2].Waived = evil, evil, evil
	r.Rehearsal.Scripts[0].Script, r.Rehearsal.Scripts[0].Locks[0].Table = evil, evil
	r.Rehearsal.Undo[1].Diff, r.Rehearsal.Undo[1].Message = evil, evil
	r.Rehearsal.Failure = &rehearse.Failure{Where: "x", Code: "MIGRATION_FAILED", Script: evil, Message: evil,
		Next: evil, Problems: []string{evil}}
	r.Diffs[0] = Diff{evil, evil}
	r.NotMade = []string{evil}
	r.Rehearsal.After.Tables[0].Name = evil
	// The rehearsal may have been made where the branch decides what it says.
	r.Rehearsal.Server, r.Rehearsal.Failure.Code, r.Rehearsal.Filled[0].Table = evil, evil, evil
	lock := &r.Rehearsal.Scripts[0].Locks[0]
	lock.Mode, lock.Blocks = evil, evil
	r.Check.Findings[1].Rule, r.Check.Scripts[2].Change = evil, evil
	text := r.Markdown(0)
	outside := ""
	inBlock := ""
	for line := range strings.Lines(text) {
		if fence := strings.TrimRight(line, "dif\n"); strings.HasPrefix(line, "```") &&
			strings.Trim(fence, "`") == "" && (inBlock == "" || fence == inBlock) {
			if inBlock == "" {
				inBlock = fence
			} else {
				inBlock = ""
			}
			continue
		}
		if inBlock == "" {
			outside += line
		}
	}
	for _, bad := range []string{"<script", "](https://evil", "\n# heading", "![i]"} {
		// Code between backticks is no markup, nor is what a backslash stands before.
		plain := escaped.ReplaceAllString(codeSpan.ReplaceAllString(outside, ""), "")
		if strings.Contains(plain, bad) {
			t.Errorf("the comment holds %q outside code:\n%s", bad, plain)
		}
	}
	for _, word := range []string{"@all", "https://evil"} {
		if strings.Contains(codeSpan.ReplaceAllString(outside, ""), word) {
			t.Errorf("the comment holds %q outside code", word)
		}
	}
	page, err := r.HTML(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := r.WriteJSON(&raw); err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{text, string(page), raw.String()} {
		if !untrusted.AllShows(strings.NewReplacer("\n", "", "\t", "").Replace(output)) {
			t.Error("an output holds what does not show")
		}
	}
	if bytes.Contains(page, []byte("<script")) {
		t.Error("the page holds a script")
	}
}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	escaped  = regexp.MustCompile(`\\.`)
)

// A script that the check refuses and that fails for it is one thing, and so is
// one that fails in another line than the check's error two.
func TestWhatBlocksIsCountedOnce(t *testing.T) {
	r := failing()
	r.Rehearsal.Failure.Line = 4
	for _, c := range []struct {
		code string
		line int
		want string
	}{
		{"MIGRATION_FAILED", 4, "V7__prices.sql:4 changing-column-type"},
		{"BAD_RELEASE", 9, "V7__prices.sql:4 changing-column-type"},
		{"MIGRATION_FAILED", 7, "V7__prices.sql:4 changing-column-type, V7__prices.sql:7 MIGRATION_FAILED: column " +
			"\"born\" of relation \"customers\" does not exist"},
	} {
		r.Rehearsal.Failure.Code, r.Rehearsal.Failure.Line = c.code, c.line
		var got []string
		for _, b := range r.Blockers() {
			got = append(got, b.At()+" "+b.Text)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s in line %d: %q, want %q", c.code, c.line, got, c.want)
		}
	}
}

// Nothing is green that was not measured to its end, and a time on made-up rows
// is no figure of the page's head.
func TestFigures(t *testing.T) {
	list := func(r *Review) string {
		var parts []string
		for _, f := range r.facts() {
			parts = append(parts, strings.TrimSpace(f.Value+" "+f.Label+" "+f.Tone))
		}
		return strings.Join(parts, "; ")
	}
	unmeasured := clean()
	unmeasured.Check.Linter, unmeasured.Rehearsal.Scripts, unmeasured.Rehearsal.Undo = "", nil, nil
	restored := clean()
	restored.Rehearsal.Restored = true
	for want, r := range map[string]*Review{
		"0 errors good; 0 warnings; 3 scripts ran; 1 table locked against reads and writes warn; 0 tables rewritten good; 2 of 2 undo scripts restore the schema good":                                               clean(),
		"1 error bad; 1 warning warn; 0 scripts ran; 1 script failed bad; 1 table locked against reads and writes warn; 0 tables rewritten":                                                                          failing(),
		"0 errors; 0 warnings; 0 scripts ran; 0 tables locked against reads and writes; 0 tables rewritten":                                                                                                          unmeasured,
		"0 errors good; 0 warnings; 3 scripts ran; 1 table locked against reads and writes warn; 1.8 s longest of these locks, on orders warn; 0 tables rewritten good; 2 of 2 undo scripts restore the schema good": restored,
	} {
		if got := list(r); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// Findings stand at their lines, with what was measured and the waiver; a line
// that fails has its place marked.
func TestScriptsOnThePage(t *testing.T) {
	html := func(r *Review) string {
		page, err := r.HTML(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	unwritten := example()
	unwritten.Rehearsal.Scripts[0].Rewritten = nil
	long := example()
	long.Check.Texts = maps.Clone(exampleTexts)
	long.Check.Texts["V7__prices.sql"] = strings.Repeat("SELECT 1;\n", 500)
	long.Check.Findings[0].Line = 300
	for name, c := range map[string]struct {
		page string
		want []string
	}{
		"a finding": {html(example()), []string{
			"<i>4</i><code>ALTER TABLE orders ALTER COLUMN price TYPE numeric;</code></div>\n<div class=\"finding " +
				"error\">",
			"AccessExclusive locked orders, which keeps out reads and writes, for 1.8 s at most on 10,000 made-up " +
				"rows. The table was rewritten",
			"-- slipway:allow changing-column-type because …", "Waived because no release has read it since spring",
		}},
		"no rewrite": {html(unwritten), []string{"The table was not rewritten. The linter reads the statement " +
			"alone"}},
		"a failed script": {html(failing()), []string{"DROP COLUMN <mark>born</mark>;", "SQLSTATE 42703",
			"script failed"}},
		"a long script": {html(long), []string{"2 lines are left out", "284 lines are left out", "<i>304</i>",
			"196 lines are left out"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
	}
	if got := html(failing()); strings.Contains(got, "Measured:") {
		t.Error("a failed script counts as measured")
	}
}

func TestVerdicts(t *testing.T) {
	for want, r := range map[string]*Review{
		"no script differs":           {},
		"nothing blocks the merge":    {Check: &check.Result{Scripts: []check.Script{{Script: "V1__x.sql"}}}},
		"1 thing blocks the merge":    {Rehearsal: &rehearse.Report{Failure: &rehearse.Failure{}}},
		"2 things block the merge":    example(),
		"could not be judged in full": {NotMade: []string{"no linter"}},
	} {
		if got := r.Verdict(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if r.OK() != (want == "no script differs" || want == "nothing blocks the merge") {
			t.Errorf("%q: OK is %t", want, r.OK())
		}
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil || !json.Valid(out.Bytes()) {
			t.Error(err)
		}
		if _, err := r.HTML(t.Context()); err != nil {
			t.Error(err)
		}
		if r.Markdown(CommentLimit) == "" {
			t.Error("an empty comment")
		}
	}
}
