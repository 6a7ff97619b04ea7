//go:build !linux

package flyway

import "os/exec"

func start(cmd *exec.Cmd, _ <-chan struct{}) error { return cmd.Start() }
