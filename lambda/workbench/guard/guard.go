// Package guard starts processes that never outlive the one that started them,
// however that ends, a SIGKILL included.
//
// A shell stands in between: its standard input is a pipe whose other end only
// the starting process has open. When that is closed, or its process gone, the
// shell signals the command. That works on every Unix and needs no hook in the
// starting program, so test binaries can use it as they are.
package guard

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// script runs $3... and returns its exit code. At the end of standard input the
// command gets the signal $1. $2 is a folder to delete in the end, or nothing.
const script = `
signal=$1; remove=$2; shift 2
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
( read -r _ <&3; kill -"$signal" $child ) >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait $child
code=$?
kill $watch 2>/dev/null
if [ -n "$remove" ]; then rm -rf "$remove"; fi
exit $code
`

// Options say how a command runs and ends.
type Options struct {
	// Signal ends it, such as INT. Default: TERM.
	Signal string
	// Remove is a folder that is deleted once it has ended. Default: none.
	Remove string
	// User runs it. Default: the caller's.
	User *syscall.Credential
}

// Process is a running command. Its methods may be called from several goroutines.
type Process struct {
	command *exec.Cmd
	stdin   io.Closer
	done    chan struct{}
	once    sync.Once
}

// Start starts the command, whose Path, Args, Env, Dir, Stdout and Stderr
// count; its standard input is empty. It gets a process group of its own, so a
// Ctrl-C in the terminal doesn't reach it: its end is the caller's to decide.
func Start(command *exec.Cmd, o Options) (*Process, error) {
	if command.Err != nil {
		return nil, command.Err
	}
	signal := o.Signal
	if signal == "" {
		signal = "TERM"
	}
	arguments := append([]string{"-c", script, "guard", signal, o.Remove, command.Path}, command.Args[1:]...)
	shell := exec.Command("/bin/sh", arguments...)
	shell.Env, shell.Dir, shell.Stdout, shell.Stderr = command.Env, command.Dir, command.Stdout, command.Stderr
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: o.User}
	shell.WaitDelay = 5 * time.Second
	stdin, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: shell, stdin: stdin, done: make(chan struct{})}
	go func() {
		_ = shell.Wait() // ExitCode tells
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the command has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode waits for the end and returns the command's exit code; 128 and more
// for one that a signal ended.
func (p *Process) ExitCode() int {
	<-p.done
	if code := p.command.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return 128 + int(syscall.SIGKILL)
}

// End signals the command and waits until it has ended. After grace it is
// killed with its process group, which is an error.
func (p *Process) End(grace time.Duration) error {
	p.once.Do(func() { p.stdin.Close() })
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("%s did not end within %s and was killed", p.command.Args[6], grace)
	}
}
