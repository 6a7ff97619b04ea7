package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Squawk is the linter's program.
type Squawk struct{ Program, Version string }

// violation is one entry of squawk's JSON. Its lines count from 0.
type violation struct {
	File    string
	Line    int
	Rule    string `json:"rule_name"`
	Message string
	Help    *string
}

// lint adds what squawk says of the scripts that are to be linted.
func (r *Result) lint(ctx context.Context, texts []*text, o Options) error {
	temp, err := os.MkdirTemp("", "slipway-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a leftover in /tmp is no failure
	// Its own, empty: one from elsewhere would decide about the rules.
	if err := os.WriteFile(filepath.Join(temp, "squawk.toml"), nil, 0o600); err != nil {
		return err
	}
	created := newCreated(texts)
	files := map[bool][]string{}
	byFile := map[string]*text{}
	for i, t := range texts {
		if !t.lint || !t.read {
			continue
		}
		// Names of our own: those of scripts may begin with a dash or look like a pattern.
		name := fmt.Sprintf("%06d.sql", i)
		if err := os.WriteFile(filepath.Join(temp, name), []byte(t.sql), 0o600); err != nil {
			return err
		}
		files[t.outside] = append(files[t.outside], name)
		byFile[name] = t
		t.linted = true
		r.Linted++
	}
	r.Linter = o.Linter.Version
	found := map[*text][]violation{}
	for _, outside := range []bool{false, true} {
		size := o.Batch
		if size == 0 {
			size = 500
		}
		for batch := range slices.Chunk(files[outside], size) {
			violations, err := o.Linter.run(ctx, temp, batch, !outside)
			if err != nil {
				return err
			}
			for _, v := range violations {
				t := byFile[v.File]
				if t == nil {
					return fmt.Errorf("squawk names a file that it was not given: %q", v.File)
				}
				found[t] = append(found[t], v)
			}
		}
	}
	for _, t := range texts {
		if !t.linted {
			continue
		}
		if !t.syntaxOnly {
			created.add(t)
		}
		r.judge(t, found[t], created)
		r.ownRules(t)
		if !t.syntaxOnly {
			r.lockRules(t, created)
			r.hidden(t)
		}
	}
	return nil
}

// run starts squawk once.
func (s *Squawk) run(ctx context.Context, folder string, files []string, inTransaction bool) ([]violation, error) {
	args := []string{"--reporter=json", "--pg-version=17", "--config=squawk.toml", "--exclude=" +
		strings.Join(turnedOff, ",")}
	if inTransaction {
		args = append(args, "--assume-in-transaction")
	}
	command := exec.CommandContext(ctx, s.Program, append(args, files...)...)
	command.Dir = folder
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	failure := command.Run() // 1 with findings
	var violations []violation
	if err := json.Unmarshal(stdout.Bytes(), &violations); err != nil {
		return nil, fmt.Errorf("squawk could not judge the scripts: %w: %.500s", firstError(failure, err),
			stderr.String())
	}
	return violations, ctx.Err()
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
