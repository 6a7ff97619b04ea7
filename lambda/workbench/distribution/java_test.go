package distribution

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeJava makes a Java home whose java says this version.
func fakeJava(t *testing.T, version string) string {
	t.Helper()
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho 'openjdk version \"" + version + "\" 2021-01-01' >&2\n"
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestJavaIsChosen(t *testing.T) {
	old, older, fit, newer := fakeJava(t, "11.0.2"), fakeJava(t, "1.8.0_392"), fakeJava(t, "17.0.15"),
		fakeJava(t, "25-ea")
	for name, test := range map[string]struct{ home, path, want, note string }{
		"JAVA_HOME":               {fit, old, fit, ""},
		"a newer JAVA_HOME":       {newer, "", newer, ""},
		"PATH":                    {"", fit, "", ""},
		"JAVA_HOME is too old":    {old, fit, "", "it has 11"},
		"JAVA_HOME is far older":  {older, fit, "", "it has 8"},
		"JAVA_HOME is not there":  {"/nowhere", fit, "", "no such file"},
		"JAVA_HOME before a PATH": {newer, fit, newer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", filepath.Join(test.path, "bin"))
			var notes bytes.Buffer
			cache := &Cache{Dir: t.TempDir(), Progress: &notes}
			got, err := cache.Java(t.Context(), test.home)
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
			if (test.note == "") != (notes.Len() == 0) || !strings.Contains(notes.String(), test.note) {
				t.Errorf("notes are %q, want %q in them", notes.String(), test.note)
			}
		})
	}
}

func TestJavaCannotBeFetched(t *testing.T) {
	t.Setenv("PATH", "")
	cache := &Cache{Dir: t.TempDir(), alpine: func() bool { return true }}
	_, err := cache.Java(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "install Java 17") {
		t.Errorf("error is %v", err)
	}
}
