package sqltext

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// sqlFiles are the .sql files below the folder that SLIPWAY_SQL_FILES names, see
// make differential: for instance PostgreSQL's own tests, apt-get source postgresql-15.
func sqlFiles(t *testing.T) map[string]string {
	root := os.Getenv("SLIPWAY_SQL_FILES")
	if root == "" {
		t.Skip("SLIPWAY_SQL_FILES names no folder, so the readers were compared on made-up scripts alone")
	}
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".sql") {
			return err
		}
		raw, err := os.ReadFile(path)
		if utf8.Valid(raw) {
			files[path] = string(raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Flyway's parser is the judge on real files too, whole and cut into statements.
func TestFlywayReadsFilesAlike(t *testing.T) {
	var names, scripts []string
	for name, sql := range sqlFiles(t) {
		names = append(names, name)
		scripts = append(scripts, sql)
		for _, s := range Split(sql) {
			names = append(names, name)
			scripts = append(scripts, sql[s.Start:s.Next])
		}
	}
	for version, jars := range flyways(t) {
		t.Run(version, func(t *testing.T) {
			different := 0
			askFlyway(t, jars, scripts, func(i int, want string) {
				if strings.Contains(scripts[i], "??") {
					return // the driver makes one of two
				}
				if got := foretell(scripts[i]); got != want {
					different++
					t.Errorf("%s: %.300q:\nFlyway: %.300s\nhere:   %.300s", names[i], scripts[i], readable(want),
						readable(got))
				}
			})
			t.Logf("%d scripts and statements, %d differences", len(scripts), different)
		})
	}
}
