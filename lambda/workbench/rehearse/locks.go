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
	for oid, mode := range strongest {
		t, ok := known[oid]
		if !ok {
			continue // made by this step: nobody waits for it
		}
		r.Locks = append(r.Locks, Lock{
			Table: t.name, Mode: mode, Blocks: blocks(mode), Rows: max(0, t.rows), Bytes: t.bytes, Waited: waited[oid],
			HeldMs: heldFor(w, samples, oid, mode),
		})
	}
	slices.SortFunc(r.Locks, func(a, b Lock) int {
		return cmp.Or(strength(b.Mode)-strength(a.Mode), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Table, b.Table))
	})
	r.rewrites(w, known)
	r.touched(w, known)
}

// heldFor is how long the lock can have been held at most: from the last
// sample that does not show it. Inside a transaction it is held to the end;
// outside, to the first sample without it.
func heldFor(w *window, samples []sample, oid int64, mode string) float64 {
	from, to := w.begin, w.end
	seen := false
	for _, s := range samples {
		if s.at < w.begin || s.at > w.end {
			continue
		}
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
	return ms(max(0, to-from))
}

// rewrites compares the files of tables. A table that is empty now and was not
// has been truncated.
func (r *Script) rewrites(w *window, known map[int64]table) {
	note := func(m message) {
		t, ok := known[m.OID]
		if !ok || m.Node == 0 || t.node == 0 || m.Node == t.node {
			return
		}
		if m.Size != nil && *m.Size == 0 && t.bytes > 0 && t.rows != 0 {
			r.Emptied = append(r.Emptied, t.name)
		} else {
			r.Rewritten = append(r.Rewritten, t.name)
		}
		t.node = m.Node
		known[m.OID] = t
	}
	for _, m := range w.messages {
		if m.Kind == "lock" {
			note(m)
		}
	}
	for _, m := range w.counts[1] {
		note(m)
	}
	slices.Sort(r.Rewritten)
	slices.Sort(r.Emptied)
}

// touched lists rows, of new tables as well.
func (r *Script) touched(w *window, known map[int64]table) {
	add := func(m message, name string) {
		if t, ok := known[m.OID]; ok {
			name = t.name
		}
		if name != "" && m.Ins+m.Upd+m.Del > 0 {
			r.Rows = append(r.Rows, Rows{name, m.Ins, m.Upd, m.Del})
		}
	}
	for _, m := range w.messages {
		if m.Kind == "rows" {
			add(m, withoutPublic(m.Name))
		}
	}
	for oid, after := range w.counts[1] {
		before := w.counts[0][oid]
		after.Ins, after.Upd, after.Del = after.Ins-before.Ins, after.Upd-before.Upd, after.Del-before.Del
		add(after, "")
	}
	slices.SortFunc(r.Rows, func(a, b Rows) int { return cmp.Compare(a.Table, b.Table) })
}
