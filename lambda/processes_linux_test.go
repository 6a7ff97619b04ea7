package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// javas are the processes of Flyway that work on the database, by their
// environments. Zombies have none.
func javas(t *testing.T, database string) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environ, []byte("FLYWAY_URL=")) &&
			bytes.Contains(environ, []byte("/"+database+"?")) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

// When the program is killed, Java goes with it, and the next run ends what
// its statement left in the database.
func TestKilledProgramTakesJavaWithIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "SELECT pg_sleep(600);"})
	cmd, _, _ := p.process(nil, "migrate")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.await("the second script", "SELECT count(*) = 1 "+ours+" AND query LIKE '%pg_sleep%' AND state = 'active'")
	if len(javas(t, p.database)) != 1 {
		t.Errorf("java runs as %v", javas(t, p.database))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for end := time.Now().Add(10 * time.Second); len(javas(t, p.database)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("processes are left: %v", javas(t, p.database))
		}
	}
	p.write("V2__b.sql", "SELECT 2;")
	code, out, err := p.run(nil, "migrate")
	if code != 0 || !strings.Contains(out, "schema version 2") {
		t.Errorf("the next run: exit %d %s%s", code, out, err)
	}
	// A server's process may outlive its client for a moment.
	p.await("the end of all sessions", "SELECT count(*) = 0 "+ours)
}
