package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// firstBytes measures how long the Go part takes: from the start of `slipway
// migrate` with 10 scripts pending to the start of Java, which is a stand-in
// here that says so through a pipe. At one CPU, or all where quotas can't be set.
func firstBytes(ctx context.Context, s *stage, q *quotas) ([]time.Duration, error) {
	home := filepath.Join(s.folder, "stand-in")
	pipe := filepath.Join(home, "bin", "started")
	if err := os.MkdirAll(filepath.Dir(pipe), 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		return nil, fmt.Errorf("a pipe: %w", err)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", "java"), []byte("#!/bin/sh\necho > \"${0%/*}/started\"\n"),
		0o755); err != nil {
		return nil, err
	}
	// Open for both, so that neither side waits for the other.
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var all []time.Duration
	for range 11 {
		d, err := s.firstByte(ctx, q, home, reader)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func (s *stage) firstByte(ctx context.Context, q *quotas, home string, started *os.File) (time.Duration, error) {
	who := contestant{history: flywayHistory}
	j, err := s.job(ctx, benchCase{before, 10}, who)
	if err != nil {
		return 0, err
	}
	j.memory = functionMemory(1)
	cmd, err := s.slipway(j)
	if err != nil {
		return 0, err
	}
	for i, entry := range cmd.Env {
		if strings.HasPrefix(entry, "JAVA_HOME=") {
			cmd.Env[i] = "JAVA_HOME=" + home
		}
	}
	remove, err := q.limit(cmd, 1)
	if err != nil {
		return 0, err
	}
	defer remove()
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if err := started.SetReadDeadline(begun.Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := started.Read(make([]byte, 1)); err != nil {
		return 0, fmt.Errorf("no start of Java: %w", err)
	}
	d := time.Since(begun)
	// It fails, as it must: the stand-in gives no answer.
	if err := cmd.Wait(); err == nil {
		return 0, fmt.Errorf("%s took no answer from Java for success", strings.Join(cmd.Args, " "))
	} else if _, ok := err.(*exec.ExitError); !ok {
		return 0, err
	}
	return d, s.postgres.DropDatabase(ctx, j.database)
}
