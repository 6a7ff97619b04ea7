package flyway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrOtherJars says that a jar is not the one of the list.
var ErrOtherJars = errors.New("the Flyway installation is not the one that the list of checksums names")

// CheckSums compares each jar of the class path with the list, in the form of
// sha256sum: a checksum and a file's name a line. A jar that the list names with
// another checksum is [ErrOtherJars], and so is one of those that no command
// works without and that the list lacks; the error ends in the list that would
// fit. Returned are the paths of the jars that could be left out: the list lacks
// them.
func (i Installation) CheckSums(list string) (others []string, err error) {
	wanted := map[string]string{}
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) == 2 && !strings.HasPrefix(line, "#") {
			wanted[strings.TrimPrefix(fields[1], "*")] = strings.ToLower(fields[0])
		}
	}
	jars, err := i.ClassPath()
	if err != nil {
		return nil, err
	}
	var wrong, unlisted, found []string
	right := map[string]bool{}
	for _, jar := range jars {
		content, err := os.ReadFile(jar)
		if err != nil {
			return nil, err
		}
		file := filepath.Base(jar)
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		found = append(found, sum+"  "+file)
		switch listed, ok := wanted[file]; {
		case !ok:
			unlisted = append(unlisted, jar)
		case listed != sum:
			wrong = append(wrong, file)
		default:
			right[parse(file).name] = true
		}
	}
	necessary := needed(version(jars))
	for _, jar := range unlisted {
		// Jackson 2 can be left out beside Jackson 3, which the list names.
		if name := parse(filepath.Base(jar)).name; slices.Contains(necessary, name) && !right[name] {
			wrong = append(wrong, filepath.Base(jar))
			continue
		}
		others = append(others, jar)
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w: %s. These were found:\n%s", ErrOtherJars, strings.Join(wrong, ", "),
			strings.Join(found, "\n"))
	}
	return others, nil
}
