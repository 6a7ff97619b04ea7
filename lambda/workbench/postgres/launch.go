package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"slipway/lambda/workbench/guard"

	"github.com/jackc/pgx/v5"
)

// command is one of PostgreSQL's programs, in an environment of its own.
func command(program string, arguments ...string) *exec.Cmd {
	c := exec.Command(program, arguments...)
	c.Dir = "/" // the user it runs as may not be allowed where we are
	c.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/"}
	return c
}

// launch starts PostgreSQL on a free port and waits until it answers.
func (s *Server) launch(ctx context.Context, binaries string, who *syscall.Credential, o Options) error {
	var err error
	if s.Port = o.Port; s.Port == 0 {
		if s.Port, err = freePort(); err != nil {
			return err
		}
	}
	log, err := fresh(s.root, "server.log")
	if err != nil {
		return err
	}
	defer log.Close()

	arguments := []string{"-D", s.dataDir()}
	settings := settings(s.Port, o)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		arguments = append(arguments, "-c", name+"="+settings[name])
	}
	options := guard.Options{User: who, Signal: "INT"}
	if o.Ephemeral {
		options.Signal, options.Remove = "QUIT", s.folder // no need for a checkpoint
	}
	postgres := command(filepath.Join(binaries, "bin", "postgres"), arguments...)
	postgres.Stdout, postgres.Stderr = log, log
	process, err := guard.Start(postgres, options)
	if err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	if err := s.awaitReady(ctx, process.Done()); err != nil {
		err = errors.Join(err, process.End(10*time.Second))
		// From the open file: the name may be gone already.
		content, _ := io.ReadAll(io.NewSectionReader(log, 0, 1<<20))
		return fmt.Errorf("PostgreSQL in %s did not start: %w\n%s", s.folder, err, tail(string(content)))
	}
	s.process = process
	return nil
}

// settings are the parameters of the server.
func settings(port int, o Options) map[string]string {
	settings := map[string]string{
		"port":                    strconv.Itoa(port),
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		// A crash of the machine may lose the last moments, but damages nothing.
		"synchronous_commit": "off",
	}
	if o.Ephemeral {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["wal_level"] = "minimal"
		settings["max_wal_senders"] = "0"
	}
	maps.Copy(settings, o.Settings)
	return settings
}

// awaitReady polls until the server takes a connection, or ended is closed.
func (s *Server) awaitReady(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it took no connection within a minute"))
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("%w (%v)", context.Cause(ctx), err)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (s *Server) ping(ctx context.Context) error {
	connection, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return err
	}
	return connection.Close(ctx)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
