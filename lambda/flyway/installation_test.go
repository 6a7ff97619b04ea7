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
	for _, artifact := range artifacts {
		folder := "lib"
		switch {
		case artifact == "postgresql":
			folder = "drivers"
		case strings.HasPrefix(artifact, "flyway-"):
			folder = "lib/flyway"
		}
		if !slices.Contains(without, artifact) {
			jar(t, home, folder+"/"+artifact+"-12.4.0.jar")
		}
	}
	java, err := filepath.Abs("testdata/java")
	if err != nil {
		t.Fatal(err)
	}
	return Installation{Home: home, Java: java}
}

func jar(t testing.TB, home, name string) {
	t.Helper()
	file := filepath.Join(home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Flyway 13 has parts that 12.4 has not. What its launcher would take is taken,
// but for other databases.
func TestClassPathIsWhatStandsInLib(t *testing.T) {
	i := jars(t)
	first, err := i.ClassPath()
	if err != nil || len(first) != len(artifacts) {
		t.Fatalf("%q, %v", first, err)
	}
	for _, more := range []string{
		"lib/flyway/flyway-core-utilities-13.12.1.jar", "lib/flyway/flyway-command-mcp-13.12.1.jar", "lib/plugins/own-1.jar",
		"lib/flyway/flyway-locations-s3-13.12.1.jar", "lib/no-version.jar",
	} {
		jar(t, i.Home, more)
	}
	for _, left := range []string{
		"lib/flyway/flyway-mysql-13.12.1.jar", "lib/flyway/flyway-database-oracle-13.12.1.jar", "lib/flyway/flyway-database-nc-sqlite-13.12.1.jar",
		"lib/flyway/flyway-nc-core-13.12.1.jar", "lib/flyway/flyway-verb-migrate-13.12.1.jar", "lib/flyway/flyway-gcp-spanner-13.12.1.jar",
		"lib/aad/msal4j-1.0.jar", "lib/oracle_wallet/oraclepki-1.jar", "drivers/mariadb-java-client-3.jar", "drivers/postgresql-extra-1.jar",
		"drivers/aws/s3-2.jar", "jars/mine-1.jar", "sql/x.jar",
	} {
		jar(t, i.Home, left)
	}
	path, err := i.ClassPath()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range path {
		name, _ := filepath.Rel(i.Home, file)
		if !slices.Contains(first, file) {
			got = append(got, filepath.ToSlash(name))
		}
	}
	want := "lib/flyway/flyway-command-mcp-13.12.1.jar lib/flyway/flyway-core-utilities-13.12.1.jar lib/flyway/flyway-locations-s3-13.12.1.jar " +
		"lib/no-version.jar lib/plugins/own-1.jar"
	if strings.Join(got, " ") != want {
		t.Errorf("besides 12.4's\n got %s\nwant %s", strings.Join(got, " "), want)
	}
	if again, _ := i.ClassPath(); !slices.Equal(again, path) {
		t.Error("the order differs each time")
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
