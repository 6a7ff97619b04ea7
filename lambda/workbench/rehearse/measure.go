package rehearse

import (
	"context"
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
	rows, err := x.db.Query(ctx, `SELECT c.oid::bigint, CASE WHEN nspname = 'public' THEN '' ELSE nspname || '.' END || c.relname, coalesce(pg_relation_filenode(c.oid), 0)::bigint,
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
	_, err = pgx.ForEachRow(rows, []any{&oid, &t.name, &t.node, &t.rows, &t.bytes, &t.ins, &t.upd, &t.del}, func() error {
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
	if err := o.end(ctx); err != nil && ctx.Err() == nil {
		x.warn("the locks were not watched to the end: " + err.Error())
	}
	x.add(s, rep, o, known)
	if failure != nil {
		x.fail("the new scripts", rep)
		return false, notMade(failure)
	}
	return true, nil
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

// windows cuts the messages into scripts.
func windows(messages []message) []*window {
	var list []*window
	var w *window
	for _, m := range messages {
		if m.Kind == "begin" {
			w = &window{begin: m.At}
			list = append(list, w)
		}
		if w == nil {
			continue
		}
		switch m.Kind {
		case "end":
			w.end, w.ended, w.outside = m.At, true, !m.Inside
		case "lock", "rows", "count":
			w.messages = append(w.messages, m)
		}
	}
	return list
}

// add turns the observations of one start of Flyway into script results.
func (x *rehearsal) add(s *step, rep *report.Report, o *observer, known map[int64]table) {
	x.report.Sampling = widest(x.report.Sampling, sampling(o.samples))
	// The history is Flyway's own.
	list := windows(slices.DeleteFunc(o.messages, func(m message) bool { return strings.HasSuffix(m.Name, "."+x.Table) }))
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
		} else {
			x.warn("some scripts were not measured, for their reports did not arrive")
		}
		x.report.Scripts = append(x.report.Scripts, result)
	}
	if rep.Script == "" || len(o.samples) == 0 || rep.Code != report.MigrationFailed && rep.Code != report.Locked {
		return // nothing failed, or not while it ran
	}
	// What a failed script held is known from samples only.
	w := &window{begin: before, end: o.samples[len(o.samples)-1].at, outside: true}
	result := Script{Script: rep.Script, Transaction: !outside[rep.Script], Failed: true, Locks: []Lock{}, DurationMs: 0}
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
