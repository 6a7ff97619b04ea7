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
	Home    string // folder of a Flyway distribution, or one that holds its jars alone
	Java    string // the java command
	Archive string // class-data archive made with the same jars and Java; "" for none
}

// artifacts are the jars without which no command works, or worse: without
// flyway-reports, a failed migrate exits 0. Flyway 12.4 needs no other; what else
// its lib holds is on the class path as well.
var artifacts = []string{
	"flyway-commandline", "flyway-core", "flyway-reports", "flyway-database-postgresql", "postgresql",
	"jackson-databind", "jackson-core", "jackson-annotations", "jackson-dataformat-toml", "commons-text",
	"commons-lang3",
}

// laterArtifacts are jars that the command line needs since a version of Flyway:
// 12.7 looks for the former when it starts, 13.4 moved the reading of TOML and
// JSON out of the core.
var laterArtifacts = []struct {
	name         string
	major, minor int
}{
	{"flyway-command-mcp", 12, 7},
	{"flyway-core-utilities", 13, 4},
}

// unwanted are Flyway's plugins for other databases, and the engine that only
// some of those use: with them a start would load and ask each one.
var unwanted = regexp.MustCompile(`^flyway-(database|nc|verb|gcp|mysql|sqlserver|firebird|singlestore)\b`)

// otherFolders are folders of an installation's lib for other databases: logins
// to them, and the network library of their drivers.
var otherFolders = []string{"aad", "oracle_wallet", "netty"}

// ErrIncomplete says that a jar is missing.
var ErrIncomplete = errors.New("the Flyway installation is incomplete")

// ErrTwice says that a jar is there twice, in one version or in two. Java would
// take each class from the one that comes first.
var ErrTwice = errors.New("the Flyway installation has a jar twice")

// ClassPath lists the jars as Flyway's launcher does: what stands in lib and in
// its folders, and the drivers, of which only PostgreSQL's counts. Left out are
// other databases' plugins. A home without lib is a folder of jars alone, and
// all count. The order is fixed, because a class-data archive depends on it. A
// missing jar is [ErrIncomplete], a second one is [ErrTwice], both with its name.
func (i Installation) ClassPath() ([]string, error) {
	path, err := i.jars()
	if err != nil {
		return nil, fmt.Errorf("%w: %w (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, err)
	}
	first := map[string]string{}
	for _, jar := range path {
		one := identity(filepath.Base(jar))
		if other, twice := first[one]; twice {
			return nil, fmt.Errorf("%w: %s and %s", ErrTwice, other, jar)
		}
		first[one] = jar
	}
	for _, name := range needed(version(path)) {
		if !slices.ContainsFunc(path, func(jar string) bool { return parse(filepath.Base(jar)).name == name }) {
			return nil, fmt.Errorf("%w: no %s-*.jar in %s (set SLIPWAY_FLYWAY_HOME to its folder)", ErrIncomplete, name,
				i.Home)
		}
	}
	return path, nil
}

// jars are those that the launcher would take and PostgreSQL can need.
func (i Installation) jars() ([]string, error) {
	lib := filepath.Join(i.Home, "lib")
	_, err := os.Stat(lib)
	alone := errors.Is(err, fs.ErrNotExist)
	if alone {
		lib = i.Home
	}
	path, folders, err := jarsIn(lib)
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if slices.Contains(otherFolders, folder) {
			continue
		}
		more, _, err := jarsIn(filepath.Join(lib, folder))
		if err != nil {
			return nil, err
		}
		path = append(path, more...)
	}
	if !alone {
		// Without the folder, the driver is missing, which is told by its name.
		drivers, _, err := jarsIn(filepath.Join(i.Home, "drivers"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, driver := range drivers {
			if parse(filepath.Base(driver)).name == "postgresql" {
				path = append(path, driver)
			}
		}
	}
	return slices.DeleteFunc(path, func(jar string) bool {
		name := parse(filepath.Base(jar)).name
		return name != "flyway-database-postgresql" && unwanted.MatchString(name)
	}), nil
}

// jarsIn lists a folder: the paths of its jars, and the names of its folders.
func jarsIn(folder string) (jars, folders []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path) // what a symbolic link leads to
		switch {
		case err != nil:
			return nil, nil, err
		case info.IsDir():
			folders = append(folders, entry.Name())
		case strings.HasSuffix(entry.Name(), ".jar"):
			jars = append(jars, path)
		}
	}
	return jars, folders, nil
}

// needed are the names of the jars that this version of Flyway needs.
func needed(version string) []string {
	names := slices.Clone(artifacts)
	for _, later := range laterArtifacts {
		if AtLeast(version, later.major, later.minor) {
			names = append(names, later.name)
		}
	}
	return names
}

// Version is Flyway's version by the name of its core jar, "" if that tells none.
func (i Installation) Version() string {
	path, err := i.jars()
	if err != nil {
		return ""
	}
	return version(path)
}

func version(path []string) string {
	for _, jar := range path {
		if file := parse(filepath.Base(jar)); file.name == "flyway-core" {
			return file.version
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
