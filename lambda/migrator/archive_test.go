package migrator_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"slipway/lambda/flyway"
	"slipway/lambda/workbench/distribution"
)

// archived gives the installation a class-data archive, which halves each of
// the many starts of these tests. It stays in the user's cache. Without one,
// the tests only take longer.
func archived(i flyway.Installation) flyway.Installation {
	dir, err := distribution.DefaultDir()
	java, err2 := os.Stat(i.Java)
	if err != nil || err2 != nil {
		return i
	}
	list, err := filepath.Abs(filepath.Join("..", "..", "docker", "flyway.classlist"))
	if err != nil {
		return i
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(i.Home, i.Java, java.ModTime(), java.Size())))
	file := filepath.Join(dir, fmt.Sprintf("tests-%x.jsa", sum[:6]))
	if _, err := os.Stat(file); err != nil {
		part := fmt.Sprintf("%s.%d", file, os.Getpid())
		defer os.Remove(part) //nolint:errcheck // renamed where it was made
		cmd, err := i.BuildArchive(list, part)
		if err != nil || cmd.Run() != nil || os.Rename(part, file) != nil {
			return i
		}
	}
	i.Archive = file
	return i
}
