package flyway

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sumOfNothing is the SHA-256 of an empty file, as the jars here are.
const sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func sumsOf(t *testing.T, i Installation) string {
	t.Helper()
	jars, err := i.ClassPath()
	if err != nil {
		t.Fatal(err)
	}
	list := "# a comment\n\n"
	for _, jar := range jars {
		list += sumOfNothing + "  " + filepath.Base(jar) + "\n"
	}
	return list
}

func TestJarsAreThoseOfTheList(t *testing.T) {
	i := installed(t)
	list := sumsOf(t, i)
	for name, good := range map[string]string{"as it is": list,
		"of a Windows sha256sum": strings.ReplaceAll(list, "  ", " *"),
		"capitals":               strings.ReplaceAll(list, sumOfNothing, strings.ToUpper(sumOfNothing))} {
		if others, err := i.CheckSums(good); err != nil || len(others) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{
		"empty":            "",
		"a jar is missing": strings.Replace(list, sumOfNothing+"  flyway-core-1.2.jar\n", "", 1),
		"another version":  strings.Replace(list, "flyway-core-1.2.jar", "flyway-core-1.3.jar", 1),
		"another sum": strings.Replace(list, sumOfNothing+"  flyway-core", strings.Repeat("0", 64)+
			"  flyway-core", 1),
		"it is a comment":   strings.Replace(list, sumOfNothing+"  flyway-core", "#"+sumOfNothing+"  flyway-core", 1),
		"a sum's beginning": strings.Replace(list, sumOfNothing+"  flyway-core", sumOfNothing[:32]+"  flyway-core", 1),
	} {
		_, err := i.CheckSums(bad)
		if !errors.Is(err, ErrOtherJars) || !strings.Contains(err.Error(), "flyway-core-1.2.jar") ||
			!strings.Contains(err.Error(), sumOfNothing+"  flyway-core-1.2.jar") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(i.Home, "postgresql-1.2.jar"), []byte("one byte more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := i.CheckSums(list); !errors.Is(err, ErrOtherJars) ||
		!strings.Contains(err.Error(), ": postgresql-1.2.jar.") {
		t.Errorf("another byte: %v", err)
	}
	list = strings.Replace(list, sumOfNothing+"  postgresql", "# "+sumOfNothing+"  postgresql", 1)
	list += "d6d2d2b9eee0a4ee1a1c9e4c1e2ae4b6a0a2b8c0d0e0f00112233445566778899  unused-1.jar\n"
	if err := os.WriteFile(filepath.Join(i.Home, "postgresql-1.2.jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list += sumOfNothing + "  postgresql-1.2.jar\n"
	// What no command needs can be left out.
	extra := filepath.Join(i.Home, "gson-2.0.jar")
	if err := os.WriteFile(extra, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if others, err := i.CheckSums(list); err != nil || len(others) != 1 || others[0] != extra {
		t.Errorf("left out are %q, %v", others, err)
	}
}

// Flyway's lib has Jackson 2 beside Jackson 3. Either can be left out where the
// list names the other, and not both.
func TestAListMayNameOneOfTwoMajorVersions(t *testing.T) {
	i := installed(t)
	list := sumsOf(t, i)
	second := filepath.Join(i.Home, "jackson-core-2.21.1.jar")
	if err := os.WriteFile(second, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if others, err := i.CheckSums(list); err != nil || len(others) != 1 || others[0] != second {
		t.Errorf("left out are %q, %v", others, err)
	}
	none := strings.ReplaceAll(list, "jackson-core-1.2.jar", "jackson-core-3.1.1.jar")
	_, err := i.CheckSums(none)
	if !errors.Is(err, ErrOtherJars) || !strings.Contains(err.Error(), ": jackson-core-1.2.jar, "+
		"jackson-core-2.21.1.jar.") {
		t.Errorf("neither is listed: %v", err)
	}
}
