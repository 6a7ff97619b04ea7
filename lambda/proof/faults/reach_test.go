//go:build faults

package faults

import (
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"slipway/lambda/report"
)

var reachFaults = []fault{
	{"refused", "tried again with backoff for as long as SLIPWAY_CONNECT_WAIT, then DATABASE_UNREACHABLE",
		func(t *testbed) {
			t.unreachable(func() {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				t.must(err)
				t.env["PGHOST"], t.env["PGPORT"] = "127.0.0.1", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
				listener.Close() // the port is free now
			}, "connection refused")
		}},
	{"packets-dropped", "no longer than the bound, then DATABASE_UNREACHABLE with the security groups as first suspect",
		func(t *testbed) {
			t.limit = 25 * time.Second
			t.unreachable(func() { t.env["PGHOST"], t.env["PGPORT"] = "127.0.0.1", strconv.Itoa(t.deafPort()) },
				"127.0.0.1")
			t.saw("names the security groups")
		}},
	{"name-not-resolved", "tried again within the bound, then DATABASE_UNREACHABLE with the name", func(t *testbed) {
		t.unreachable(func() { t.env["PGHOST"] = "no-such-cluster.invalid" }, "no-such-cluster.invalid")
	}},
	{"starting-up", "57P03 is tried again; the run completes when the server is up", func(t *testbed) {
		t.migrated()
		t.two()
		p := t.proxy(func(p *proxy, c net.Conn, n int) {
			if n <= 4 {
				refuse(c, "57P03", "the database system is starting up")
				return
			}
			p.relay(c)
		})
		t.completes("2")
		t.check(p.connections.Load() > 4, "only %d connections", p.connections.Load())
		t.saw("after refusals with 57P03")
	}},
	{"starting-up-for-ever", "57P03 within the bound, then DATABASE_UNREACHABLE with the server's own words",
		func(t *testbed) {
			t.unreachable(func() {
				t.proxy(func(_ *proxy, c net.Conn, _ int) { refuse(c, "57P03", "the database system is starting up") })
			}, "starting up")
		}},
	{"zero-capacity", "a cluster that resumes from zero capacity is waited for", func(t *testbed) {
		t.migrated()
		t.two()
		t.env["SLIPWAY_CONNECT_WAIT"] = "30s"
		resumed := time.Now().Add(4 * time.Second)
		p := t.proxy(func(p *proxy, c net.Conn, _ int) {
			if time.Now().After(resumed) {
				p.relay(c)
			}
		})
		t.completes("2")
		t.check(p.connections.Load() > 4, "only %d connections", p.connections.Load())
		t.saw("after 4 s in which every connection was closed at once")
	}},
	{"too-many-connections", "53300 is tried again, for Flyway's session too", func(t *testbed) {
		t.migrated()
		t.two()
		before := t.look()
		p := t.proxy(func(p *proxy, c net.Conn, n int) {
			if n == 1 || n == 2 || n >= 5 {
				refuse(c, "53300", "remaining connection slots are reserved")
				return
			}
			p.relay(c)
		})
		o := t.run("migrate")
		t.check(p.connections.Load() >= 5, "only %d connections", p.connections.Load())
		t.answered(o, report.DatabaseUnreachable, before)
		t.direct()
		t.next("2")
	}},
	{"wrong-password", "ACCESS_DENIED at once: the secret is read once more and no further", func(t *testbed) {
		t.migrated()
		t.two()
		before := t.look()
		t.setSecret("not the password")
		reads := t.secrets.Reads(t.name)
		o := t.run("migrate")
		t.atOnce(o)
		t.answered(o, report.AccessDenied, nil)
		t.unchanged(before)
		t.saw("%d reads of the secret", t.secrets.Reads(t.name)-reads)
		t.check(t.secrets.Reads(t.name)-reads == 2, "the secret was read %d times", t.secrets.Reads(t.name)-reads)
		t.setSecret(t.password)
		t.next("2")
	}},
	{"database-missing", "DATABASE_MISSING at once", func(t *testbed) {
		t.migrated()
		t.two()
		t.env["PGDATABASE"] = "elsewhere"
		before := t.look()
		o := t.run("migrate")
		t.atOnce(o)
		t.contains(o.Message, "elsewhere")
		t.answered(o, report.DatabaseMissing, nil)
		t.unchanged(before)
		delete(t.env, "PGDATABASE")
		t.next("2")
	}},
	{"too-few-rights", "42501 before the first script is ACCESS_DENIED at once, and says what to grant",
		func(t *testbed) {
			t.one()
			t.exec("ALTER DATABASE " + t.database + " OWNER TO " + shop)
			before := t.look()
			o := t.run("migrate")
			t.atOnce(o)
			t.check(o.SQLState == "42501", "SQLSTATE %s", o.SQLState)
			t.contains(o.Message, "permission denied for schema public")
			t.contains(o.Next, "Grant")
			t.answered(o, report.AccessDenied, before)
			t.exec("GRANT CREATE ON SCHEMA public TO " + t.role)
			t.next("1")
		}},
	{"too-few-rights-in-script", "42501 in a script is MIGRATION_FAILED with the script and what to grant",
		func(t *testbed) {
			t.migrated()
			t.exec("CREATE TABLE theirs (id int)")
			t.script("V2__grant.sql", "CREATE TABLE t2 (id int);\nALTER TABLE theirs ADD COLUMN x int;")
			before := t.look()
			o := t.run("migrate")
			t.check(o.SQLState == "42501" && o.Script == "V2__grant.sql" && o.Line == 2, "SQLSTATE %s in %s line %d",
				o.SQLState, o.Script, o.Line)
			t.contains(o.Next, "GRANT")
			t.answered(o, report.MigrationFailed, before)
			t.exec("ALTER TABLE theirs OWNER TO " + t.role)
			t.next("2")
		}},
}

// unreachable runs migrate with version 2 pending against a database that
// can't be had.
func (t *testbed) unreachable(how func(), words string) {
	t.migrated()
	t.two()
	before := t.look()
	how()
	o := t.run("migrate")
	t.contains(o.Message, words)
	t.check(o.took > 2*time.Second, "it gave up after %s", o.took)
	t.answered(o, report.DatabaseUnreachable, nil)
	t.unchanged(before)
	if !strings.Contains(o.Message, "the server refuses") {
		t.contains(o.Next, "security groups")
	}
	t.direct()
	t.next("2")
}

// atOnce fails if the run was tried again.
func (t *testbed) atOnce(o *outcome) { t.check(o.took < 2500*time.Millisecond, "it took %s", o.took) }

// deafPort is a port whose packets vanish: the kernel drops the SYNs of a
// listener whose queue is full.
func (t *testbed) deafPort() int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	t.must(err)
	t.Cleanup(func() { syscall.Close(fd) })
	t.must(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	t.must(syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	t.must(err)
	port := name.(*syscall.SockaddrInet4).Port
	for {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 300*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { c.Close() })
	}
}
