package flyway

import (
	"os/exec"
	"path/filepath"
	"strings"
)

// collector is the garbage collector of every start. A class-data archive is
// of use only to a Java that runs with the one it was made with.
const collector = "-XX:+UseSerialGC"

// BuildArchive makes, without starting it, the process that writes a
// class-data archive to file: the classes that list names, loaded and laid
// out, which halves the start of Java. It needs no database. The archive
// serves this installation's [Installation.Archive] for as long as Java and the jars
// stay the same to the byte and the second; Java ignores it otherwise.
func (i Installation) BuildArchive(list, file string) (*exec.Cmd, error) {
	classpath, err := i.ClassPath()
	if err != nil {
		return nil, err
	}
	return exec.Command(i.Java, collector, "-Xshare:dump", "-XX:SharedClassListFile="+list, "-XX:SharedArchiveFile="+
		file,
		"-cp", strings.Join(classpath, string(filepath.ListSeparator))), nil
}
