package main

import (
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"slipway/lambda/report"
)

var reachFaults = []fault{
	{"refused", "tried again with backoff for as long as SLIPWAY_CONNECT_WAIT, then DATABASE_UNREACHABLE", func(l *lab) {
		l.unreachable(func() {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			l.must(err)
			l.env["PGHOST"], l.env["PGPORT"] = "127.0.0.1", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
			listener.Close() // the port is free now
		}, "connection refused")
	}},
	{"packets-dropped", "no longer than the bound, then DATABASE_UNREACHABLE with the security groups as first suspect", func(l *lab) {
		l.limit = 25 * time.Second
		l.unreachable(func() { l.env["PGHOST"], l.env["PGPORT"] = "127.0.0.1", strconv.Itoa(l.deafPort()) }, "127.0.0.1")
		l.saw("names the security groups")
	}},
	{"name-not-resolved", "tried again within the bound, then DATABASE_UNREACHABLE with the name", func(l *lab) {
		l.unreachable(func() { l.env["PGHOST"] = "no-such-cluster.invalid" }, "no-such-cluster.invalid")
	}},
	{"starting-up", "57P03 is tried again; the run completes when the server is up", func(l *lab) {
		l.migrated()
		l.two()
		p := l.proxy(func(p *proxy, c net.Conn, n int) {
			if n <= 4 {
				refuse(c, "57P03", "the database system is starting up")
				return
			}
			p.relay(c)
		})
		l.completes("2")
		l.check(p.connections.Load() > 4, "only %d connections", p.connections.Load())
		l.saw("after refusals with 57P03")
	}},
	{"starting-up-for-ever", "57P03 within the bound, then DATABASE_UNREACHABLE with the server's own words", func(l *lab) {
		l.unreachable(func() {
			l.proxy(func(_ *proxy, c net.Conn, _ int) { refuse(c, "57P03", "the database system is starting up") })
		}, "starting up")
	}},
	{"zero-capacity", "a cluster that resumes from zero capacity is waited for", func(l *lab) {
		l.migrated()
		l.two()
		l.env["SLIPWAY_CONNECT_WAIT"] = "30s"
		resumed := time.Now().Add(4 * time.Second)
		p := l.proxy(func(p *proxy, c net.Conn, _ int) {
			if time.Now().After(resumed) {
				p.relay(c)
			}
		})
		l.completes("2")
		l.check(p.connections.Load() > 4, "only %d connections", p.connections.Load())
		l.saw("after 4 s in which every connection was closed at once")
	}},
	{"too-many-connections", "53300 is tried again, for Flyway's session too", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		p := l.proxy(func(p *proxy, c net.Conn, n int) {
			if n == 1 || n == 2 || n >= 5 {
				refuse(c, "53300", "remaining connection slots are reserved")
				return
			}
			p.relay(c)
		})
		o := l.run("migrate")
		l.check(p.connections.Load() >= 5, "only %d connections", p.connections.Load())
		l.answered(o, report.DatabaseUnreachable, before)
		l.direct()
		l.next("2")
	}},
	{"wrong-password", "ACCESS_DENIED at once: the secret is read once more and no further", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		l.setSecret("not the password")
		reads := l.secrets.Reads(l.name)
		o := l.run("migrate")
		l.atOnce(o)
		l.answered(o, report.AccessDenied, nil)
		l.unchanged(before)
		l.saw("%d reads of the secret", l.secrets.Reads(l.name)-reads)
		l.check(l.secrets.Reads(l.name)-reads == 2, "the secret was read %d times", l.secrets.Reads(l.name)-reads)
		l.setSecret(l.password)
		l.next("2")
	}},
	{"database-missing", "DATABASE_MISSING at once", func(l *lab) {
		l.migrated()
		l.two()
		l.env["PGDATABASE"] = "elsewhere"
		before := l.look()
		o := l.run("migrate")
		l.atOnce(o)
		l.contains(o.Message, "elsewhere")
		l.answered(o, report.DatabaseMissing, nil)
		l.unchanged(before)
		delete(l.env, "PGDATABASE")
		l.next("2")
	}},
	{"too-few-rights", "42501 before the first script is ACCESS_DENIED at once, and says what to grant", func(l *lab) {
		l.one()
		l.exec("ALTER DATABASE " + l.database + " OWNER TO " + shop)
		before := l.look()
		o := l.run("migrate")
		l.atOnce(o)
		l.check(o.SQLState == "42501", "SQLSTATE %s", o.SQLState)
		l.contains(o.Message, "permission denied for schema public")
		l.contains(o.Next, "Grant")
		l.answered(o, report.AccessDenied, before)
		l.exec("GRANT CREATE ON SCHEMA public TO " + l.role)
		l.next("1")
	}},
	{"too-few-rights-in-script", "42501 in a script is MIGRATION_FAILED with the script and what to grant", func(l *lab) {
		l.migrated()
		l.exec("CREATE TABLE theirs (id int)")
		l.script("V2__grant.sql", "CREATE TABLE t2 (id int);\nALTER TABLE theirs ADD COLUMN x int;")
		before := l.look()
		o := l.run("migrate")
		l.check(o.SQLState == "42501" && o.Script == "V2__grant.sql" && o.Line == 2, "SQLSTATE %s in %s line %d", o.SQLState, o.Script, o.Line)
		l.contains(o.Next, "GRANT")
		l.answered(o, report.MigrationFailed, before)
		l.exec("ALTER TABLE theirs OWNER TO " + l.role)
		l.next("2")
	}},
}

// unreachable runs migrate with version 2 pending against a database that
// can't be had.
func (l *lab) unreachable(how func(), words string) {
	l.migrated()
	l.two()
	before := l.look()
	how()
	o := l.run("migrate")
	l.contains(o.Message, words)
	l.check(o.took > 2*time.Second, "it gave up after %s", o.took)
	l.answered(o, report.DatabaseUnreachable, nil)
	l.unchanged(before)
	if !strings.Contains(o.Message, "the server refuses") {
		l.contains(o.Next, "security groups")
	}
	l.direct()
	l.next("2")
}

// atOnce fails if the run was tried again.
func (l *lab) atOnce(o *outcome) { l.check(o.took < 2500*time.Millisecond, "it took %s", o.took) }

// deafPort is a port whose packets vanish: the kernel drops the SYNs of a
// listener whose queue is full.
func (l *lab) deafPort() int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	l.must(err)
	l.later(func() { syscall.Close(fd) })
	l.must(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	l.must(syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	l.must(err)
	port := name.(*syscall.SockaddrInet4).Port
	for {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 300*time.Millisecond)
		if err != nil {
			return port
		}
		l.later(func() { c.Close() })
	}
}
