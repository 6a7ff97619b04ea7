package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"slipway/lambda/workbench/postgres"
)

// server starts the local PostgreSQL, or returns the one that `start` keeps
// up. While another command uses it for itself, it waits.
func (b *bench) server(ctx context.Context) (*postgres.Server, error) {
	if b.throwAway != nil {
		return b.throwAway, nil
	}
	for waiting := false; ; {
		server, err := postgres.Start(ctx, postgres.Options{Cache: b.cache, Folder: b.postgresFolder()})
		if !postgres.IsInUse(err) {
			return server, err
		}
		if b.keeper() != 0 {
			server, err := postgres.Attach(ctx, b.postgresFolder())
			if err == nil {
				return server, nil
			}
		}
		if !waiting {
			b.say("waiting for another command that uses the local PostgreSQL")
			waiting = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// keeperFile holds the number of the process that `start` left behind.
func (b *bench) keeperFile() string { return filepath.Join(b.dir, "keeper") }

// keeper is that number, 0 for none. It is to be believed only while the
// server's folder is in use: a process that was killed leaves it behind.
func (b *bench) keeper() int {
	content, err := os.ReadFile(b.keeperFile())
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return pid
}

// writeKeeper says that this process is it.
func (b *bench) writeKeeper() error {
	file, err := createState(b.keeperFile())
	if err != nil {
		return err
	}
	_, err = file.WriteString(strconv.Itoa(os.Getpid()))
	return errors.Join(err, file.Close())
}

// createState makes a file of the clone's own folder anew. A link in its place,
// in a clone that belongs to another user, is replaced, not followed.
func createState(name string) (*os.File, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
}

func (b *bench) forgetKeeper() error {
	if err := os.Remove(b.keeperFile()); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
