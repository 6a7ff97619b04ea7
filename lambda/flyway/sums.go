package flyway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrOtherJars says that a jar is not the one of the list.
var ErrOtherJars = errors.New("the Flyway installation is not the one that the list of checksums names")

// CheckSums compares each jar of the class path with the list, in the form of
// sha256sum: a checksum and a file's name a line. A jar that the list lacks, or
// names with another checksum, is [ErrOtherJars]; the error ends in the list
// that would fit.
func (i Installation) CheckSums(list string) error {
	wanted := map[string]string{}
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) == 2 && !strings.HasPrefix(line, "#") {
			wanted[strings.TrimPrefix(fields[1], "*")] = strings.ToLower(fields[0])
		}
	}
	jars, err := i.ClassPath()
	if err != nil {
		return err
	}
	var wrong, found []string
	for _, jar := range jars {
		content, err := os.ReadFile(jar)
		if err != nil {
			return err
		}
		name := filepath.Base(jar)
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		found = append(found, sum+"  "+name)
		if wanted[name] != sum {
			wrong = append(wrong, name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s. These were found:\n%s", ErrOtherJars, strings.Join(wrong, ", "), strings.Join(found, "\n"))
	}
	return nil
}
