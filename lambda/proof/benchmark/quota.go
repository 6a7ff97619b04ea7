package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// The CPU of Lambda functions: 1,769 MB is one virtual CPU, others in proportion.
var lambdaCPUs = []float64{1.0, 0.58, 0.29}

// most is the CPU of the unlimited rows, so that machines compare.
const most = 2.0

// period is how finely the kernel deals out CPU time, in microseconds. Lambda's is 20 ms, by
// what its users measured; the kernel's default of 100 ms would let a short
// program run to its end within one slice.
const period = 20000

// quotas limits the CPU of a process and its children by a control group.
type quotas struct {
	// limit is "" where it can't be done, else the group's parent.
	parent string
	v2     bool
	n      int
}

// newQuotas finds out whether CPU can be limited here. It says so in one line
// when not; under CI that is an error where root and a CPU controller are there.
func newQuotas(log io.Writer, ci bool) (*quotas, error) {
	q := &quotas{}
	err := q.open()
	if err == nil {
		return q, nil
	}
	fmt.Fprintf(log, "no CPU quotas here, their rows are left out: %v\n", err)
	if ci && !errors.Is(err, errNoQuota) {
		return nil, err
	}
	return &quotas{}, nil
}

// errNoQuota is for machines where nobody would expect it.
var errNoQuota = errors.New("they need Linux, root and a writable cpu controller")

func (q *quotas) open() error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errNoQuota
	}
	root, v2 := "/sys/fs/cgroup/cpu", false
	if _, err := os.Stat(filepath.Join(root, "cpu.cfs_quota_us")); err != nil {
		root, v2 = "/sys/fs/cgroup", true
		controllers, _ := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
		if !strings.Contains(" "+string(controllers)+" ", "cpu ") {
			return errNoQuota
		}
	}
	parent := filepath.Join(root, fmt.Sprintf("slipway-benchmark-%d", os.Getpid()))
	if err := os.Mkdir(parent, 0o755); err != nil {
		if errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "read-only") {
			return errNoQuota
		}
		return err
	}
	q.parent, q.v2 = parent, v2
	if v2 {
		for _, dir := range []string{root, parent} {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+cpu"), 0); err != nil {
				q.close()
				return err
			}
		}
	}
	return nil
}

func (q *quotas) close() {
	if q.parent != "" {
		os.Remove(q.parent)
	}
}

// cpus are the amounts of CPU to measure at, the greatest first.
func (q *quotas) cpus() []float64 {
	top := min(most, float64(runtime.NumCPU()))
	if q.parent == "" {
		return []float64{float64(runtime.NumCPU())}
	}
	return append([]float64{top}, lambdaCPUs...)
}

// limit has cmd start in a group of that much CPU, a new one: debts of the run
// before are not its own. remove takes the group away.
func (q *quotas) limit(cmd *exec.Cmd, cpus float64) (remove func(), err error) {
	if q.parent == "" || cpus >= float64(runtime.NumCPU()) {
		return func() {}, nil
	}
	q.n++
	group := filepath.Join(q.parent, strconv.Itoa(q.n))
	if err := os.Mkdir(group, 0o755); err != nil {
		return nil, err
	}
	quota := strconv.Itoa(int(cpus * period))
	files := [][2]string{{"cpu.cfs_period_us", strconv.Itoa(period)}, {"cpu.cfs_quota_us", quota}}
	if q.v2 {
		files = [][2]string{{"cpu.max", quota + " " + strconv.Itoa(period)}}
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(group, f[0]), []byte(f[1]), 0); err != nil {
			return nil, err
		}
	}
	// A shell enters the group and becomes the program.
	cmd.Args = append([]string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(group, "cgroup.procs"),
		cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return func() { os.Remove(group) }, nil
}
