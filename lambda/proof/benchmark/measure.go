package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"
)

// measurement is one run.
type measurement struct {
	wall time.Duration
	cpu  time.Duration // user and system, with all children
}

// measureAll runs every turn of every cell, and then each first cell of a
// case once more to look at its memory, which would disturb a measured run.
func measureAll(ctx context.Context, s *stage, q *quotas, cells []*cell) error {
	turns := order(cells)
	for i, c := range turns {
		fmt.Fprintf(s.log, "\r%d of %d: %-50s", i+1, len(turns), c.key())
		m, _, err := s.once(ctx, q, c, false)
		if err != nil {
			return err
		}
		c.result = append(c.result, m)
	}
	for _, c := range cells {
		// The longest are not worth a second run: memory is looked at while they are measured.
		if !c.alone || c.pending >= 5000 {
			continue
		}
		fmt.Fprintf(s.log, "\rmemory: %-50s", c.key())
		_, peak, err := s.once(ctx, q, c, true)
		if err != nil {
			return err
		}
		c.memory = peak
	}
	fmt.Fprintln(s.log)
	return nil
}

// once measures one run, and with watch the peak of its memory instead.
func (s *stage) once(ctx context.Context, q *quotas, c *cell, watch bool) (m measurement, peak int64, err error) {
	if err := ctx.Err(); err != nil {
		return m, 0, err
	}
	j, err := s.job(ctx, c.benchCase, c.contestant)
	if err != nil {
		return m, 0, err
	}
	j.memory = functionMemory(c.cpus)
	if watch || c.pending >= 5000 {
		j.memory = memoryOf[0.29] // the least, where it has to do
	}
	cmd, err := c.command(j)
	if err != nil {
		return m, 0, err
	}
	remove, err := q.limit(cmd, c.cpus)
	if err != nil {
		return m, 0, err
	}
	defer remove()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return m, 0, err
	}
	var memory func() int64
	// A look every 100 ms costs a long run nothing.
	if long := c.pending >= 5000; watch || long {
		every := 2 * time.Millisecond
		if long {
			every = 100 * time.Millisecond
		}
		memory = watchMemory(cmd.Process.Pid, every)
	}
	err = cmd.Wait()
	m.wall = time.Since(begun)
	if memory != nil {
		if peak = memory(); !watch {
			c.memory = max(c.memory, peak)
		}
	}
	if err != nil {
		return m, 0, fmt.Errorf("%s: %s: %w\n%s", c.key(), commandLine(cmd), err, out.Bytes())
	}
	m.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return m, peak, s.done(ctx, j, c.contestant)
}

func commandLine(cmd *exec.Cmd) string { return fmt.Sprint(cmd.Args) }
