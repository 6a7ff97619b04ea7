//go:build unix

package main

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/lambda/report"
)

// A signal ends a run in order: nothing is left, neither process nor session,
// and the next run goes on.
func TestSignalsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminate": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
				"V2__b.sql": "SELECT pg_sleep(600);"})
			cmd, out, _ := p.process(nil, "migrate", "--json")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p.await("the second script", "SELECT count(*) = 1 "+ours+
				" AND query LIKE '%pg_sleep%' AND state = 'active'")
			begun := time.Now()
			// A terminal signals the whole group: Flyway is in one of its own.
			if err := syscall.Kill(-cmd.Process.Pid, signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			rep := p.json(out.String())
			if cmd.ProcessState.ExitCode() != 130 || rep.Code != report.Interrupted || len(rep.Applied) != 1 ||
				rep.SchemaVersionAfter != "1" || rep.Next == "" {
				t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), out)
			}
			if left := p.ask("SELECT count(*) " + ours); left != "0" {
				t.Errorf("%s sessions are left", left)
			}
			if java := javas(t, p.database); len(java) > 0 {
				t.Errorf("processes are left: %v", java)
			}
			p.write("V2__b.sql", "SELECT 2;")
			if code, out, err := p.run(nil, "migrate"); code != 0 || !strings.Contains(out, "schema version 2") {
				t.Errorf("the next run: exit %d %s%s", code, out, err)
			}
		})
	}
}

// endInOrder sends SIGTERM and waits: a server ends with exit code 0.
func endInOrder(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return cmd.Wait()
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
