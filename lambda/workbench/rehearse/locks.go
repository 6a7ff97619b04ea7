package rehearse

import (
	"cmp"
	"slices"
)

// modes are PostgreSQL's table locks, the weakest first.
var modes = []string{
	"AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
	"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
}

func strength(mode string) int { return slices.Index(modes, mode) }

// blocks says whom a lock keeps out of the table.
func blocks(mode string) string {
	switch strength(mode) {
	case 7:
		return "reads and writes"
	case 6, 5, 4:
		return "writes"
	case 3:
		return "other DDL"
	}
	return ""
}

// measured fills in locks, rewrites and rows. known is brought up to date.
func (r *Script) measured(w *window, samples []sample, known map[int64]table) {
	strongest := map[int64]string{}
	waited := map[int64]bool{}
	take := func(oid int64, mode string) {
		if now, ok := strongest[oid]; !ok || strength(mode) > strength(now) {
			strongest[oid] = mode
		}
	}
	for _, m := range w.messages {
		if m.Kind == "lock" {
			take(m.OID, m.Mode)
		}
	}
	for _, s := range samples {
		if s.at < w.begin || s.at > w.end {
			continue
		}
		for _, h := range s.locks {
			if h.granted {
				take(h.oid, h.mode)
			} else {
				waited[h.oid] = true
			}
		}
	}
	for oid, t := range known {
		if slices.Contains(w.implied, t.name) {
			take(oid, "ShareUpdateExclusiveLock")
		}
	}
	for _, oid := range r.rewrites(w, known) {
		take(oid, "AccessExclusiveLock") // nothing less allows it, seen or not
	}
	for oid, mode := range strongest {
		t, ok := known[oid]
		if !ok || t.made {
			continue
		}
		r.Locks = append(r.Locks, Lock{
			Table: t.name, Mode: mode, Blocks: blocks(mode), Rows: max(0, t.rows), Bytes: t.bytes, Waited: waited[oid],
			HeldMs: heldFor(w, samples, oid, mode),
		})
	}
	slices.SortFunc(r.Locks, func(a, b Lock) int {
		return cmp.Or(strength(b.Mode)-strength(a.Mode), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Table, b.Table))
	})
	r.touched(w, known)
}

// heldFor is how long the lock can have been held at most: from the last
// sample that does not show it. Inside a transaction it is held to the end;
// outside, to the first sample without it, and one that no sample shows was
// held for one pause between samples at most.
func heldFor(w *window, samples []sample, oid int64, mode string) float64 {
	from, to, last, longest := w.begin, w.end, w.begin, int64(0)
	seen := false
	for _, s := range samples {
		if s.at < w.begin || s.at > w.end {
			continue
		}
		longest = max(longest, s.at-last)
		last = s.at
		holds := slices.ContainsFunc(s.locks, func(h held) bool { return h.oid == oid && h.mode == mode && h.granted })
		switch {
		case holds:
			seen = true
			to = w.end
		case !seen:
			from = s.at
		case w.outside && to == w.end:
			to = s.at
		}
	}
	if w.outside && !seen {
		return ms(max(longest, w.end-last))
	}
	return ms(max(0, to-from))
}

// rewrites compares the files of tables, and answers those that are other ones
// now. A table that is empty now and was not has been truncated.
func (r *Script) rewrites(w *window, known map[int64]table) (changed []int64) {
	note := func(m message) {
		t, ok := known[m.OID]
		if !ok || t.made || m.Node == 0 || t.node == 0 || m.Node == t.node {
			return
		}
		if m.Size != nil && *m.Size == 0 && t.bytes > 0 && t.rows != 0 {
			r.Emptied = append(r.Emptied, t.name)
		} else {
			r.Rewritten = append(r.Rewritten, t.name)
		}
		t.node = m.Node
		known[m.OID] = t
		changed = append(changed, m.OID)
	}
	for _, m := range w.messages {
		if m.Kind == "lock" || m.Kind == "count" {
			note(m)
		}
	}
	slices.Sort(r.Rewritten)
	slices.Sort(r.Emptied)
	return changed
}

// touched lists rows, of new tables as well. Outside a transaction they are
// what the counters of the tables grew by.
func (r *Script) touched(w *window, known map[int64]table) {
	for _, m := range w.messages {
		if m.Kind != "rows" && m.Kind != "count" {
			continue
		}
		t, ok := known[m.OID]
		if !ok {
			t = table{name: withoutPublic(m.Name), made: true}
		}
		if m.Kind == "count" {
			m.Ins, m.Upd, m.Del = m.Ins-t.ins, m.Upd-t.upd, m.Del-t.del
		}
		t.ins, t.upd, t.del = t.ins+m.Ins, t.upd+m.Upd, t.del+m.Del
		known[m.OID] = t
		if m.Ins+m.Upd+m.Del > 0 {
			r.Rows = append(r.Rows, Rows{t.name, m.Ins, m.Upd, m.Del})
		}
	}
	slices.SortFunc(r.Rows, func(a, b Rows) int { return cmp.Compare(a.Table, b.Table) })
}
