package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The archive is made once, and Java takes it: it would say so if it did not.
func TestClassArchiveIsMadeOnce(t *testing.T) {
	b, _, progress := testBench(t)
	env, err := b.programEnvironment(t.Context(), "sql/postgresql")
	if err != nil {
		t.Fatal(err)
	}
	program, err := b.build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Among copies of its own, so that it isn't there yet.
	jars, err := filepath.Glob(filepath.Join(env["SLIPWAY_FLYWAY_HOME"], "*.jar"))
	if err != nil || len(jars) == 0 {
		t.Fatal(err, jars)
	}
	env["SLIPWAY_FLYWAY_HOME"] = t.TempDir()
	for _, jar := range jars {
		content, err := os.ReadFile(jar)
		if err == nil {
			err = os.WriteFile(filepath.Join(env["SLIPWAY_FLYWAY_HOME"], filepath.Base(jar)), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cache := *b.cache
	cache.Dir = t.TempDir()
	b.cache = &cache
	first := b.classArchive(t.Context(), program, env)
	if info, err := os.Stat(first); err != nil || info.Size() < 10e6 {
		t.Fatalf("%q: %v\n%s", first, err, progress)
	}
	if second := b.classArchive(t.Context(), program, env); second != first {
		t.Errorf("made another one: %s after %s", second, first)
	}
	if n := strings.Count(progress.String(), "making a class-data archive"); n != 1 {
		t.Errorf("made %d times", n)
	}
	if left, _ := filepath.Glob(filepath.Join(cache.Dir, "classes-*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoClassArchiveIsNoFailure(t *testing.T) {
	b, _, _ := testBench(t)
	t.Chdir(t.TempDir())
	if got := b.classArchive(t.Context(), "/nowhere", map[string]string{}); got != "" {
		t.Errorf("got %q without a list", got)
	}
	if err := os.Mkdir("docker", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(classList, []byte("java/lang/Object\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := b.classArchive(t.Context(), "/nowhere", map[string]string{"JAVA_HOME": "/nowhere"}); got != "" {
		t.Errorf("got %q without a Java", got)
	}
}
