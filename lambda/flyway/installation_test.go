package flyway

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// jars makes an installation of empty jars, in folders as the image has them.
func jars(t testing.TB, without ...string) Installation {
	t.Helper()
	home := t.TempDir()
	for i, artifact := range append(slices.Clone(artifacts), "flyway-mysql", "postgresql-extra", "mariadb-java-client") {
		if slices.Contains(without, artifact) {
			continue
		}
		version := "12.4.0"
		dir := filepath.Join(home, []string{"lib", "lib/flyway", "drivers"}[i%3])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, artifact+"-"+version+".jar"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	java, err := filepath.Abs("testdata/java")
	if err != nil {
		t.Fatal(err)
	}
	return Installation{Home: home, Java: java}
}

func TestClassPathIsWhatPostgreSQLNeedsInFixedOrder(t *testing.T) {
	i := jars(t)
	path, err := i.ClassPath()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, jar := range path {
		got = append(got, strings.TrimSuffix(filepath.Base(jar), "-12.4.0.jar"))
	}
	if !slices.Equal(got, artifacts) {
		t.Errorf("got %v", got)
	}
	if i.Version() != "12.4.0" {
		t.Errorf("version %q", i.Version())
	}
}

func TestEveryJarIsNeeded(t *testing.T) {
	for _, artifact := range artifacts {
		_, err := jars(t, artifact).ClassPath()
		if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "no "+artifact+"-*.jar") || !strings.Contains(err.Error(), "SLIPWAY_FLYWAY_HOME") {
			t.Errorf("without %s: %v", artifact, err)
		}
	}
	none := Installation{Home: filepath.Join(t.TempDir(), "missing")}
	if _, err := none.ClassPath(); !errors.Is(err, ErrIncomplete) || none.Version() != "" {
		t.Errorf("no folder: %v", err)
	}
}

func TestJavaOfJavaHomeComesFirst(t *testing.T) {
	home := t.TempDir()
	onPath := func(string) (string, error) { return "/path/java", nil }
	nowhere := func(string) (string, error) { return "", os.ErrNotExist }
	if java, err := FindJava(home, onPath); java != "/path/java" || err != nil {
		t.Errorf("JAVA_HOME without java: %s, %v", java, err)
	}
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(home, "bin", "java")
	if err := os.WriteFile(own, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if java, err := FindJava(home, onPath); java != own || err != nil {
		t.Errorf("%s, %v", java, err)
	}
	if java, err := FindJava("", onPath); java != "/path/java" || err != nil {
		t.Errorf("%s, %v", java, err)
	}
	if _, err := FindJava("", nowhere); err == nil || !strings.Contains(err.Error(), "Java 17") {
		t.Errorf("no java at all: %v", err)
	}
}
