package distribution

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

// JavaMinimum is the oldest major version of Java that Flyway runs on.
const JavaMinimum = 17

// Java finds a runtime of at least [JavaMinimum]: in home (the value of
// JAVA_HOME, may be empty), then on PATH, then a pinned one, which it fetches.
// It returns the JAVA_HOME to use; empty means that java on PATH will do.
func (c *Cache) Java(ctx context.Context, home string) (string, error) {
	if home != "" {
		found, err := javaMajor(ctx, filepath.Join(home, "bin", "java"))
		if err == nil && found >= JavaMinimum {
			return home, nil
		}
		c.note("JAVA_HOME=%s has no Java of at least %d (%s): looking further", home, JavaMinimum,
			describeJava(found, err))
	}
	if java, err := exec.LookPath("java"); err == nil {
		found, err := javaMajor(ctx, java)
		if err == nil && found >= JavaMinimum {
			return "", nil
		}
		c.note("%s is no Java of at least %d (%s): looking further", java, JavaMinimum, describeJava(found, err))
	}
	return c.fetchedJava(ctx)
}

// JavaOfTheImage returns the command java of the pinned runtime, the major
// version that the image has, whatever else is installed. Where there is none
// for this system it is the one of [Cache.Java].
func (c *Cache) JavaOfTheImage(ctx context.Context) (string, error) {
	if _, ok := javaPins[runtime.GOOS+"/"+runtime.GOARCH]; ok && !c.onAlpine() {
		dir, err := c.fetchedJava(ctx)
		return filepath.Join(dir, "bin", "java"), err
	}
	home, err := c.Java(ctx, "")
	if err != nil || home != "" {
		return filepath.Join(home, "bin", "java"), err
	}
	return exec.LookPath("java")
}

// fetchedJava is the folder of the pinned runtime.
func (c *Cache) fetchedJava(ctx context.Context) (string, error) {
	system := runtime.GOOS + "/" + runtime.GOARCH
	p, ok := javaPins[system]
	if !ok || c.onAlpine() {
		return "", fmt.Errorf("no Java of at least %d in JAVA_HOME or on PATH, and none to fetch for this system "+
			"(%s): install Java %d or newer", JavaMinimum, system, JavaMinimum)
	}
	dir, err := c.unpacked(ctx, "java-21-"+runtime.GOOS+"-"+runtime.GOARCH, p, unpackJava)
	if err != nil {
		return "", err
	}
	if _, err := javaMajor(ctx, filepath.Join(dir, "bin", "java")); err != nil {
		return "", fmt.Errorf("the Java runtime in %s does not start here (%w): install Java %d or newer", dir, err,
			JavaMinimum)
	}
	return dir, nil
}

// unpackJava takes the runtime out of an archive of Flyway.
func unpackJava(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	content, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	return untar(content, "flyway-11.8.2/jre/", dir)
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaMajor asks the program java for its major version.
func javaMajor(ctx context.Context, java string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return 0, err
	}
	match := javaVersion.FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("its -version names none")
	}
	return strconv.Atoi(string(match[1]))
}

func describeJava(found int, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("it has %d", found)
}

func (c *Cache) note(format string, arguments ...any) {
	if c.Progress != nil {
		fmt.Fprintf(c.Progress, format+"\n", arguments...)
	}
}
