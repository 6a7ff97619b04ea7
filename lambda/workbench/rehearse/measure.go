package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// table is a relation as it was before a step.
type table struct {
	name  string
	node  int64
	rows  int64 // estimated, -1 when unknown
	bytes int64
	// ins, upd and del count rows since the statistics began.
	ins, upd, del int64
	made          bool // by the branch: nobody waits for it
}

// tables are all tables, partitioned tables, views and materialized views.
func (x *rehearsal) tables(ctx context.Context) (map[int64]table, error) {
	rows, err := x.db.Query(ctx,
		`SELECT c.oid::bigint, CASE WHEN nspname = 'public' THEN '' ELSE nspname || '.' END || c.relname, coalesce(pg_relation_filenode(c.oid), 0)::bigint,
			reltuples::bigint, CASE WHEN relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) ELSE 0 END,
			coalesce(n_tup_ins, 0), coalesce(n_tup_upd, 0), coalesce(n_tup_del, 0)
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
		WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' AND c.relname <> $1`, x.Table)
	if err != nil {
		return nil, err
	}
	all := map[int64]table{}
	var oid int64
	var t table
	_, err = pgx.ForEachRow(rows, []any{&oid, &t.name, &t.node, &t.rows, &t.bytes, &t.ins, &t.upd, &t.del},
		func() error {
			all[oid] = t
			return nil
		})
	return all, err
}

// measure runs one step and adds what its scripts did to the report. ok is
// false when a script failed.
func (x *rehearsal) measure(ctx context.Context, s *step) (ok bool, err error) {
	known, err := x.tables(ctx)
	if err != nil {
		return false, err
	}
	if x.first == nil {
		x.first = maps.Clone(known)
	}
	for oid, t := range known {
		if _, there := x.first[oid]; !there {
			t.made = true
			known[oid] = t
		}
	}
	o, err := x.observe(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case len(s.adds) == 1:
		x.Progress("running %s", s.adds[0].Path)
	case len(s.adds) > 1:
		x.Progress("running %d new scripts in one go", len(s.adds))
	default:
		x.Progress("running the repeatable scripts")
	}
	rep, failure := x.migrate(ctx, migrator.Request{Command: "migrate"}, x.stage, x.callbacks)
	o.await(ctx, len(rep.Applied))
	broken := o.end(ctx)
	// The history is Flyway's own.
	list, err := windows(slices.DeleteFunc(o.messages, func(m message) bool {
		return strings.HasSuffix(m.Name, "."+x.Table)
	}))
	broken = errors.Join(broken, err)
	x.add(s, rep, o, list, known)
	if failure != nil {
		x.fail("the new scripts", rep)
		return false, notMade(failure)
	}
	if broken == nil && len(list) != len(rep.Applied) {
		broken = fmt.Errorf("%d scripts ran, and %d reported", len(rep.Applied), len(list))
	}
	if broken != nil && ctx.Err() == nil {
		x.notMeasured(rep, broken)
		return false, nil
	}
	return true, x.late(ctx, known)
}

// notMeasured is the failure of a step whose scripts ran, but whose reports are
// not those of the callbacks alone, or not all.
func (x *rehearsal) notMeasured(rep *report.Report, why error) {
	f := &Failure{
		Where: "the new scripts", Code: "NOT_MEASURED", Message: "what the script did was not measured: " + why.Error(),
		Next: "Take out of it what ends other sessions, ends its transaction, or sends messages in the rehearsal's " +
			"name.",
	}
	if len(rep.Applied) > 0 {
		f.Script = rep.Applied[len(rep.Applied)-1].Script
	}
	x.report.Failure = f
}

// late adds to the last script what changed a table after its report: another
// file is a rewrite that the callbacks were not told of.
func (x *rehearsal) late(ctx context.Context, known map[int64]table) error {
	now, err := x.tables(ctx)
	if err != nil || len(x.report.Scripts) == 0 {
		return err
	}
	last := &x.report.Scripts[len(x.report.Scripts)-1]
	for oid, t := range now {
		was, there := known[oid]
		if !there || was.made || was.node == 0 || t.node == 0 || was.node == t.node {
			continue
		}
		last.Rewritten = append(last.Rewritten, t.name)
		mode := "AccessExclusiveLock" // nothing less allows it
		last.Locks = append(last.Locks, Lock{Table: t.name, Mode: mode, Blocks: blocks(mode), Rows: max(0, was.rows),
			Bytes: was.bytes})
	}
	slices.Sort(last.Rewritten)
	return nil
}

func (x *rehearsal) warn(text string) {
	if !slices.Contains(x.report.Warnings, text) {
		x.report.Warnings = append(x.report.Warnings, text)
	}
}

// window is the time of one script, with what the callbacks said in it.
type window struct {
	begin, end int64
	messages   []message
	outside    bool // the script ran outside a transaction, or in several
	ended      bool
	implied    []string // tables that its statements are known to lock
}

// windows cuts the messages into scripts. Its error is about the first that
// does not stand where the callbacks send it.
func windows(messages []message) ([]*window, error) {
	var list []*window
	var w *window
	var pid int
	var xact int64
	state := "done" // the last one that tells where in a script's window we are
	for _, m := range messages {
		switch {
		case m.Kind == "begin" && state == "done":
			w = &window{begin: m.At}
			list = append(list, w)
			pid, xact = m.PID, m.Xact
		case m.Kind == "end" && state == "begin" && m.PID == pid:
			w.end, w.ended, w.outside = m.At, true, m.Xact != xact
		case m.Kind == "done" && state == "end" && m.PID == pid:
		case slices.Contains([]string{"lock", "rows", "count"}, m.Kind) && state == "end":
			if w.outside == (m.Kind == "count") {
				w.messages = append(w.messages, m)
			}
			continue
		default:
			return list, fmt.Errorf("a report came out of its order (%q)", m.Kind)
		}
		state = m.Kind
	}
	return list, nil
}

// add turns the observations of one start of Flyway into script results.
func (x *rehearsal) add(s *step, rep *report.Report, o *observer, list []*window, known map[int64]table) {
	x.report.Sampling = widest(x.report.Sampling, sampling(o.samples))
	var before int64 // when the last script ended
	if len(o.samples) > 0 {
		before = o.samples[0].at
	}
	outside := x.outside()
	for i, applied := range rep.Applied {
		result := Script{
			Script: applied.Script, Version: applied.Version, Description: applied.Description,
			Transaction: !outside[applied.Script], DurationMs: float64(applied.Milliseconds), Locks: []Lock{},
		}
		if i < len(list) && list[i].ended {
			w := list[i]
			if w.outside {
				w.implied = implied(string(s.tree[applied.Script].Data))
			}
			result.DurationMs = ms(w.end - w.begin)
			result.measured(w, o.samples, known)
			before = w.end
		}
		x.report.Scripts = append(x.report.Scripts, result)
	}
	if rep.Script == "" || len(o.samples) == 0 || rep.Code != report.MigrationFailed && rep.Code != report.Locked {
		return // nothing failed, or not while it ran
	}
	// What a failed script held is known from samples only.
	w := &window{begin: before, end: o.samples[len(o.samples)-1].at, outside: true}
	result := Script{Script: rep.Script, Transaction: !outside[rep.Script], Failed: true, Locks: []Lock{},
		DurationMs: 0}
	for _, m := range o.messages {
		if m.Kind == "begin" && m.At > before {
			w.begin = m.At
		}
	}
	if first, last, ok := busy(o.samples, w); ok {
		result.DurationMs = ms(last - first)
	}
	for _, e := range s.adds {
		if e.Path == rep.Script {
			result.Version, result.Description = e.Version.String(), e.Description
		}
	}
	result.measured(w, o.samples, known)
	x.report.Scripts = append(x.report.Scripts, result)
}

// outside are the scripts of the stage that run outside a transaction.
func (x *rehearsal) outside() map[string]bool {
	m := map[string]bool{}
	set, err := script.LoadEncoded(x.Encoding, x.stage)
	if err != nil {
		return m // then nothing ran
	}
	for _, f := range slices.Concat(set.Versioned, set.Baselines, set.Repeatable) {
		m[f.Script] = f.NoTransaction
	}
	return m
}

// widest joins what two observers achieved.
func widest(a, b Sampling) Sampling {
	if b.Samples < 2 {
		return a
	}
	return Sampling{Samples: a.Samples + b.Samples, MedianMs: max(a.MedianMs, b.MedianMs), MaxMs: max(a.MaxMs, b.MaxMs)}
}

// busy is when the samples of a window show locks, first and last.
func busy(samples []sample, w *window) (first, last int64, ok bool) {
	for _, s := range samples {
		if s.at < w.begin || s.at > w.end || len(s.locks) == 0 {
			continue
		}
		if !ok {
			first, ok = s.at, true
		}
		last = s.at
	}
	return first, last, ok
}
