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

// What the launcher would take is taken, but for other databases.
func TestClassPathIsWhatStandsInLib(t *testing.T) {
	i := jars(t)
	first, err := i.ClassPath()
	if err != nil || len(first) != len(artifacts) {
		t.Fatalf("%q, %v", first, err)
	}
	for _, more := range []string{"lib/plugins/own-1.jar", "lib/flyway/flyway-locations-s3-12.4.0.jar",
		"lib/no-version.jar"} {
		jar(t, i.Home, more)
	}
	for _, left := range []string{
		"lib/flyway/flyway-mysql-12.4.0.jar", "lib/flyway/flyway-database-oracle-12.4.0.jar",
		"lib/flyway/flyway-database-nc-sqlite-12.4.0.jar", "lib/flyway/flyway-nc-core-12.4.0.jar",
		"lib/flyway/flyway-verb-migrate-12.4.0.jar", "lib/flyway/flyway-gcp-spanner-12.4.0.jar",
		"lib/flyway/old/flyway-core-12.3.0.jar", "lib/aad/msal4j-1.0.jar", "lib/oracle_wallet/oraclepki-1.jar",
		"lib/netty/netty-common-4.1.9.Final.jar", "drivers/mariadb-java-client-3.jar", "drivers/postgresql-extra-1.jar",
		"drivers/aws/s3-2.jar", "drivers/old/postgresql-42.2.0.jar", "jars/mine-1.jar", "sql/x.jar",
	} {
		jar(t, i.Home, left)
	}
	path, err := i.ClassPath()
	if err != nil {
		t.Fatal(err)
	}
	want := "lib/no-version.jar lib/flyway/flyway-locations-s3-12.4.0.jar lib/plugins/own-1.jar"
	if got := besides(t, i, path, first); got != want {
		t.Errorf("besides those that are needed\n got %s\nwant %s", got, want)
	}
	if again, _ := i.ClassPath(); !slices.Equal(again, path) {
		t.Error("the order differs each time")
	}
	if i.Version() != "12.4.0" {
		t.Errorf("version %q", i.Version())
	}
}

// besides lists the jars of a class path that are not among the known ones.
func besides(t *testing.T, i Installation, path, known []string) string {
	t.Helper()
	var more []string
	for _, file := range path {
		name, err := filepath.Rel(i.Home, file)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(known, file) {
			more = append(more, filepath.ToSlash(name))
		}
	}
	return strings.Join(more, " ")
}

// A link counts as what it leads to, a folder or a jar; one that leads nowhere is
// an error with its name.
func TestClassPathFollowsLinks(t *testing.T) {
	i := jars(t)
	drivers := filepath.Join(i.Home, "drivers")
	elsewhere := filepath.Join(t.TempDir(), "drivers")
	if err := errors.Join(os.Rename(drivers, elsewhere), os.Symlink(elsewhere, drivers)); err != nil {
		t.Fatal(err)
	}
	jar(t, i.Home, "elsewhere/extra-1.jar")
	if err := os.Symlink(filepath.Join(i.Home, "elsewhere"), filepath.Join(i.Home, "lib", "linked")); err != nil {
		t.Fatal(err)
	}
	path, err := i.ClassPath()
	if got := strings.Join(path, " "); err != nil || !strings.Contains(got, "lib/linked/extra-1.jar") ||
		!strings.Contains(got, "drivers/postgresql-") {
		t.Errorf("%s, %v", got, err)
	}
	if err := os.Symlink("nowhere.jar", filepath.Join(i.Home, "lib", "broken.jar")); err != nil {
		t.Fatal(err)
	}
	if _, err := i.ClassPath(); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "broken.jar") {
		t.Errorf("a link that leads nowhere: %v", err)
	}
}

// Of two versions, Java would take each class from the first.
func TestAJarThatIsThereTwice(t *testing.T) {
	for _, c := range []struct {
		more  string
		twice bool
	}{
		{"lib/flyway/flyway-core-13.12.1.jar", true},
		{"lib/flyway-core-12.4.0.jar", true}, // the same one in another folder
		{"lib/plugins/flyway-reports-12.3.0.jar", true},
		{"drivers/postgresql-42.7.8.jar", true},
		{"drivers/postgresql-43.0.0.jar", true},
		{"lib/commons-text-12.1.0.jar", true},
		// Of a library, Flyway's lib has two major versions with other packages.
		{"lib/jackson-core-2.21.1.jar", false},
		{"lib/jackson-databind-2.21.1.jar", false},
		{"lib/commons-text-12.4.0-linux.jar", false}, // natives beside the classes
		{"lib/jackson-core-utilities-12.4.0.jar", false},
	} {
		i := jars(t)
		jar(t, i.Home, c.more)
		_, err := i.ClassPath()
		if errors.Is(err, ErrTwice) != c.twice || c.twice &&
			!strings.Contains(err.Error(), filepath.FromSlash(c.more)) {
			t.Errorf("%s: %v", c.more, err)
		}
	}
}

// Parts that the command line needs since a version are needed from that on.
func TestJarsThatLaterVersionsNeed(t *testing.T) {
	for version, missing := range map[string]string{
		"12.6.9": "", "12.7.0": "flyway-command-mcp", "13.3.0": "flyway-command-mcp", "13.4.0": "flyway-core-utilities",
		"13.12.1": "flyway-core-utilities",
	} {
		i := jars(t, "flyway-core")
		jar(t, i.Home, "lib/flyway/flyway-core-"+version+".jar")
		if missing == "flyway-core-utilities" {
			jar(t, i.Home, "lib/flyway/flyway-command-mcp-"+version+".jar")
		}
		_, err := i.ClassPath()
		if i.Version() != version || (missing == "") != (err == nil) || err != nil &&
			!strings.Contains(err.Error(), "no "+missing+"-*.jar") {
			t.Errorf("%s (%s): %v", version, i.Version(), err)
		}
	}
}

func TestEveryJarIsNeeded(t *testing.T) {
	for _, artifact := range artifacts {
		_, err := jars(t, artifact).ClassPath()
		if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "no "+artifact+"-*.jar") ||
			!strings.Contains(err.Error(), "SLIPWAY_FLYWAY_HOME") {
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
