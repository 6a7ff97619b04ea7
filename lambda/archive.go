package main

import (
	"cmp"
	"fmt"
	"os/exec"

	"slipway/lambda/flyway"
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
	cmd, err := flyway.Installation{Home: cmp.Or(c.env["SLIPWAY_FLYWAY_HOME"], "/flyway"), Java: java}.BuildArchive(args[0], args[1])
	if err != nil {
		return c.misuse("archive: %v", err)
	}
	// Java lists, in hundreds of lines, what it leaves out; they matter to nobody when it succeeds.
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(c.err, "%s\nslipway: no class-data archive: %v\n", out, err)
		return 1
	}
	return 0
}
