package flyway

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func command() Command {
	return Command{
		Verb: "migrate", URL: "jdbc:postgresql://h:5432/d?x=y", User: "u", Password: `p: @ ' " \ $` + "€",
		Locations: []string{"sql", "/more/sql"},
		Settings:  map[string]string{"FLYWAY_TABLE": "t", "FLYWAY_PLACEHOLDERS_PORT": "5432"},
		Args:      []string{"-target=12"}, TempDir: "/tmp/x",
	}
}

func TestArguments(t *testing.T) {
	cmd, err := jars(t).Build(command())
	if err != nil {
		t.Fatal(err)
	}
	main := slices.Index(cmd.Args, "org.flywaydb.commandline.Main")
	if main < 2 || cmd.Args[main-2] != "-cp" || strings.Count(cmd.Args[main-1], ".jar") != len(artifacts) {
		t.Fatalf("no class path in %q", cmd.Args)
	}
	here, _ := filepath.Abs("sql")
	want := []string{
		"-outputType=json", "-skipCheckForUpdate", "-postgresql.transactional.lock=false",
		"-failOnMissingLocations=true",
		"-connectRetries=0", "-locations=filesystem:" + here + ",filesystem:/more/sql", "-target=12", "migrate",
	}
	if got := cmd.Args[main+1:]; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if cmd.Dir != "/tmp/x" {
		t.Errorf("works in %s, where something may configure it", cmd.Dir)
	}
	for _, never := range []string{"-X", "-mixed=true", "-dryRunOutput", "-validateMigrationNaming=true", "clean"} {
		if slices.Contains(cmd.Args, never) {
			t.Errorf("%s is among the arguments", never)
		}
	}
}

func TestEnvironmentIsMadeFromNothing(t *testing.T) {
	t.Setenv("FLYWAY_CLEAN_DISABLED", "false")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "aws")
	t.Setenv("JAVA_TOOL_OPTIONS", "-javaagent:x")
	cmd, err := jars(t).Build(command())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"FLYWAY_PASSWORD=!{" + command().Password + "}", "FLYWAY_PLACEHOLDERS_PORT=5432", "FLYWAY_TABLE=t",
		"FLYWAY_URL=jdbc:postgresql://h:5432/d?x=y",
		"FLYWAY_USER=!{u}", "HOME=/tmp/x", "LC_ALL=C.UTF-8", "TMPDIR=/tmp/x", "TZ=UTC",
	}
	if !slices.Equal(cmd.Env, want) {
		t.Errorf("got  %q\nwant %q", cmd.Env, want)
	}
}

func TestSecretIsInNoArgument(t *testing.T) {
	c := command()
	cmd, err := jars(t).Build(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range cmd.Args {
		if strings.Contains(arg, "€") || strings.Contains(arg, "assword") {
			t.Errorf("argument %q", arg)
		}
	}
}

func TestJavaOptionsFollowTheWork(t *testing.T) {
	for name, c := range map[string]struct {
		scripts, memory int
		with, without   string
	}{
		"few scripts":            {1, 0, "-XX:TieredStopAtLevel=1", "-Xmx"},
		"many scripts":           {5000, 0, "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1"},
		"some hundred, two CPUs": {600, 3008, "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1"},
		"some hundred, one CPU":  {600, 1769, "-XX:TieredStopAtLevel=1", "-Xmx1769m"},
		"some hundred, no limit": {600, 0, "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1"},
		"thousands, half a CPU":  {2000, 1024, "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1"},
		"little room":            {1, 100, "-Xmx64m", "-Xmx50m"},
		"some room":              {1, 512, "-Xmx256m", "-Xmx512m"},
	} {
		command := command()
		command.Scripts, command.MemoryMB = c.scripts, c.memory
		cmd, err := jars(t).Build(command)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cmd.Args, " "); !strings.Contains(got, c.with) || strings.Contains(got, c.without) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestFoldersThatFlywayWouldTakeForSeveral(t *testing.T) {
	for _, folder := range []string{"/a,b", "/a*", "/a?"} {
		c := command()
		c.Locations = []string{folder}
		if _, err := jars(t).Build(c); err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

func TestNoJarsNoCommand(t *testing.T) {
	if _, err := jars(t, "flyway-reports").Build(command()); err == nil {
		t.Error("built without flyway-reports, so that a failed migrate exits with 0")
	}
}

// Of a plain value Flyway strips and replaces; what it would change is refused.
func TestUserAndPasswordArriveAsTheyStand(t *testing.T) {
	for value, want := range map[string]string{
		"":                    "!{}",
		" spaces ":            "!{ spaces }",
		"${env.HOME}":         "!{${env.HOME}}",
		"!{x}":                "!{!{x}}",
		"}":                   "!{}}",
		"two\nlines":          "two\nlines",
		"two\u2028lines":      "two\u2028lines",
		"two\nlines ":         "",
		"\rtwo lines":         "",
		"two\n$${env.HOME}":   "",
		"two\nlines\u200b$x{": "two\nlines\u200b$x{",
	} {
		got, err := verbatim(value)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
		c := command()
		c.Password = value
		if _, err := jars(t).Build(c); (err != nil) != (want == "") || err != nil &&
			(!errors.Is(err, ErrChanged) || strings.Contains(err.Error(), "lines")) {
			t.Errorf("%q: %v", value, err)
		}
	}
}
