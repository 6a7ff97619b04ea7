package guard

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if pidFile := os.Getenv("TEST_GUARD_PIDFILE"); pidFile != "" { // the program that TestEndsWithItsProcess kills
		if _, err := Start(exec.Command("sh", "-c", "echo $$ >"+pidFile+"; exec sleep 1000"), Options{}); err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

func TestExitCodeAndArguments(t *testing.T) {
	var out bytes.Buffer
	command := exec.Command("sh", "-c", `printf '%s|' "$@" "$X"; cat; exit 35`, "sh", "a b", "", `'"$(x)`)
	command.Stdout = &out
	command.Env = []string{"X=y"}
	process, err := Start(command, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if code := process.ExitCode(); code != 35 {
		t.Errorf("exit code %d", code)
	}
	if got, want := out.String(), `a b||'"$(x)|y|`; got != want {
		t.Errorf("printed %s, want %s", got, want)
	}
	if err := process.End(time.Second); err != nil {
		t.Error(err)
	}
}

func TestNotThere(t *testing.T) {
	if _, err := Start(exec.Command("no-such-program-here"), Options{}); err == nil {
		t.Error("no error")
	}
}

func TestEnd(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	process, err := Start(exec.Command("sleep", "1000"), Options{Remove: folder})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-process.Done():
		t.Fatal("it ended by itself")
	case <-time.After(50 * time.Millisecond):
	}
	if err := process.End(10 * time.Second); err != nil {
		t.Error(err)
	}
	if code := process.ExitCode(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestStubbornIsKilled(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	process, err := Start(exec.Command("sh", "-c", "trap '' TERM; >"+ready+"; while :; do sleep 1; done"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	poll(t, func() bool { _, err := os.Stat(ready); return err == nil })
	if err := process.End(300 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("error is %v", err)
	}
}

func TestEndsWithItsProcess(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	starter := exec.Command(os.Args[0])
	starter.Env = append(os.Environ(), "TEST_GUARD_PIDFILE="+pidFile)
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	poll(t, func() bool {
		content, _ := os.ReadFile(pidFile)
		n, _ := fmt.Sscan(string(content), &pid)
		return n == 1
	})
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	poll(t, func() bool { return syscall.Kill(pid, 0) != nil })
}

func poll(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !until(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}
