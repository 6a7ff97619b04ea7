package flyway

import (
	"os/exec"
	"runtime"
	"syscall"
)

// ownGroup gives the process a group of its own, and has the kernel kill it
// should this program die without a chance to.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// start starts the process from a thread that stays until it has ended: the
// kernel sends the parent-death signal when that very thread goes.
func start(cmd *exec.Cmd, ended <-chan struct{}) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		result <- err
		if err == nil {
			<-ended
		}
	}()
	return <-result
}
