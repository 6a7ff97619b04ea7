package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The versions of what Slipway is measured beside.
const (
	gooseVersion = "v3.27.0"
	awsVersion   = "1.42.0"
)

// gooseTags leave the drivers of other databases out of goose: the smaller
// program starts faster.
const gooseTags = "no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb no_duckdb no_turso " +
	"no_starrocks no_spanner"

// buildTools builds the program as the image has it, and its class-data
// archive, and fetches goose and the AWS CLI into cache, once.
func (s *stage) buildTools(ctx context.Context, cache string) error {
	if _, err := os.Stat("lambda/main.go"); err != nil {
		return fmt.Errorf("there is no lambda/main.go here: run this in the project's folder")
	}
	s.program, s.archive = filepath.Join(s.folder, "slipway"), filepath.Join(s.folder, "flyway.jsa")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", s.program,
		"./lambda")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := explain(build); err != nil {
		return err
	}
	archive := exec.CommandContext(ctx, s.program, "archive", "docker/flyway.classlist", s.archive)
	archive.Env = append(os.Environ(), "JAVA_HOME="+filepath.Dir(filepath.Dir(s.java21)), "SLIPWAY_FLYWAY_HOME="+s.jars)
	if err := explain(archive); err != nil {
		return err
	}
	if err := s.fetchGoose(ctx, filepath.Join(cache, "goose-"+gooseVersion)); err != nil {
		return err
	}
	s.fetchAWS(ctx, filepath.Join(cache, "awscli-"+awsVersion))
	return nil
}

func (s *stage) fetchGoose(ctx context.Context, dir string) error {
	s.goose = filepath.Join(dir, "goose")
	if _, err := os.Stat(s.goose); err == nil {
		return nil
	}
	fmt.Fprintln(s.log, "building goose "+gooseVersion)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Outside of this module, whose go.mod it is not to touch.
	install := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags=-s -w", "-tags="+gooseTags,
		"github.com/pressly/goose/v3/cmd/goose@"+gooseVersion)
	install.Dir = dir
	install.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	return explain(install)
}

// fetchAWS leaves s.aws empty where it can't be had; the table then says so.
func (s *stage) fetchAWS(ctx context.Context, dir string) {
	aws := filepath.Join(dir, "bin", "aws")
	if _, err := os.Stat(aws); err == nil {
		s.aws = aws
		return
	}
	fmt.Fprintln(s.log, "installing the AWS CLI "+awsVersion)
	for _, args := range [][]string{
		{"python3", "-m", "venv", dir},
		{filepath.Join(dir, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
			"--only-binary=:all:", "--requirement", "infra/local/awscli.lock"},
	} {
		if err := explain(exec.CommandContext(ctx, args[0], args[1:]...)); err != nil {
			fmt.Fprintf(s.log, "the recipe is measured without its AWS CLI call: %v\n", err)
			os.RemoveAll(dir)
			return
		}
	}
	s.aws = aws
}
