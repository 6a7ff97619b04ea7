package rehearse

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"
)

// prober does, from outside, what an application would: it tries a statement
// every few milliseconds and notes for how long it is kept out.
type prober struct {
	first, last time.Time // of the tries that were kept out
}

func (p *prober) run(ctx context.Context, t *testing.T, o Options, statement string) {
	conn, err := connect(ctx, o.Target)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx,
		"RESET search_path; SET lock_timeout = '2ms'; SET application_name = 'prober'"); err != nil {
		t.Error(err)
	}
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begun := time.Now()
		if _, err := conn.Exec(ctx, statement); err == nil || ctx.Err() != nil {
			continue
		}
		if p.first.IsZero() {
			p.first = begun
		}
		p.last = time.Now()
	}
}

// The script lets a while pass before each lock, so that the three have
// durations of their own, and holds them to its end.
func TestLocksAgreeWithWhatAnApplicationSees(t *testing.T) {
	o := options(t)
	o.Undo = false
	base := files{"V1__t.sql": "CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);"}
	script := files{"V2__locks.sql": `SELECT pg_sleep(0.3);
CREATE INDEX ON a (id);
SELECT pg_sleep(0.4);
ALTER TABLE b ADD COLUMN x int;
SELECT pg_sleep(0.5);
UPDATE c SET id = id + 1;
SELECT pg_sleep(0.2);`}
	probes := map[string]*prober{
		"UPDATE a SET id = id WHERE false": {}, "SELECT FROM b LIMIT 1": {}, "UPDATE c SET id = id WHERE false": {},
		"SELECT FROM a LIMIT 1": {},
	}
	// Made before, or the probes would fail without the tables.
	if _, err := Run(t.Context(), changeOf(base, nil), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var probing sync.WaitGroup
	for statement, p := range probes {
		probing.Go(func() { p.run(ctx, t, o, statement) })
	}
	r := rehearsed(t, o, base, script)
	cancel()
	probing.Wait()
	if len(r.Scripts) != 1 || len(r.Scripts[0].Locks) != 3 {
		t.Fatalf("told\n%s", told(r))
	}
	held := map[string]float64{}
	for _, l := range r.Scripts[0].Locks {
		held[l.Table] = l.HeldMs
	}
	for statement, table := range map[string]string{"UPDATE a SET id = id WHERE false": "a",
		"SELECT FROM b LIMIT 1": "b"} {
		p := probes[statement]
		outside := float64(p.last.Sub(p.first).Microseconds()) / 1000
		t.Logf("%s: held %.0f ms as reported, %.0f ms as an application sees it", table, held[table], outside)
		// Each side sees the begin by one of its looks, on a busy machine late.
		if math.Abs(held[table]-outside) > 250+2*r.Sampling.MaxMs {
			t.Errorf("%s: held %.1f ms as reported, %.1f ms from outside", table, held[table], outside)
		}
	}
	for _, statement := range []string{"UPDATE c SET id = id WHERE false", "SELECT FROM a LIMIT 1"} {
		if p := probes[statement]; !p.first.IsZero() {
			t.Errorf("%s was kept out, and the report has %s", statement, told(r))
		}
	}
	if d := r.Scripts[0].DurationMs; d < 1400 || d > 1400+600 {
		t.Errorf("the script took %.0f ms, and sleeps for 1,400", d)
	}
	if c := held["c"]; c < 200 || c > 500 {
		t.Errorf("c was held for %.0f ms of the last 200", c)
	}
}

// A lock that was held too shortly for any sample is reported all the same.
func TestNoLockIsMissed(t *testing.T) {
	o := options(t)
	o.Undo, o.Rows = false, 0
	const n = 60
	base, want := files{}, 0
	branch := files{}
	tables := ""
	for i := range n {
		tables += fmt.Sprintf("CREATE TABLE t%d (id int);\n", i)
		branch[fmt.Sprintf("V%d__x.sql", i+2)] = fmt.Sprintf("ALTER TABLE t%d ADD COLUMN x int;", i)
		want++
	}
	base["V1__t.sql"] = tables
	r := rehearsed(t, o, base, branch)
	for i, s := range r.Scripts {
		if len(s.Locks) != 1 || s.Locks[0].Table != fmt.Sprintf("t%d", i) || s.Locks[0].Mode != "AccessExclusiveLock" ||
			s.Locks[0].HeldMs > s.DurationMs+1 {
			t.Errorf("%s: %+v", s.Script, s.Locks)
		}
	}
	if len(r.Scripts) != want {
		t.Errorf("%d scripts, want %d", len(r.Scripts), want)
	}
}
