// Package postgres runs an embedded PostgreSQL: for `run` and `start` on a
// laptop, where its data persists, and for tests, where it doesn't.
//
// The server never outlives the process that started it, even when that is
// killed; see package guard. So nothing is started detached, and no hook in
// main or TestMain is needed.
//
// PostgreSQL refuses to run as root. Started by root it runs as the uid 65534,
// and where that uid can't reach the given folders (a HOME of mode 0700), in
// folders below /var instead; see [Place].
//
// The package decides how the server is configured and guarded. What goes into
// it, and when it ends, is the caller's.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/guard"
)

// Superuser is the name of the role that owns the server. It is not "postgres",
// which on RDS and Aurora is the name of a role that may less; there it can be made so.
const Superuser = "server_owner"

// Options say which server to start.
type Options struct {
	// Cache provides PostgreSQL's binaries. Required.
	Cache *distribution.Cache
	// Folder holds the database files, the superuser's password and the log.
	// A folder that holds a server already is started as it is. Default, only
	// when Ephemeral: a new temporary folder.
	Folder string
	// Ephemeral trades safety for speed (nothing is synced to disk) and deletes
	// the folder when the server ends, however it ends.
	Ephemeral bool
	// Port is where it listens. Default: a free port, another one at each start.
	Port int
	// Settings are additional parameters of the server, such as "ssl": "on".
	Settings map[string]string
}

// Server is a running PostgreSQL on 127.0.0.1.
type Server struct {
	// Port is the TCP port it listens on.
	Port int

	password string
	folder   string
	root     *os.Root // the folder, nil after Attach
	remove   bool
	unlock   func()
	process  *guard.Process // nil after Attach
	stop     sync.Once
}

// errInUse is the answer of Start and Attach when another process has the folder.
var errInUse = errors.New("the folder's server is in use by another process")

// IsInUse tells whether err says that another process has the folder's server.
func IsInUse(err error) bool { return errors.Is(err, errInUse) }

// Start starts a server and waits until it answers. The caller must call
// [Server.Stop]. It fails when another process runs a server on the folder
// ([IsInUse]), and when the server doesn't come up; the error then has the end
// of its log.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{remove: o.Ephemeral, unlock: func() {}}
	who, err := owner()
	if err != nil {
		return nil, err
	}
	binaries, err := Fetch(ctx, o.Cache)
	if err != nil {
		return nil, err
	}
	// Made first: whether it can be reached may depend on the umask.
	if err := os.MkdirAll(filepath.Dir(o.Folder), 0o755); err != nil {
		return nil, err
	}
	if who != nil && o.Folder != "" {
		adopt(who, filepath.Join(Place(o.Folder), "data"))
	}
	if s.folder, err = s.prepare(o, who); err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			s.unlock()
			if s.remove {
				os.RemoveAll(s.folder)
			}
		}
	}()
	if err := s.initialise(ctx, binaries, who, o.Ephemeral); err != nil {
		return nil, err
	}
	if err := awaitPredecessor(ctx, s.root); err != nil {
		return nil, err
	}
	// The port is free when it is chosen, but another process may be quicker.
	for attempt := 0; ; attempt++ {
		if err = s.launch(ctx, binaries, who, o); err == nil {
			started = true
			return s, nil
		}
		if attempt == 4 || ctx.Err() != nil || !strings.Contains(err.Error(), "Address already in use") {
			return nil, err
		}
	}
}

// Fetch makes sure that PostgreSQL's binaries are where [Start] will look for
// them, and returns their folder. Start does it too.
func Fetch(ctx context.Context, cache *distribution.Cache) (string, error) {
	who, err := owner()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache.Dir, 0o755); err != nil {
		return "", fmt.Errorf("the folder for downloads: %w", err)
	}
	placed := *cache
	if placed.Dir = place(cache.Dir, otherCache, who); placed.Dir != cache.Dir {
		if err := makeOpen(placed.Dir); err != nil {
			return "", err
		}
	}
	return placed.Postgres(ctx)
}

// URL is the address of a database for the superuser. An empty database means
// postgres.
func (s *Server) URL(database string) string {
	return s.URLFor(Superuser, s.password, database)
}

// URLFor is the address of a database for any role.
func (s *Server) URLFor(user, password, database string) string {
	if database == "" {
		database = "postgres"
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Password is the superuser's. It is made once for each folder, at random.
func (s *Server) Password() string { return s.password }

// Done is closed when the server has ended, on Stop or by itself. It is nil,
// and so never ready, for a server from [Attach].
func (s *Server) Done() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.Done()
}

// Stop ends the server and waits until its processes are gone. Further calls
// do nothing. A server from [Attach] is left running.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	var err error
	s.stop.Do(func() {
		err = s.process.End(30 * time.Second)
		if s.remove {
			err = errors.Join(err, os.RemoveAll(s.folder))
		}
		s.unlock()
	})
	return err
}

func (s *Server) dataDir() string { return filepath.Join(s.folder, "data") }

// Files of the folder, beside data and server.log.
const (
	passwordFile = "password"
	lockFile     = "lock"
)
