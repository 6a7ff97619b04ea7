package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"

	"slipway/lambda/flyway"
	"slipway/lambda/settings"
)

// archive is `slipway archive CLASSLIST FILE`, which the image's build runs:
// it writes the class-data archive that SLIPWAY_CLASS_ARCHIVE names. The
// program does it itself because it alone knows Java's options and class path.
func (c cli) archive(args []string) int {
	if len(args) != 2 {
		return c.misuse("archive: wants a class list and the file to write")
	}
	java, err := flyway.FindJava(c.env["JAVA_HOME"], exec.LookPath)
	if err != nil {
		return c.misuse("archive: %v", err)
	}
	cmd, err := flyway.Installation{Home: c.flywayHome(), Java: java}.BuildArchive(args[0], args[1])
	if err != nil {
		return c.misuse("archive: %v", err)
	}
	// Java lists, in hundreds of lines, what it leaves out.
	out, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Fprintf(c.err, "%s\nslipway: no class-data archive: %v\n", out, err)
		return 1
	}
	if n := bytes.Count(out, []byte("Preload Warning: Cannot find ")); n > 0 {
		fmt.Fprintf(c.err, "%d classes of %s are not in this Flyway or this Java, and were left out. This costs "+
			"time at a start, nothing else; `make class-list` makes the list anew\n", n, args[0])
	}
	return 0
}

func (c cli) flywayHome() string { return settings.Read(c.env).Text("SLIPWAY_FLYWAY_HOME") }

// jars is `slipway jars SUMS`, which the image's build runs: it compares the
// jars that will run with the checksums in the file SUMS, and deletes those that
// the file lacks and nothing needs.
func (c cli) jars(args []string) int {
	if len(args) != 1 {
		return c.misuse("jars: wants the file with their checksums")
	}
	list, err := os.ReadFile(args[0])
	if err != nil {
		return c.misuse("jars: %v", err)
	}
	others, err := flyway.Installation{Home: c.flywayHome()}.CheckSums(string(list))
	if err != nil {
		fmt.Fprintf(c.err, "slipway: %v\nIf these are the jars that you want, keep them in a list of your own, "+
			"docker/NAME.sums, and name it with the build argument FLYWAY_SUMS=NAME.sums (cdk.json: images.sums)\n",
			err)
		return 1
	}
	for _, jar := range others {
		fmt.Fprintf(c.err, "%s is not in the list: deleted\n", jar)
		if err := os.Remove(jar); err != nil {
			fmt.Fprintf(c.err, "slipway: %v\n", err)
			return 1
		}
	}
	return 0
}
