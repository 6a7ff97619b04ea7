package flyway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Installation is where Flyway and Java are.
type Installation struct {
	Home    string // folder that holds Flyway's jars at any depth
	Java    string // the java command
	Archive string // class-data archive made with the same jars and Java; "" for none
}

// artifacts are the jars that Flyway needs for PostgreSQL, in the order of the
// class path. The order is fixed because a class-data archive depends on it;
// the others of an installation would only slow the start down.
// Without flyway-reports, a failed migrate exits 0.
var artifacts = []string{
	"flyway-commandline", "flyway-core", "flyway-reports", "flyway-database-postgresql", "postgresql",
	"jackson-databind", "jackson-core", "jackson-annotations", "jackson-dataformat-toml", "commons-text", "commons-lang3",
}

// ErrIncomplete says that a jar is missing.
var ErrIncomplete = errors.New("the Flyway installation is incomplete")

// ClassPath lists the jars. A missing one is [ErrIncomplete], with its name.
func (i Installation) ClassPath() ([]string, error) {
	var jars []string
	err := filepath.WalkDir(i.Home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(d.Name(), ".jar") {
			jars = append(jars, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, err)
	}
	slices.Sort(jars)
	var path []string
	for _, artifact := range artifacts {
		found := false
		for _, jar := range jars {
			version, ok := strings.CutPrefix(filepath.Base(jar), artifact+"-")
			if ok && version[0] >= '0' && version[0] <= '9' {
				path, found = append(path, jar), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%w: no %s-*.jar in %s (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, artifact, i.Home)
		}
	}
	return path, nil
}

// Version is Flyway's version by the name of its core jar, "" if that tells none.
func (i Installation) Version() string {
	path, err := i.ClassPath()
	if err != nil {
		return ""
	}
	for _, jar := range path {
		if v, ok := strings.CutPrefix(filepath.Base(jar), "flyway-core-"); ok {
			return strings.TrimSuffix(v, ".jar")
		}
	}
	return ""
}

// FindJava is the java of JAVA_HOME, or else the one on PATH.
func FindJava(javaHome string, lookPath func(string) (string, error)) (string, error) {
	if javaHome != "" {
		java := filepath.Join(javaHome, "bin", "java")
		if _, err := os.Stat(java); err == nil {
			return java, nil
		}
	}
	java, err := lookPath("java")
	if err != nil {
		return "", fmt.Errorf("no java in JAVA_HOME or on PATH: Flyway needs Java 17 or newer")
	}
	return java, nil
}
