package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// guard runs its arguments and ends them when its standard input ends, which
// is when the process that holds the other end is gone. $signal is how; $remove
// is a folder to delete afterwards.
const guard = `
exec 3<&0
"$@" 3<&- </dev/null &
child=$!
( read -r _ <&3; kill -$signal $child ) 2>/dev/null &
watch=$!
exec 3<&-
wait $child
code=$?
kill $watch 2>/dev/null
if [ -n "$remove" ]; then rm -rf "$remove"; fi
exit $code
`

// guarded is a command that lives no longer than this process and runs as who,
// in its own process group, so that a Ctrl-C of the terminal leaves its end to
// us. The caller opens its StdinPipe.
func guarded(ctx context.Context, who *syscall.Credential, remove string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", guard, "guard"}, arguments...)...)
	command.Dir = "/" // who may not be allowed where we are
	command.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/", "remove=" + remove, "signal=INT"}
	if remove != "" {
		command.Env = append(command.Env, "signal=QUIT") // no need for a checkpoint
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: who}
	command.Cancel = func() error { killGroup(command.Process.Pid); return nil }
	command.WaitDelay = 5 * time.Second
	return command
}

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// launch starts PostgreSQL on a free port and waits until it answers.
func (s *Server) launch(ctx context.Context, binaries string, who *syscall.Credential, o Options) error {
	var err error
	if s.Port = o.Port; s.Port == 0 {
		if s.Port, err = freePort(); err != nil {
			return err
		}
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer log.Close()

	arguments := []string{filepath.Join(binaries, "bin", "postgres"), "-D", s.dataDir()}
	settings := settings(s.Port, o)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		arguments = append(arguments, "-c", name+"="+settings[name])
	}
	remove := ""
	if o.Ephemeral {
		remove = s.folder
	}
	// Not bound to ctx, which may be only the start's.
	command := guarded(context.Background(), who, remove, arguments...)
	command.Stdout, command.Stderr = log, log
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		command.Wait()
		close(ended)
	}()
	if err := s.awaitReady(ctx, ended); err != nil {
		stdin.Close()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			killGroup(command.Process.Pid)
			<-ended
		}
		// From the open file: the name may be gone already.
		content, _ := io.ReadAll(io.NewSectionReader(log, 0, 1<<20))
		return fmt.Errorf("PostgreSQL in %s did not start: %w\n%s", s.folder, err, tail(string(content)))
	}
	s.guard, s.stdin, s.ended = command, stdin, ended
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
