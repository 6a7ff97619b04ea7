//go:build unix

package flyway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processes waits until the stand-in has written who it and its child are.
func processes(t *testing.T, file string) []int {
	t.Helper()
	var pids []int
	eventually(t, "process ids in "+file, func() bool {
		text, _ := os.ReadFile(file)
		pids = nil
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return len(pids) > 0 && strings.HasSuffix(string(text), "\n")
	})
	return pids
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("in vain waited for: %s", what)
}

// gone waits until the processes have ended; a zombie has.
func gone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		eventually(t, "the end of process "+strconv.Itoa(pid), func() bool {
			stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
			if err == nil {
				return strings.Contains(string(stat), ") Z ")
			}
			return syscall.Kill(pid, 0) != nil
		})
	}
}

var errTime = errors.New("the time is up")

func TestWhatDoesNotListenIsKilledWithItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r, command := fake(t, "hang", map[string]string{"FAKE_PIDS": file})
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := time.Now()
	go func() {
		processes(t, file)
		cancel(errTime)
	}()
	_, err := r.Run(ctx, command)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != -1 || !errors.Is(err, errTime) {
		t.Errorf("got %v", err)
	}
	pids := processes(t, file)
	if len(pids) != 2 {
		t.Errorf("processes %v", pids)
	}
	gone(t, pids)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestWhatListensEndsWithItsOwnAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r, command := fake(t, "listen", map[string]string{"FAKE_PIDS": file})
	r.Grace.Terminate = 10 * time.Second
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		processes(t, file)
		cancel(errTime)
	}()
	_, err := r.Run(ctx, command)
	var answer *Error
	if !errors.As(err, &answer) || answer.Message != "told to end" {
		t.Errorf("got %v", err)
	}
	gone(t, processes(t, file))
}

func TestInterruptComesBeforeSignals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r, command := fake(t, "wait", map[string]string{"FAKE_PIDS": file})
	interrupted := 0
	r.Interrupt = func() bool {
		interrupted++
		return os.Remove(file) == nil
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		processes(t, file)
		cancel(errTime)
	}()
	_, err := r.Run(ctx, command)
	var answer *Error
	if !errors.As(err, &answer) || answer.SQLState != "57014" || interrupted != 1 {
		t.Errorf("interrupted %d times, %v", interrupted, err)
	}
}

func TestWhatItLeavesBehindIsEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r, command := fake(t, "leave", map[string]string{"FAKE_PIDS": file})
	if _, err := r.Run(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	gone(t, processes(t, file))
}

func TestContextThatEndedBeforeTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r, command := fake(t, "hang", map[string]string{"FAKE_PIDS": file})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTime)
	if _, err := r.Run(ctx, command); !errors.Is(err, errTime) {
		t.Errorf("got %v", err)
	}
}

func TestOneRunAtATimeIsNotNeeded(t *testing.T) {
	failures := make(chan error, 4)
	for range 4 {
		r, command := fake(t, "answer", map[string]string{"FAKE_ANSWER": `{"operation":"migrate"}`})
		go func() {
			_, err := r.Run(t.Context(), command)
			failures <- err
		}()
	}
	for range 4 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}
