package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/report"
)

// The folders and files of Flyway 13's command line, as its sources assemble
// them: two major versions of Jackson, parts that 12.4 has not, a folder with
// the network library of other databases' drivers.
const (
	partsOfFlyway13 = "flyway-core-utilities flyway-command-mcp flyway-command-test-connection flyway-locations-s3 " +
		"flyway-database-cockroachdb flyway-database-oracle flyway-database-redshift flyway-database-snowflake " +
		"flyway-gcp-spanner flyway-sqlserver flyway-mysql flyway-singlestore flyway-firebird flyway-nc-core " +
		"flyway-nc-scanners flyway-nc-callbacks flyway-verb-info flyway-verb-migrate flyway-verb-validate " +
		"flyway-database-nc-sqlite flyway-database-nc-mongodb"
	libOfFlyway13 = "jansi-4.0.7 slf4j-nop-2.0.17 jackson-core-2.21.1 jackson-databind-2.21.1 " +
		"jackson-dataformat-xml-3.1.1 jackson-datatype-jsr310-2.21.1 woodstox-core-7.1.1 stax2-api-4.2.2 jna-5.18.1 " +
		"jna-platform-5.18.1"
	othersOfFlyway13 = "lib/netty/netty-common-4.2.9.Final lib/aad/msal4j-1.23.1 lib/aad/azure-identity-1.18.1 " +
		"lib/oracle_wallet/oraclepki-23.26.0 drivers/mariadb-java-client-3.5.7 drivers/h2-2.4.240 " +
		"drivers/sqlite-jdbc-3.51.1.0 drivers/aws/s3-2.40.0 drivers/gcp/gax-2.72.0 " +
		"drivers/mongo/mongodb-driver-sync-5.6.2"
)

// flyway13 makes that layout with the jars that make up 12.4.0 in its places, and
// stand-ins without a class for the rest: 13's own command line is not available
// from Maven Central. It returns its home and the path of each stand-in.
func flyway13(t *testing.T) (home string, standIns []string) {
	t.Helper()
	found, err := downloads()
	if err != nil {
		t.Fatal(err)
	}
	home = t.TempDir()
	put := func(name string, content []byte) {
		t.Helper()
		file := filepath.Join(home, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	real, err := filepath.Glob(filepath.Join(found[0], "*.jar"))
	if err != nil || len(real) == 0 {
		t.Fatalf("%v in %s, %v", real, found[0], err)
	}
	for _, jar := range real {
		content, err := os.ReadFile(jar)
		if err != nil {
			t.Fatal(err)
		}
		folder := "lib/"
		switch name := filepath.Base(jar); {
		case strings.HasPrefix(name, "flyway-"):
			folder = "lib/flyway/"
		case strings.HasPrefix(name, "postgresql-"):
			folder = "drivers/"
		}
		put(folder+filepath.Base(jar), content)
	}
	var names []string
	for part := range strings.FieldsSeq(partsOfFlyway13) {
		names = append(names, "lib/flyway/"+part+"-12.4.0")
	}
	for library := range strings.FieldsSeq(libOfFlyway13) {
		names = append(names, "lib/"+library)
	}
	for _, name := range append(names, strings.Fields(othersOfFlyway13)...) {
		put(name+".jar", emptyJar(t, name))
		standIns = append(standIns, filepath.Join(home, filepath.FromSlash(name+".jar")))
	}
	put("conf/flyway.toml.example", nil)
	put("drivers/put-your-jdbc-drivers-here.txt", nil)
	return home, standIns
}

// emptyJar is a jar with nothing but its name in it.
func emptyJar(t *testing.T, name string) []byte {
	t.Helper()
	var out strings.Builder
	archive := zip.NewWriter(&out)
	entry, err := archive.Create("META-INF/MANIFEST.MF")
	if err == nil {
		_, err = fmt.Fprintf(entry, "Manifest-Version: 1.0\r\nImplementation-Title: %s\r\n\r\n", filepath.Base(name))
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

// insisting is a JAVA_HOME whose java fails where it can't use the class-data
// archive, which Java otherwise leaves aside without a word.
func insisting(t *testing.T, javaHome string) string {
	t.Helper()
	home := t.TempDir()
	text := "#!/bin/sh\nfor option; do shift; [ \"$option\" = -Xshare:auto ] && option=-Xshare:on; set -- \"$@\" " +
		"\"$option\"; done\nexec '" + javaHome + "/bin/java' \"$@\"\n"
	file := filepath.Join(home, "bin", "java")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755)); err != nil {
		t.Fatal(err)
	}
	return home
}

// What the image's build and a run do with Flyway 13's layout: the checksums
// decide which jars stay, the class list may name classes that this Flyway has
// not, and a run has an archive of just these jars.
func TestLayoutOfFlyway13(t *testing.T) {
	t.Parallel()
	found, err := downloads()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	home, standIns := flyway13(t)
	env := []string{"SLIPWAY_FLYWAY_HOME=" + home}
	left := func() string {
		var names []string
		for _, jar := range standIns {
			if _, err := os.Stat(jar); err == nil {
				names = append(names, strings.TrimSuffix(filepath.Base(jar), ".jar"))
			}
		}
		return strings.Join(names, " ")
	}
	all := left()

	// With parts that no list names, nothing is wrong until one of them is needed.
	if code, out, stderr := p.run(env, "migrate"); code != 0 || !strings.Contains(out, "1 applied") {
		t.Fatalf("all jars: exit %d %s%s", code, out, stderr)
	}
	if code, _, stderr := p.run(env, "jars", "../docker/flyway.sums"); code != 0 ||
		!strings.Contains(stderr, "flyway-command-mcp-12.4.0.jar is not in the list: deleted") {
		t.Fatalf("jars: exit %d %s", code, stderr)
	}
	// What was on no class path stays, and so does what belongs to nobody.
	want := strings.Join(strings.Fields(all)[4:21], " ") + " " + strings.Join(strings.Fields(all)[31:], " ")
	if got := left(); got != want {
		t.Errorf("left are\n%s, want\n%s", got, want)
	}

	list, err := os.ReadFile("../docker/flyway.classlist")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	classes, archive := filepath.Join(folder, "classlist"), filepath.Join(folder, "flyway.jsa")
	if err := os.WriteFile(classes, append(list, "org/flywaydb/core/Gone\norg/flywaydb/commandline/GoneToo\n"...),
		0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := p.run(env, "archive", classes, archive)
	if code != 0 || !strings.Contains(stderr, "classes of "+classes+
		" are not in this Flyway or this Java, and were left out") {
		t.Fatalf("archive: exit %d %s", code, stderr)
	}
	p.write("V2__b.sql", "CREATE TABLE b (id int);")
	env = append(env, "SLIPWAY_CLASS_ARCHIVE="+archive, "JAVA_HOME="+insisting(t, found[1]))
	code, out, stderr := p.run(env, "migrate", "--json")
	if rep := p.json(out); code != 0 || rep.Code != report.OK || len(rep.Applied) != 1 ||
		rep.FlywayVersion != "12.4.0" {
		t.Errorf("with the archive: exit %d %s%s", code, out, stderr)
	}

	// An archive of other jars is none, and this java says so.
	if err := os.WriteFile(filepath.Join(home, "lib", "more-1.jar"), emptyJar(t, "more"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.write("V3__c.sql", "CREATE TABLE c (id int);")
	if code, out, stderr := p.run(append(env, "SLIPWAY_DEBUG=true"), "migrate"); code == 0 {
		t.Errorf("one more jar, and java took the archive: %s%s", out, stderr)
	}
}

func TestFlywayWithAJarTooManyOrTooFew(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	home, _ := flyway13(t)
	env := []string{"SLIPWAY_FLYWAY_HOME=" + home}
	second := filepath.Join(home, "lib", "flyway", "flyway-core-13.12.1.jar")
	if err := os.WriteFile(second, emptyJar(t, "flyway-core"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate"}, {"jars", "../docker/flyway.sums"},
		{"archive", "../docker/flyway.classlist", p.folder + "/x.jsa"}} {
		if code, out, stderr := p.run(env, args...); code == 0 || !strings.Contains(out+stderr, "has a jar twice") ||
			!strings.Contains(out+stderr, second) {
			t.Errorf("%s: exit %d %s%s", args, code, out, stderr)
		}
	}
	if err := errors.Join(os.Remove(second),
		os.Remove(filepath.Join(home, "lib", "flyway", "flyway-reports-12.4.0.jar"))); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := p.run(env, "migrate"); code == 0 ||
		!strings.Contains(out, "no flyway-reports-*.jar in "+home) {
		t.Errorf("exit %d %s%s", code, out, stderr)
	}
}
