package flyway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// ExitError is a start of Flyway whose outcome its JSON does not tell: killed,
// out of memory, or an answer that is missing, cut or contradicts the exit code.
type ExitError struct {
	Verb   string
	Code   int    // exit code, -1 after a signal
	Reason string // what is wrong with the answer
	Stderr string // its last lines
	Err    error  // the context's cause, where the run was ended by it
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("flyway %s ended with exit code %d: %s", e.Verb, e.Code, e.Reason)
	if e.Stderr != "" {
		s += "; it printed: " + e.Stderr
	}
	return s
}

// Unwrap is the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// ErrNoRoom says that temporary files can't be written.
var ErrNoRoom = errors.New("no room for temporary files")

// Grace is how long each step of ending Flyway may take.
type Grace struct {
	Interrupt time.Duration // after [Runner.Interrupt], before TERM
	Terminate time.Duration // after TERM, before KILL
}

// Runner starts Flyway and sees to its end.
type Runner struct {
	Installation
	// Log gets each line that Flyway prints beside its answer; nil drops them.
	Log func(line string)
	// Interrupt is called when the context ends, before any signal: the place
	// to cancel what runs in the database, so that Flyway can still record a
	// failed script and end by itself. False says that it could not be done, so
	// that there is nothing to wait for.
	Interrupt func() bool
	Grace     Grace
}

// Run starts Flyway, waits, and returns its result. An error object in the
// answer is an *Error. When ctx ends, Interrupt is called, then Flyway's whole
// process group gets TERM and KILL, each after its grace; the error is then
// an *ExitError with the context's cause, unless Flyway came to an answer of
// its own. Nothing that Flyway started outlives Run.
func (r Runner) Run(ctx context.Context, c Command) (*Result, error) {
	temp, err := os.MkdirTemp(c.TempDir, "flyway-")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a leftover in /tmp is no failure of the run
	c.TempDir = temp
	cmd, err := r.Build(c)
	if err != nil {
		return nil, err
	}
	ownGroup(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	if err := start(cmd, ended); err != nil {
		return nil, fmt.Errorf("start of %s: %w", r.Java, err)
	}
	var ending sync.WaitGroup
	ending.Go(func() { r.endWith(ctx, cmd, ended) })

	tail := &tail{log: r.Log}
	var reading sync.WaitGroup
	reading.Go(func() { tail.read(stderr) })
	result, answer := decode(stdout)
	reading.Wait()
	exit := cmd.Wait()
	close(ended)
	ending.Wait()
	killGroup(cmd) // what it left behind
	return r.judge(ctx, c, result, answer, exit, tail.String())
}

// judge takes the answer and the exit code together: either alone has been
// seen to be wrong.
func (r Runner) judge(ctx context.Context, c Command, result *Result, answer, exit error, stderr string) (*Result,
	error) {
	code := 0
	var status *exec.ExitError
	if errors.As(exit, &status) {
		code = status.ExitCode()
	} else if exit != nil {
		code = -1
	}
	fail := &ExitError{Verb: c.Verb, Code: code, Stderr: stderr, Err: context.Cause(ctx)}
	switch {
	case answer != nil:
		fail.Reason = answer.Error()
	case result.Error != nil:
		return result, result.Error
	case code == 35:
		fail.Reason = "it asks for a paid edition of Flyway"
	case code != 0:
		fail.Reason = "its answer names no error"
	case result.Operation != c.Verb:
		fail.Reason = fmt.Sprintf("its answer is for %q", result.Operation)
	case result.Success != nil && !*result.Success:
		fail.Reason = "its answer says that it failed, and not why"
	default:
		return result, nil
	}
	return nil, fail
}

// endWith ends the process group step by step once ctx is done.
func (r Runner) endWith(ctx context.Context, cmd *exec.Cmd, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	wait := func(d time.Duration) bool {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ended:
			return true
		case <-t.C:
			return false
		}
	}
	if r.Interrupt != nil {
		if r.Interrupt() && wait(r.Grace.Interrupt) {
			return
		}
	}
	terminateGroup(cmd)
	if wait(r.Grace.Terminate) {
		return
	}
	killGroup(cmd)
}

// tail logs lines as they come, each cut to a bound, and keeps the last few.
type tail struct {
	log   func(string)
	lines []string
}

const (
	maxLine   = 4096
	keepLines = 5
	keepBytes = 500 // of each
)

func (t *tail) read(in io.Reader) {
	r := bufio.NewReaderSize(in, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); text != "" {
			t.add(text)
		}
		if err == bufio.ErrBufferFull {
			err = skipLine(r)
		}
		if err != nil {
			return
		}
	}
}

func (t *tail) add(line string) {
	if t.log != nil {
		t.log(line)
	}
	t.lines = append(t.lines, strings.ToValidUTF8(line[:min(len(line), keepBytes)], ""))
	if len(t.lines) > keepLines {
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string { return strings.Join(t.lines, "; ") }
