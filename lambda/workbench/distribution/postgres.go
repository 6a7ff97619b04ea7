package distribution

import (
	"archive/zip"
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/xi2/xz"
)

// Postgres makes sure that PostgreSQL [PostgresVersion] is there for this
// system and returns the folder that holds bin/initdb and bin/postgres. It
// fails on systems for which there is no archive.
func (c *Cache) Postgres(ctx context.Context) (string, error) {
	system := runtime.GOOS + "/" + runtime.GOARCH
	p, ok := postgresPins[system]
	switch {
	case !ok:
		return "", fmt.Errorf("there is no embedded PostgreSQL for %s: use Linux or macOS (on Windows: WSL), or a "+
			"database of your own with DATABASE_URL (to rehearse: COPY)", system)
	case c.onAlpine():
		return "", fmt.Errorf("the embedded PostgreSQL needs glibc, which Alpine Linux has not: use another " +
			"distribution, or a database of your own with DATABASE_URL (to rehearse: COPY)")
	}
	name := fmt.Sprintf("postgresql-%s-%s-%s", PostgresVersion, runtime.GOOS, runtime.GOARCH)
	return c.unpacked(ctx, name, p, unpackPostgres)
}

// unpackPostgres unpacks the one .txz that the jar holds.
func unpackPostgres(jar, dir string) error {
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if !strings.HasSuffix(entry.Name, ".txz") {
			continue
		}
		compressed, err := entry.Open()
		if err != nil {
			return err
		}
		defer compressed.Close()
		content, err := xz.NewReader(compressed, 0)
		if err != nil {
			return err
		}
		return untar(content, "", dir)
	}
	return fmt.Errorf("it holds no .txz")
}
