//go:build faults

package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"slipway/lambda/report"
)

// process is the program at work.
type process struct {
	t       *testbed
	cmd     *exec.Cmd
	out     buffer
	err     buffer
	started time.Time
	ended   chan struct{}
	took    time.Duration
}

// outcome is how a command of the program ended.
type outcome struct {
	report.Report
	exit int
	log  string
	took time.Duration
}

// start starts the program with a command; --json is added.
func (t *testbed) start(args ...string) *process { return t.launch(nil, append(args, "--json")...) }

// launch starts the program, behind a command such as `ip netns exec x`, with
// no more than its arguments.
func (t *testbed) launch(before []string, args ...string) *process {
	argv := append(append(slices.Clone(before), t.program), args...)
	p := &process{t: t, cmd: exec.Command(argv[0], argv[1:]...), started: time.Now(), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = t.dir, t.environ(nil)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	// In a group of its own: what it starts can be killed with it, as a
	// container's end does.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel ties the death signal to the thread: this one stays.
		lockThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = p.cmd.Wait()
		p.took = time.Since(p.started)
		close(p.ended)
	}()
	t.must(<-started)
	t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
		if t.Failed() {
			t.Logf("the log of %s: %s", strings.Join(argv[len(before)+1:], " "), tail(p.err.String(), 4000))
		}
	})
	return p
}

// run starts a command and waits for its answer.
func (t *testbed) run(args ...string) *outcome { return t.start(args...).answer() }

// wait waits for the process's end; over the limit, that is a broken promise.
func (p *process) wait() {
	select {
	case <-p.ended:
	case <-time.After(time.Until(p.started.Add(p.t.limit))):
		p.t.fail("no answer within %s; its log ends with %q", p.t.limit, tail(p.err.String(), 400))
	}
}

// answer waits for the report.
func (p *process) answer() *outcome {
	p.wait()
	o := &outcome{exit: p.cmd.ProcessState.ExitCode(), log: p.err.String(), took: p.took}
	if err := json.Unmarshal([]byte(p.out.String()), &o.Report); err != nil {
		p.t.fail("no report (exit code %d): %v; stdout %q; stderr %q", o.exit, err, tail(p.out.String(), 200),
			tail(o.log, 400))
	}
	return o
}

func (p *process) signal(s syscall.Signal) { p.t.must(p.cmd.Process.Signal(s)) }

// child is the pid of the JVM that the program started, 0 if there is none.
func (p *process) child() int {
	for pid, parent := range parents() {
		if parent == p.cmd.Process.Pid {
			return pid
		}
	}
	return 0
}

// peak waits for the process's end and returns the most memory that it had, in bytes.
func (p *process) peak() (most int64) {
	for {
		select {
		case <-p.ended:
			return most
		case <-time.After(20 * time.Millisecond):
		}
		status, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			most = max(most, kilobytes<<10)
		}
	}
}

// parents maps each process to its parent.
func parents() map[int]int {
	all := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// The command's name stands in parentheses and may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if parent, err := strconv.Atoi(fields[1]); err == nil && fields[0] != "Z" {
			all[pid] = parent
		}
	}
	return all
}

// processes lists, by pid, the processes of this fault.
func (t *testbed) processes() map[int]string {
	found := map[int]string{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		command, _ := os.ReadFile(folder + "/cmdline")
		where, _ := os.Readlink(folder + "/cwd")
		if pid == os.Getpid() || len(command) == 0 {
			continue
		}
		text := strings.ReplaceAll(string(command), "\x00", " ")
		if strings.Contains(text, t.dir+"/") || where == t.dir || strings.HasPrefix(where, t.dir+"/") {
			found[pid] = tail(text, 120)
		}
	}
	return found
}

// buffer is a bytes.Buffer that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Len() > 8<<20 {
		return 0, errors.New("too much output")
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func tail(s string, limit int) string {
	s = strings.TrimSpace(s)
	if len(s) > limit {
		s = "…" + s[len(s)-limit:]
	}
	return s
}
