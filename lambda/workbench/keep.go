package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"slipway/lambda/workbench/postgres"
)

// runStart is `start`: it leaves a process behind that keeps the server up.
func runStart(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if _, err := postgres.Fetch(ctx, b.cache); err != nil { // here, where progress is seen
		return 1, err
	}
	if !b.kept() {
		if err := b.launchKeeper(ctx); err != nil {
			return 1, err
		}
	}
	server, err := postgres.Attach(ctx, b.postgresFolder())
	if err != nil {
		return 1, err
	}
	// make run's own database, so that a client finds something.
	t, err := b.localOn(ctx, server, databaseName(defaultSQL))
	if err != nil {
		return 1, err
	}
	b.say("PostgreSQL listens on 127.0.0.1:%d, until `make stop`. For any client:", server.Port)
	fmt.Fprintln(b.out, server.URL(t.secret["dbname"].(string)))
	return 0, nil
}

// kept tells whether a keeper has the server.
func (b *bench) kept() bool {
	return b.keeper() != 0 && postgres.InUse(b.postgresFolder())
}

// launchKeeper starts `keep` apart from this process and waits for the server.
func (b *bench) launchKeeper(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	logName := b.keeperFile() + ".log"
	log, err := createState(logName)
	if err != nil {
		return err
	}
	defer log.Close()
	keeper := exec.Command(self, "keep")
	keeper.Stdout, keeper.Stderr = log, log
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // not the terminal's
	if err := keeper.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- keeper.Wait() }()
	for b.keeper() != keeper.Process.Pid {
		select {
		case <-ended:
			content, _ := os.ReadFile(logName)
			return fmt.Errorf("the server did not start: %s", content)
		case <-ctx.Done():
			_ = keeper.Process.Signal(syscall.SIGTERM)
			<-ended
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// runKeep is the process that `start` leaves behind.
func runKeep(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if err := b.forgetKeeper(); err != nil {
		return 1, err
	}
	server, err := b.server(ctx)
	if err != nil {
		return 1, err
	}
	if err := b.writeKeeper(); err != nil {
		return 1, errors.Join(err, server.Stop())
	}
	select {
	case <-ctx.Done():
	case <-server.Done():
		err = errors.New("PostgreSQL ended by itself")
	}
	return 0, errors.Join(err, b.forgetKeeper(), server.Stop())
}

// runStop is `stop`.
func runStop(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if !b.kept() {
		b.say("no local PostgreSQL is kept up")
		return 0, b.forgetKeeper()
	}
	if err := syscall.Kill(b.keeper(), syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return 1, err
	}
	deadline := time.Now().Add(40 * time.Second)
	for postgres.InUse(b.postgresFolder()) {
		if time.Now().After(deadline) {
			return 1, errors.New("the local PostgreSQL did not end within 40s")
		}
		select {
		case <-ctx.Done():
			return 1, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	b.say("stopped")
	return 0, nil
}

// runClean is `clean`.
func runClean(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if b.kept() {
		if code, err := runStop(ctx, b, flag.NewFlagSet("stop", flag.ContinueOnError), nil); err != nil {
			return code, err
		}
	}
	if err := postgres.Remove(b.postgresFolder()); err != nil {
		return 1, err
	}
	b.say("the local databases are forgotten")
	_ = os.Remove(b.keeperFile() + ".log")
	return 0, b.forgetKeeper()
}
