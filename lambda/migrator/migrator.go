// Package migrator is the core of Slipway: [Migrator.Run] carries out one
// command on one database and returns a report. It is the one place that
// decides; it knows nothing of Lambda or CloudFormation.
package migrator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/session"
	"slipway/lambda/settings"
)

// Config is what a run needs besides its request: the settings of an
// environment. The zero value of a duration is no wait.
type Config struct {
	Locations []string // folders of the scripts
	Encoding  string   // of the scripts; "" is UTF-8

	SecretARN string               // Secrets Manager secret with username and password
	Override  database.Target      // fields that win over the secret's, where set; its TLS is the one used
	IAMAuth   session.TokenBuilder // makes the password where set; the user is the secret's, or Override's
	Cluster   string               // RDS cluster identifier, for the restore command
	Protected bool                 // a revert has to repeat the current version
	ReadOnly  bool                 // refuse what changes the database, and never start Flyway; default false
	Schema    string               // of the history; "" is the session's current schema
	Table     string               // of the history; "" is flyway_schema_history
	Flyway    settings.Flyway      // passed on to Flyway
	Baseline  string               // version at which a database without a history is adopted; "" refuses it

	LockTimeout time.Duration // how long a transactional script waits for a table lock; default 5 s
	LockWait    time.Duration // how long a command waits for another run, or for a table lock in all; default 60 s
	ConnectWait time.Duration // how long a server that does not answer is tried; default 60 s
	FastPath    bool          // answer without Flyway where its answer is certain; default true
	CommandLine string        // how people run a command of Slipway here, {} in place of its name; default slipway {}
	Rehearsal   Rehearsal     // what the run is a rehearsal of, so that next steps fit
	MemoryMB    int           // what the program and Flyway may use together; 0: not limited
}

// Request is what one run is asked to do.
type Request struct {
	Command string // migrate, info, validate, repair, baseline, revert
	Target  string // migrate: stop at that version; baseline: the version; "" for none
	// WaitForLock waits for another run until the deadline instead of for
	// Config.LockWait, and takes its work for one's own.
	WaitForLock bool
	// Revert: the version to go back to, or the number of versions; From
	// repeats the current version where the environment is protected.
	To     string
	Steps  int
	From   string
	DryRun bool
	// Repair: the ranks of all rows that Flyway can't read ("1,7"), as a report
	// named them, to have them rewritten; "" rewrites none.
	Rows string
	// Repair: the new checksums of edited scripts, by script, for a program whose own
	// scripts are not the ones to repair the history by. Where it is not nil, failed
	// rows are removed, these checksums are changed, the rows in Deleted are marked as
	// deleted, and nothing else is changed.
	Checksums map[string]plan.NewChecksum
	Deleted   map[int]string // by rank: scripts that the release does not have any more
}

// Commands are the commands that a request can name.
var Commands = []string{"migrate", "info", "validate", "repair", "baseline", "revert"}

// misplaced is a field that is set and does not belong to the command, "" if
// there is none.
func (q Request) misplaced() string {
	revert := q.Command == "revert"
	for field, wrong := range map[string]bool{
		"target": q.Target != "" && q.Command != "migrate" && q.Command != "baseline",
		"to":     q.To != "" && !revert,
		"steps":  q.Steps != 0 && !revert,
		"from":   q.From != "" && !revert,
		"dryRun": q.DryRun && !revert,
		"rows":   q.Rows != "" && q.Command != "repair",

		"deleted":   q.Deleted != nil && q.Command != "repair",
		"checksums": q.Checksums != nil && q.Command != "repair",
	} {
		if wrong {
			return field
		}
	}
	return ""
}

// Migrator runs requests, one at a time.
type Migrator struct {
	Config  Config
	Runner  flyway.Runner // its Log, Interrupt and Grace are set by each run
	Secrets database.SecretsManager
	Log     *slog.Logger
}

// The causes of a context that ended because the time is up, and because of a signal.
var (
	ErrDeadline    = session.ErrDeadline
	ErrInterrupted = session.ErrInterrupted
)

// Run carries out one request. The contract:
//
//  1. There is always a report, on failure too, and within ctx's deadline: the
//     last part of the time left is kept for ending Flyway and reading the history.
//  2. The error is nil exactly when the report's code is OK, and a
//     [report.Failure] otherwise.
//  3. Applied lists what the history says was applied, whatever Flyway answered.
//  4. When Run returns, no process and no database session of the run is left.
//  5. No password stands in the report or the log.
func (m *Migrator) Run(ctx context.Context, req Request) (*report.Report, error) {
	id := make([]byte, 6)
	_, _ = rand.Read(id)
	r := &run{
		Migrator: m, req: req, log: m.Log, deadline: deadlineOf(ctx),
		report: &report.Report{
			Command: req.Command, Code: report.OK, RunID: hex.EncodeToString(id), StartedAt: time.Now().UTC(),
			Applied: []report.Script{}, Pending: []report.Script{},
		},
	}
	r.log = r.log.With("run", r.report.RunID)
	r.session = session.New(m.sessionOptions(r))
	failure := report.AsFailure(r.guarded(ctx))
	if failure != nil {
		r.report.Fail(failure)
	}
	r.report.DurationMs = time.Since(r.report.StartedAt).Milliseconds()
	r.redact()
	m.Config.nameCommands(r.report)
	if failure != nil {
		failure.Message, failure.NextStep = r.report.Message, r.report.Next
		return r.report, failure
	}
	return r.report, nil
}

// guarded turns a panic into an INTERNAL failure: an event must be answered.
func (r *run) guarded(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = report.Failf(report.Internal, "a defect of Slipway: %v", p).
				Next("Report this with the log of the run.")
		}
	}()
	work, cancel := session.Reserve(ctx)
	defer cancel()
	defer r.close()
	if err := r.do(work); err != nil {
		return r.failure(work, err)
	}
	return nil
}

func (m *Migrator) sessionOptions(r *run) session.Options {
	c := m.Config
	return session.Options{
		SecretARN: c.SecretARN, Secrets: m.Secrets, Override: c.Override, IAMAuth: c.IAMAuth,
		LockTimeout: c.LockTimeout, LockWait: c.LockWait, ConnectWait: c.ConnectWait, ReadOnly: c.ReadOnly,
		RunID: r.report.RunID, Deadline: r.deadline, Log: r.log, Warn: r.warn,
	}
}

func deadlineOf(ctx context.Context) time.Time {
	deadline, _ := ctx.Deadline()
	return deadline
}

var ownCommand = regexp.MustCompile("`slipway (info|validate|repair)(?: --rows ([0-9,]+))?`")

// nameCommands has next steps name commands as people run them where the report
// is read: the program itself is in an image.
func (c Config) nameCommands(rep *report.Report) {
	if c.CommandLine == "" {
		return
	}
	rows := " --rows "
	if strings.HasPrefix(c.CommandLine, "make ") {
		rows = " ROWS="
	}
	here := func(found string) string {
		m := ownCommand.FindStringSubmatch(found)
		line := strings.ReplaceAll(c.CommandLine, "{}", m[1])
		if m[2] != "" {
			line += rows + m[2]
		}
		return "`" + line + "`"
	}
	rename := func(text *string) { *text = ownCommand.ReplaceAllStringFunc(*text, here) }
	rename(&rep.Message)
	rename(&rep.Next)
	for i := range rep.Warnings {
		rename(&rep.Warnings[i])
	}
}

// redact is the last net: no report leaves with the password in it, wherever
// it came from (a script may well print it). Very short ones are left, since
// they would match everywhere.
func (r *run) redact() {
	password := string(r.session.Target().Password)
	if len(password) < 4 {
		return
	}
	clean := func(s *string) { *s = strings.ReplaceAll(*s, password, "********") }
	clean(&r.report.Message)
	clean(&r.report.Next)
	for i := range r.report.Problems {
		clean(&r.report.Problems[i].Reason)
	}
	for i := range r.report.Warnings {
		clean(&r.report.Warnings[i])
	}
	for i := range r.report.Blockers {
		clean(&r.report.Blockers[i].Query)
	}
}
