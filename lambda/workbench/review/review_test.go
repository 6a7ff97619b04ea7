package review

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// example is a review with something of everything.
func example() *Review {
	id := rehearse.Column{Name: "id", Type: "bigint", NotNull: true, Primary: true}
	customers := rehearse.Table{Name: "customers", Kind: "table", Columns: []rehearse.Column{id, {Name: "name", Type: "character varying(20)", NotNull: true}, {Name: "born", Type: "date"}}}
	orders := rehearse.Table{Name: "orders", Kind: "table", Columns: []rehearse.Column{id, {Name: "customer_id", Type: "bigint", NotNull: true}, {Name: "price", Type: "integer"}}}
	totals := rehearse.Table{Name: "totals", Kind: "view", Columns: []rehearse.Column{{Name: "customer_id", Type: "bigint"}, {Name: "total", Type: "numeric"}}}
	key := rehearse.ForeignKey{Table: "orders", Columns: "customer_id", To: "customers"}
	before := rehearse.Schema{Tables: []rehearse.Table{customers, orders, totals}, Keys: []rehearse.ForeignKey{key}}
	customers.Columns = customers.Columns[:2]
	orders.Columns = []rehearse.Column{id, orders.Columns[1], {Name: "price", Type: "numeric"}, {Name: "ordered_at", Type: "timestamp with time zone", NotNull: true}}
	shipments := rehearse.Table{Name: "shipments", Kind: "table", Columns: []rehearse.Column{id, {Name: "order_id", Type: "bigint", NotNull: true}, {Name: "<b>&\"carrier\"", Type: "text"}}}
	after := rehearse.Schema{
		Tables: []rehearse.Table{customers, orders, shipments, totals},
		Keys:   []rehearse.ForeignKey{key, {Table: "shipments", Columns: "order_id", To: "orders"}},
	}
	return &Review{
		Title: "Ship orders",
		Check: &check.Result{
			Against: "origin/master", Base: "1a2b3c4d5e6f", Tip: "1a2b3c4d5e6f", Linted: 4, Linter: "2.70.0",
			Scripts: []check.Script{
				{Script: "V7__prices.sql", Version: "7", Kind: "versioned", Change: "new"}, {Script: "V8__shipments.sql", Version: "8", Kind: "versioned", Change: "new"},
				{Script: "R__totals.sql", Kind: "repeatable", Change: "edited"}, {Script: "U7__prices.sql", Version: "7", Kind: "undo", Change: "new"},
			},
			Findings: []check.Finding{
				{Rule: "changing-column-type", Level: check.Error, Script: "V7__prices.sql", Line: 3, Message: "Changing a column type requires an `ACCESS EXCLUSIVE` lock."},
				{Rule: "prefer-text-field", Level: check.Warning, Script: "V8__shipments.sql", Line: 4, Message: "Changing the size of a `varchar` field locks.", Help: "Use a `TEXT` field."},
				{Rule: "ban-drop-column", Level: check.Error, Script: "V7__prices.sql", Line: 5, Message: "Dropping a column may break existing clients.", Waived: "no release has read it since spring"},
			},
		},
		Rehearsal: &rehearse.Report{
			Against: "origin/master", Server: "17.5", TargetScripts: 6, Filled: []rehearse.Filling{{Table: "customers", Rows: 10000}, {Table: "orders", Rows: 10000}},
			Scripts: []rehearse.Script{
				{
					Script: "V7__prices.sql", Version: "7", Transaction: true, DurationMs: 1834, Rewritten: []string{"orders"}, Rows: []rehearse.Rows{{Table: "orders", Updated: 10000}},
					Locks: []rehearse.Lock{
						{Table: "orders", Mode: "AccessExclusiveLock", Blocks: "reads and writes", HeldMs: 1790, Rows: 10000, Bytes: 3 << 20},
						{Table: "customers", Mode: "ShareRowExclusiveLock", Blocks: "writes", HeldMs: 420, Rows: 10000, Bytes: 1 << 20},
						{Table: "totals", Mode: "AccessShareLock", HeldMs: 3},
					},
				},
				{Script: "V8__shipments.sql", Version: "8", DurationMs: 14, Locks: []rehearse.Lock{{Table: "orders", Mode: "ShareUpdateExclusiveLock", Blocks: "other DDL", HeldMs: 9, Rows: 10000, Bytes: 3 << 20}}},
				{Script: "R__totals.sql", Transaction: true, DurationMs: 6, Locks: []rehearse.Lock{}},
			},
			Undo:     []rehearse.Undo{{Script: "U8__shipments.sql", Restores: true}, {Script: "U7__prices.sql", Diff: "- column public.customers.born date"}},
			Diff:     "- column public.customers.born date\n+ table public.shipments",
			Sampling: rehearse.Sampling{Samples: 900, MedianMs: 5.1, MaxMs: 21},
			Before:   before, After: after,
		},
		Diffs: []Diff{
			{"dev", "Stack slipway-dev\n[~] Custom::FlywayMigration Migration\n └─ [~] .Scripts:\n     └─ [+] Added: .V7__prices.sql: 0a1b2c3d\n"}, {"prod", "\n"},
		},
	}
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
	const evil = "](https://evil.example) <script>alert(1)</script> ``` | x |\n# heading @all ![i](u) *b* \x1b[2J\u202e\u200b\u2028\xff"
	r.Title = evil
	r.Check.Findings[0].Script, r.Check.Findings[0].Message, r.Check.Findings[2].Waived = evil, evil, evil
	r.Rehearsal.Scripts[0].Script, r.Rehearsal.Scripts[0].Locks[0].Table = evil, evil
	r.Rehearsal.Undo[1].Diff, r.Rehearsal.Undo[1].Message = evil, evil
	r.Rehearsal.Failure = &rehearse.Failure{Where: "x", Code: "MIGRATION_FAILED", Script: evil, Message: evil, Next: evil, Problems: []string{evil}}
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
		if fence := strings.TrimRight(line, "dif\n"); strings.HasPrefix(line, "```") && strings.Trim(fence, "`") == "" && (inBlock == "" || fence == inBlock) {
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

func TestVerdicts(t *testing.T) {
	for want, r := range map[string]*Review{
		"no script differs":           {},
		"nothing blocks the merge":   {Check: &check.Result{Scripts: []check.Script{{Script: "V1__x.sql"}}}},
		"1 thing blocks the merge":   {Rehearsal: &rehearse.Report{Failure: &rehearse.Failure{}}},
		"2 things block the merge":   example(),
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
