package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/guard"
)

// prepare makes the folder of the server, locks it, and hands it to who.
func (s *Server) prepare(o Options, who *syscall.Credential) (string, error) {
	folder := o.Folder
	switch {
	case folder == "" && !o.Ephemeral:
		return "", errors.New("no folder for the database files is set")
	case folder == "":
		parent := place(os.TempDir(), otherFolders, who)
		if parent != os.TempDir() {
			if err := makeOpen(parent); err != nil {
				return "", err
			}
		}
		var err error
		if folder, err = os.MkdirTemp(parent, "slipway-postgres-"); err != nil {
			return "", err
		}
	default:
		folder = Place(folder)
		err := os.MkdirAll(folder, 0o755)
		if err == nil && filepath.Dir(folder) == otherFolders {
			err = makeOpen(otherFolders)
		}
		if err != nil {
			return "", fmt.Errorf("the folder of the database files: %w", err)
		}
	}
	unlock, err := lock(folder)
	if err != nil {
		return "", err
	}
	s.unlock = unlock
	return folder, hand(folder, who)
}

// lock takes the folder for this process, until unlock or its end.
func lock(folder string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", folder, errInUse)
		}
		return nil, err
	}
	return func() { file.Close() }, nil
}

// initialise runs initdb where there is no complete server yet, and reads the
// superuser's password.
func (s *Server) initialise(ctx context.Context, binaries string, who *syscall.Credential, fast bool) error {
	secret := passwordFile(s.folder)
	if version, err := os.ReadFile(filepath.Join(s.dataDir(), "PG_VERSION")); err == nil {
		major, _, _ := strings.Cut(distribution.PostgresVersion, ".")
		if strings.TrimSpace(string(version)) != major {
			return fmt.Errorf("the database files in %s are of PostgreSQL %s, this is %s: `make clean` forgets them", s.folder, strings.TrimSpace(string(version)), distribution.PostgresVersion)
		}
		password, err := os.ReadFile(secret)
		s.password = string(password)
		return err
	}
	s.password = rand.Text()
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if err := hand(secret, who); err != nil {
		return err
	}
	// Under another name until it is complete: an interrupted initdb must not
	// pass for a server.
	fresh := filepath.Join(s.folder, "data.new")
	for _, dir := range []string{fresh, s.dataDir()} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	arguments := []string{
		"--pgdata=" + fresh, "--username=" + Superuser, "--pwfile=" + secret, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
	}
	if fast {
		arguments = append(arguments, "--no-sync")
	}
	var out bytes.Buffer
	initdb := command(filepath.Join(binaries, "bin", "initdb"), arguments...)
	initdb.Stdout, initdb.Stderr = &out, &out
	process, err := guard.Start(initdb, guard.Options{User: who})
	if err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		return errors.Join(ctx.Err(), process.End(5*time.Second))
	}
	if code := process.ExitCode(); code != 0 {
		return fmt.Errorf("initdb in %s: exit code %d\n%s", s.folder, code, tail(out.String()))
	}
	return os.Rename(fresh, s.dataDir())
}

// awaitPredecessor waits until a server that lost its process, and so is
// ending, has let go of the data.
func awaitPredecessor(ctx context.Context, data string) error {
	deadline := time.Now().Add(15 * time.Second)
	for time.Now().Before(deadline) {
		pid, _, err := readPidFile(data)
		if err != nil || syscall.Kill(pid, 0) != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil // a foreign process has that number by now; PostgreSQL looks closer
}

// readPidFile is what postmaster.pid says of the server on data.
func readPidFile(data string) (pid, port int, err error) {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, 0, err
	}
	lines := strings.Split(string(content), "\n")
	if len(lines) < 4 {
		return 0, 0, errors.New("postmaster.pid is incomplete")
	}
	if pid, err = strconv.Atoi(lines[0]); err != nil {
		return 0, 0, err
	}
	port, err = strconv.Atoi(lines[3])
	return pid, port, err
}

// tail is the end of a log, at most 2,000 bytes.
func tail(log string) string {
	log = strings.TrimSpace(log)
	if len(log) > 2000 {
		log = "…" + strings.ToValidUTF8(log[len(log)-2000:], "")
	}
	return log
}
