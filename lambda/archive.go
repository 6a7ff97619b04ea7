package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"slipway/lambda/flyway"
)

// archive is `slipway archive CLASSLIST FILE [SUMS]`, which the image's build
// runs: it writes the class-data archive that SLIPWAY_CLASS_ARCHIVE names, of
// jars that are those of the file SUMS and no others. The
// program does it itself because it alone knows Java's options and class path.
func (c cli) archive(args []string) int {
	if len(args) != 2 && len(args) != 3 {
		return c.misuse("archive: wants a class list, the file to write and, where the jars are to be compared, their checksums")
	}
	java, err := flyway.FindJava(c.env["JAVA_HOME"], exec.LookPath)
	if err != nil {
		return c.misuse("archive: %v", err)
	}
	installation := flyway.Installation{Home: cmp.Or(c.env["SLIPWAY_FLYWAY_HOME"], "/flyway"), Java: java}
	if len(args) == 3 {
		if err := compareJars(installation, args[2]); err != nil {
			fmt.Fprintf(c.err, "slipway: %v\n", err)
			return 1
		}
	}
	cmd, err := installation.BuildArchive(args[0], args[1])
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

// compareJars compares the jars that will run with the list in that file.
func compareJars(installation flyway.Installation, file string) error {
	list, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the checksums of the jars: %w", err)
	}
	if err := installation.CheckSums(string(list)); err != nil {
		return fmt.Errorf("docker/%s: %w\nIf these are the jars that you want, keep them in a list of your own, docker/NAME.sums, and name it with the build argument FLYWAY_SUMS=NAME.sums (cdk.json: images.sums)", filepath.Base(file), err)
	}
	return nil
}
