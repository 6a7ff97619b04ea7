package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"slipway/lambda/workbench/distribution"
)

// describe says on what and with what was measured.
func describe(ctx context.Context, s *stage, quick bool, took time.Duration) string {
	first := func(command ...string) string {
		out, _ := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return line
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s, %d CPUs, %s %s, %s. ", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		first("uname", "-r"))
	fmt.Fprintf(&b, "Flyway %s; Java: %s; PostgreSQL %s on the same machine, outside of the quotas, without fsync; "+
		"%s.\n", distribution.FlywayVersion, first(s.java21, "-version"), distribution.PostgresVersion,
		runtime.Version())
	fmt.Fprintf(&b, "CPU quotas by control group, dealt out every %d ms. ", period/1000)
	if info, err := os.Stat(s.program); err == nil {
		fmt.Fprintf(&b, "The program: %.1f MB; class-data archive: ", float64(info.Size())/1e6)
	}
	if info, err := os.Stat(s.archive); err == nil {
		fmt.Fprintf(&b, "%.1f MB. ", float64(info.Size())/1e6)
	}
	kind := "A full run"
	if quick {
		kind = "A QUICK run"
	}
	fmt.Fprintf(&b, "%s of %s.\n", kind, took.Round(time.Second))
	return b.String()
}

// processor is the CPU's name, where Linux tells it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "CPU unknown"
}
