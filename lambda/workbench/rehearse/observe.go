package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// message is one report of the callbacks.
type message struct {
	Nonce         string
	Kind          string `json:"k"`
	At            int64  // microseconds
	Xact          int64  // when the transaction began: begin and end
	PID           int    // of the session: begin, end and done
	OID           int64
	Mode          string
	Node          int64 // the file that holds the relation; another one after a rewrite
	Size          *int64
	Name          string
	Ins, Upd, Del int64
}

// sample is one look at pg_locks.
type sample struct {
	at    int64
	locks []held
}

type held struct {
	pid     int
	oid     int64
	mode    string
	granted bool
}

// observer listens to the callbacks and samples the locks of the run's sessions.
type observer struct {
	listener, sampler *pgx.Conn
	secrets           secrets
	own               []int32 // sessions of the rehearsal, which are not watched
	flyways           []int32 // sessions seen under Flyway's name, of the sampler alone
	quit              chan struct{}
	done              sync.WaitGroup

	mu       sync.Mutex
	messages []message
	arrived  chan struct{} // a message came
	samples  []sample
	err      error
}

// pause between two samples. The query itself takes about a millisecond.
const pause = 5 * time.Millisecond

// observe begins to watch. On a throw-away server it does so as the superuser:
// what a superuser's session does, a script can neither see nor end.
func (x *rehearsal) observe(ctx context.Context) (*observer, error) {
	o := &observer{quit: make(chan struct{}), arrived: make(chan struct{}, 1), secrets: x.secrets}
	target := x.Target
	if x.Admin.Host != "" {
		target = x.Admin
	}
	var err error
	if o.listener, err = connect(ctx, target); err != nil {
		return nil, err
	}
	if o.sampler, err = connect(ctx, target); err != nil {
		o.listener.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the other error counts
		return nil, err
	}
	for _, c := range []*pgx.Conn{x.db, o.listener, o.sampler} {
		o.own = append(o.own, int32(c.PgConn().PID())) //nolint:gosec // a process id
	}
	if _, err = o.listener.Exec(ctx, "LISTEN "+x.secrets.channel); err == nil {
		// A session's last statement is there to be read by others of its role.
		_, err = o.listener.Exec(ctx, "SELECT 1")
	}
	if err != nil {
		o.close(ctx)
		return nil, err
	}
	listening, stop := context.WithCancel(ctx)
	o.done.Go(func() { o.listen(listening) })
	o.done.Go(func() { o.watch(ctx); stop() })
	return o, nil
}

func (o *observer) listen(ctx context.Context) {
	for {
		n, err := o.listener.WaitForNotification(ctx)
		if err != nil {
			if ctx.Err() == nil {
				o.fail(err)
			}
			return
		}
		var m message
		if json.Unmarshal([]byte(n.Payload), &m) != nil || m.Nonce != o.secrets.nonce {
			o.fail(errForged)
			return
		}
		o.mu.Lock()
		o.messages = append(o.messages, m)
		o.mu.Unlock()
		select {
		case o.arrived <- struct{}{}:
		default:
		}
	}
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	o.err = errors.Join(o.err, err)
	o.mu.Unlock()
}

// errForged: somebody else spoke on the rehearsal's channel.
var errForged = errors.New("a message came that is not the rehearsal's own")

// sampled are the locks of Flyway's sessions, and of such that went by their
// name before ($2): a script can change it. PostgreSQL's own catalogs are left
// out, whose locks are short.
const sampled = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, a.pid, coalesce(l.relation, 0)::bigint, coalesce(l.mode, ''), coalesce(l.granted, true)
FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type IN ('client backend', 'parallel worker') AND pid <> ALL ($1)
	AND (starts_with(application_name, 'slipway/') OR pid = ANY ($2))) a
LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'relation' AND l.relation >= 16384
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0, 0, '', true`

func (o *observer) watch(ctx context.Context) {
	t := time.NewTicker(pause)
	defer t.Stop()
	for {
		select {
		case <-o.quit:
			return
		case <-ctx.Done():
			return
		case <-t.C:
		}
		s, err := o.sample(ctx)
		if err != nil {
			if ctx.Err() == nil {
				o.fail(err)
			}
			return
		}
		o.mu.Lock()
		o.samples = append(o.samples, s)
		o.mu.Unlock()
	}
}

func (o *observer) sample(ctx context.Context) (s sample, err error) {
	rows, err := o.sampler.Query(ctx, sampled, o.own, o.flyways)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	for rows.Next() {
		var h held
		if err := rows.Scan(&s.at, &h.pid, &h.oid, &h.mode, &h.granted); err != nil {
			return s, err
		}
		if h.pid != 0 && !slices.Contains(o.flyways, int32(h.pid)) { //nolint:gosec // a process id
			o.flyways = append(o.flyways, int32(h.pid)) //nolint:gosec // a process id
		}
		if h.oid != 0 {
			s.locks = append(s.locks, h)
		}
	}
	return s, rows.Err()
}

// await waits until as many scripts have reported as were applied: messages
// come a moment after the commit. It gives up after some seconds.
func (o *observer) await(ctx context.Context, scripts int) {
	giveUp := time.After(5 * time.Second)
	for {
		o.mu.Lock()
		n := 0
		for _, m := range o.messages {
			if m.Kind == "done" {
				n++
			}
		}
		o.mu.Unlock()
		if n >= scripts {
			return
		}
		select {
		case <-o.arrived:
		case <-giveUp:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end stops the observer and returns what went wrong with it.
func (o *observer) end(ctx context.Context) error {
	close(o.quit)
	o.done.Wait()
	o.close(ctx)
	return o.err
}

func (o *observer) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	for _, c := range []*pgx.Conn{o.listener, o.sampler} {
		_ = c.Close(ctx)
	}
}

// sampling sums the pauses between samples up.
func sampling(samples []sample) Sampling {
	var pauses []int64
	for i := 1; i < len(samples); i++ {
		pauses = append(pauses, samples[i].at-samples[i-1].at)
	}
	if len(pauses) == 0 {
		return Sampling{Samples: len(samples)}
	}
	slices.Sort(pauses)
	return Sampling{Samples: len(samples), MedianMs: ms(pauses[len(pauses)/2]), MaxMs: ms(pauses[len(pauses)-1])}
}

func ms(microseconds int64) float64 { return float64(microseconds) / 1000 }
