package flyway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Installation is where Flyway and Java are.
type Installation struct {
	Home    string // folder that holds Flyway's jars at any depth
	Java    string // the java command
	Archive string // class-data archive made with the same jars and Java; "" for none
}

// artifacts are the jars without which no command works, or worse: without
// flyway-reports, a failed migrate exits 0. Flyway 12.4 needs no other; what else
// its lib holds is on the class path as well.
var artifacts = []string{
	"flyway-commandline", "flyway-core", "flyway-reports", "flyway-database-postgresql", "postgresql",
	"jackson-databind", "jackson-core", "jackson-annotations", "jackson-dataformat-toml", "commons-text", "commons-lang3",
}

// unwanted are Flyway's plugins for other databases, and the engine that only
// some of those use: with them a start would load and ask each one.
var unwanted = regexp.MustCompile(`^flyway-(database|nc|verb|gcp|mysql|sqlserver|firebird|singlestore)\b`)

// otherLogins are folders of an installation's lib for logins to other databases.
var otherLogins = []string{"aad", "oracle_wallet"}

// ErrIncomplete says that a jar is missing.
var ErrIncomplete = errors.New("the Flyway installation is incomplete")

// ClassPath lists the jars as Flyway's launcher does: what stands in lib and in
// its folders, and the drivers, of which only PostgreSQL's counts. Left out are
// other databases' plugins. A home without lib is a folder of jars alone, and
// all count. The order is fixed, because a class-data archive depends on it. A
// missing jar is [ErrIncomplete], with its name.
func (i Installation) ClassPath() ([]string, error) {
	lib := filepath.Join(i.Home, "lib")
	roots := []string{lib, filepath.Join(i.Home, "drivers")}
	if _, err := os.Stat(lib); errors.Is(err, fs.ErrNotExist) {
		roots = []string{i.Home}
	}
	var path []string
	found := map[string]bool{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(jar string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && jar == root && root != i.Home {
				return nil // no drivers: the one that is needed is missing then
			}
			if err != nil {
				return err
			}
			if d.IsDir() {
				if slices.Contains(otherLogins, d.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			name, isJar := nameOf(d.Name())
			isDriver := filepath.Base(root) == "drivers"
			if isJar && wanted(name) && (!isDriver || name == "postgresql") {
				path = append(path, jar)
				found[name] = true
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%w: %w (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, err)
		}
	}
	for _, name := range artifacts {
		if !found[name] {
			return nil, fmt.Errorf("%w: no %s-*.jar in %s (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, name, i.Home)
		}
	}
	return path, nil
}

// nameOf is the name of a jar without its version.
func nameOf(file string) (name string, isJar bool) {
	stem, isJar := strings.CutSuffix(file, ".jar")
	if at := version.FindStringIndex(stem); at != nil {
		stem = stem[:at[0]]
	}
	return stem, isJar
}

var version = regexp.MustCompile(`-[0-9]`)

func wanted(name string) bool {
	return name == "flyway-database-postgresql" || !unwanted.MatchString(name)
}

// Version is Flyway's version by the name of its core jar, "" if that tells none.
func (i Installation) Version() string {
	path, err := i.ClassPath()
	if err != nil {
		return ""
	}
	for _, jar := range path {
		if name, _ := nameOf(filepath.Base(jar)); name == "flyway-core" {
			return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(jar), "flyway-core-"), ".jar")
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
