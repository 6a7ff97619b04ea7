package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
	"slipway/lambda/workbench/secrets"
)

// stage is what all contestants share: a server, a secret, and the tools.
type stage struct {
	log      io.Writer
	folder   string // temporary
	postgres *postgres.Server
	secrets  *secrets.Server
	user     string
	password string
	jars     string // folder of Flyway's
	java21   string // the command java
	archive  string // class-data archive for it
	program  string // slipway
	goose    string
	aws      string // AWS CLI, "" where there is none
	psql     string // "" where there is none

	releases  map[benchCase]*job
	templates map[string]bool
	count     int
}

func newStage(ctx context.Context, log io.Writer) (s *stage, err error) {
	dir, err := distribution.DefaultDir()
	if err != nil {
		return nil, err
	}
	cache := &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: log}
	s = &stage{log: log, user: "bench", password: "not-a-secret", releases: map[benchCase]*job{},
		templates: map[string]bool{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "slipway-benchmark-"); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"recipe.sh": recipeScript, "flyway": launcherScript} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o755); err != nil {
			return nil, err
		}
	}
	if s.jars, err = cache.Flyway(ctx); err != nil {
		return nil, err
	}
	// The Java of the image, whatever else the machine has.
	if s.java21, err = cache.JavaOfTheImage(ctx); err != nil {
		return nil, err
	}
	if err := s.buildTools(ctx, filepath.Join(dir, "benchmark")); err != nil {
		return nil, err
	}
	if s.secrets, err = secrets.Start(); err != nil {
		return nil, err
	}
	if s.postgres, err = postgres.Start(ctx, postgres.Options{Cache: cache, Ephemeral: true}); err != nil {
		return nil, err
	}
	return s, s.postgres.CreateRole(ctx, s.user, s.password)
}

func (s *stage) close() {
	if s.postgres != nil {
		if err := s.postgres.Stop(); err != nil {
			fmt.Fprintln(s.log, err)
		}
	}
	if s.secrets != nil {
		s.secrets.Close()
	}
	os.RemoveAll(s.folder)
}

func (s *stage) secret(database string) string {
	return s.secrets.Set(database, fmt.Sprintf(`{"username":%q,"password":%q,"host":"127.0.0.1","port":%d,"dbname":%q}`,
		s.user, s.password, s.postgres.Port, database))
}

// job prepares a database in the state in which that contestant's run begins.
func (s *stage) job(ctx context.Context, c benchCase, who contestant) (*job, error) {
	release, err := s.release(c)
	if err != nil {
		return nil, err
	}
	template, err := s.template(ctx, c.applied, who)
	if err != nil {
		return nil, err
	}
	j := *release
	s.count++
	j.temp = filepath.Join(s.folder, fmt.Sprintf("temp%d", s.count))
	j.database = fmt.Sprintf("run%d", s.count)
	if err := os.MkdirAll(j.temp, 0o755); err != nil {
		return nil, err
	}
	return &j, s.sql(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s", j.database, s.user, template))
}

// done checks that the run did what it should have done, and clears up.
func (s *stage) done(ctx context.Context, j *job, who contestant) error {
	defer os.RemoveAll(j.temp)
	if who.history != "" {
		var n int
		conn, err := pgx.Connect(ctx, s.postgres.URL(j.database))
		if err != nil {
			return err
		}
		column := map[string]string{flywayHistory: "success",
			gooseHistory: "is_applied AND version_id > 0"}[who.history]
		err = conn.QueryRow(ctx, "SELECT count(*) FROM "+who.history+" WHERE "+column).Scan(&n)
		conn.Close(ctx)
		if err != nil || n != j.applied+j.pending {
			return fmt.Errorf("%s on %d applied and %d pending scripts: its history has %d (%v)", who.name, j.applied,
				j.pending, n, err)
		}
	}
	return s.postgres.DropDatabase(ctx, j.database)
}

func (s *stage) release(c benchCase) (*job, error) {
	if j, ok := s.releases[c]; ok {
		return j, nil
	}
	j, err := writeScripts(filepath.Join(s.folder, fmt.Sprintf("release-%d-%d", c.applied, c.pending)), c)
	s.releases[c] = j
	return j, err
}

// template is a database with so many scripts applied, by Slipway or by goose.
func (s *stage) template(ctx context.Context, applied int, who contestant) (string, error) {
	migrate, kind := s.slipway, "flyway"
	if who.history == gooseHistory {
		migrate, kind = s.gooseUp, "goose"
	}
	name := fmt.Sprintf("%s_%d", kind, applied)
	if s.templates[name] {
		return name, nil
	}
	release, err := s.release(benchCase{applied, 0})
	if err != nil {
		return "", err
	}
	j := *release
	j.database, j.temp = name, filepath.Join(s.folder, name)
	if err := os.MkdirAll(j.temp, 0o755); err != nil {
		return "", err
	}
	if err := s.sql(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE template0", name, s.user)); err != nil {
		return "", err
	}
	cmd, err := migrate(&j)
	if err == nil {
		err = explain(cmd)
	}
	s.templates[name] = err == nil
	return name, err
}

// explain runs a command and, where it fails, says what it printed.
func explain(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

func (s *stage) sql(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
