package flyway

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func installed(t *testing.T) Installation {
	t.Helper()
	home := t.TempDir()
	for _, artifact := range artifacts {
		if err := os.WriteFile(filepath.Join(home, artifact+"-1.2.jar"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Installation{Home: home, Java: "/jdk/bin/java", Archive: "/a.jsa"}
}

func TestArchiveHasTheClassPathAndCollectorOfARun(t *testing.T) {
	i := installed(t)
	archive, err := i.BuildArchive("/list", "/a.jsa")
	if err != nil {
		t.Fatal(err)
	}
	run, err := i.Build(Command{Verb: "migrate"})
	if err != nil {
		t.Fatal(err)
	}
	classpath := func(args []string) string { return args[slices.Index(args, "-cp")+1] }
	if a, r := classpath(archive.Args), classpath(run.Args); a != r {
		t.Errorf("class path of the archive %s, of a run %s", a, r)
	}
	for _, args := range [][]string{archive.Args, run.Args} {
		if !slices.Contains(args, collector) {
			t.Errorf("%s is not among %v", collector, args)
		}
	}
	if !slices.Contains(run.Args, "-XX:SharedArchiveFile=/a.jsa") {
		t.Errorf("a run does not use the archive: %v", run.Args)
	}
}

func TestArchiveOfAnIncompleteInstallation(t *testing.T) {
	i := installed(t)
	if err := os.Remove(filepath.Join(i.Home, "flyway-reports-1.2.jar")); err != nil {
		t.Fatal(err)
	}
	if _, err := i.BuildArchive("/list", "/a.jsa"); !errors.Is(err, ErrIncomplete) {
		t.Errorf("got %v, want ErrIncomplete", err)
	}
}
