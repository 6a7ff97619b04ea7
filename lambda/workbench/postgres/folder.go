package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
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
	var err error
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
		if folder, err = os.MkdirTemp(parent, "slipway-postgres-"); err != nil {
			return "", err
		}
	default:
		folder = Place(folder)
		err = os.MkdirAll(folder, 0o755)
		if err == nil && filepath.Dir(folder) == otherFolders {
			err = makeOpen(otherFolders)
		}
		if err != nil {
			return "", fmt.Errorf("the folder of the database files: %w", err)
		}
	}
	if s.root, err = enter(folder); err != nil {
		return "", err
	}
	unlock, err := lock(s.root)
	if err != nil {
		return "", errors.Join(err, s.root.Close())
	}
	s.unlock = func() {
		unlock()
		s.root.Close()
	}
	file, err := s.root.Open(".")
	if err != nil {
		return "", err
	}
	defer file.Close()
	return folder, hand(file, who)
}

// enter opens the folder for everything that is done in it. It belongs to the
// user that PostgreSQL runs as, who may put links there: an [os.Root] follows
// none that leads out. The folder itself is no link, where root asks.
func enter(folder string) (*os.Root, error) {
	info, err := os.Lstat(folder)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 && !info.IsDir() {
		return nil, fmt.Errorf("%s is a link, which root does not follow: name the folder that it leads to", folder)
	}
	return os.OpenRoot(folder)
}

// fresh makes a new file in the place of what had its name.
func fresh(root *os.Root, name string) (*os.File, error) {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// lock takes the folder for this process, until unlock or its end.
func lock(root *os.Root) (unlock func(), err error) {
	if info, err := root.Lstat(lockFile); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s/%s is no file: remove it", root.Name(), lockFile)
	}
	file, err := root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", root.Name(), errInUse)
		}
		return nil, err
	}
	return func() { file.Close() }, nil
}

// initialise runs initdb where there is no complete server yet, and reads the
// superuser's password.
func (s *Server) initialise(ctx context.Context, binaries string, who *syscall.Credential, fast bool) error {
	secret := filepath.Join(s.folder, passwordFile)
	if version, err := s.root.ReadFile("data/PG_VERSION"); err == nil {
		major, _, _ := strings.Cut(distribution.PostgresVersion, ".")
		if strings.TrimSpace(string(version)) != major {
			return fmt.Errorf("the database files in %s are of PostgreSQL %s, this is %s: `make clean` forgets them",
				s.folder, strings.TrimSpace(string(version)), distribution.PostgresVersion)
		}
		password, err := s.root.ReadFile(passwordFile)
		s.password = string(password)
		return err
	}
	if err := s.writePassword(who); err != nil {
		return err
	}
	// Under another name until it is complete: an interrupted initdb must not
	// pass for a server.
	const unfinished = "data.new"
	for _, dir := range []string{unfinished, "data"} {
		if err := s.root.RemoveAll(dir); err != nil {
			return err
		}
	}
	arguments := []string{
		"--pgdata=" + filepath.Join(s.folder, unfinished), "--username=" + Superuser, "--pwfile=" + secret,
		"--auth=scram-sha-256",
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
	return s.root.Rename(unfinished, "data")
}

// writePassword makes the superuser's password, in a file that initdb can read.
func (s *Server) writePassword(who *syscall.Credential) error {
	file, err := fresh(s.root, passwordFile)
	if err != nil {
		return err
	}
	defer file.Close()
	s.password = rand.Text()
	if _, err := file.WriteString(s.password); err != nil {
		return err
	}
	return hand(file, who)
}

// awaitPredecessor waits until a server that lost its process, and so is
// ending, has let go of the data.
func awaitPredecessor(ctx context.Context, root *os.Root) error {
	deadline := time.Now().Add(15 * time.Second)
	for time.Now().Before(deadline) {
		pid, _, err := readPidFile(root)
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

// readPidFile is what postmaster.pid says of the server in the folder.
func readPidFile(root *os.Root) (pid, port int, err error) {
	content, err := root.ReadFile("data/postmaster.pid")
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
