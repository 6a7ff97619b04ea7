// Command slipway migrates one PostgreSQL database with Flyway. Started by
// Lambda it is the handler, with a command it is that command, and as
// `slipway serve` the local stand-in for Lambda's endpoint.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"

	"slipway/lambda/event"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/settings"
	"slipway/lambda/untrusted"
)

func main() {
	env := environment(os.Environ())
	if env["AWS_LAMBDA_RUNTIME_API"] != "" {
		log := slog.New(slog.NewJSONHandler(untrusted.JSONWriter{W: os.Stderr},
			&slog.HandlerOptions{Level: level(env)}))
		slog.SetDefault(log) // what aws-lambda-go prints becomes JSON as well
		handler := event.Handler{
			Runner: newRunner(env, log), Log: log, LogGroup: env["SLIPWAY_LOG_GROUP"], Database: identity(env),
			Show: logReport(log),
		}
		lambda.StartWithOptions(handler, lambda.WithEnableSIGTERM())
		return
	}
	serving := len(os.Args) > 1 && os.Args[1] == "serve"
	ctx, cancel := interruptible(!serving)
	defer cancel()
	os.Exit(cli{env: env, out: os.Stdout, err: os.Stderr, color: colored(env, os.Stdout)}.run(ctx, os.Args[1:]))
}

// interruptible is a context that a first SIGINT or SIGTERM ends in order; a
// second one ends the program the usual way. confirm says so on stderr: for a
// command that is cut short, not for a server, which is always ended so.
func interruptible(confirm bool) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		if confirm {
			fmt.Fprintln(os.Stderr, "interrupted: ending in order; a second signal ends at once")
		}
		cancel(migrator.ErrInterrupted)
	}()
	return ctx, func() { cancel(nil) }
}

// logReport logs each report as one record, the log's copy of the answer.
func logReport(log *slog.Logger) func(*report.Report) {
	return func(r *report.Report) {
		lvl := slog.LevelInfo
		if !r.OK() {
			lvl = slog.LevelError
		}
		log.Log(context.Background(), lvl, "report", "report", r)
	}
}

// colored follows NO_COLOR (any value) and asks whether out is a terminal.
func colored(env map[string]string, out *os.File) bool {
	if _, no := env["NO_COLOR"]; no || env["TERM"] == "dumb" {
		return false
	}
	info, err := out.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func level(env map[string]string) slog.Level {
	if settings.Read(env).Boolean("SLIPWAY_DEBUG") {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// broken answers every request with what is wrong with the settings: a
// function that fails to start would only be started again.
type broken struct{ failure *report.Failure }

func (b broken) Run(_ context.Context, req migrator.Request) (*report.Report, error) {
	r := &report.Report{Command: req.Command, Applied: []report.Script{}, Pending: []report.Script{}}
	r.Fail(b.failure)
	return r, b.failure
}

func show(w io.Writer, r *report.Report, asJSON, color bool) {
	var err error
	if asJSON {
		err = r.WriteJSON(w)
	} else {
		err = r.WriteText(w, color)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the report could not be printed:", err)
	}
}
