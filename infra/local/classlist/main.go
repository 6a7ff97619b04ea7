// Command classlist makes docker/flyway.classlist anew: it has the image do
// what it does in deployments and notes which classes Java loads. Needed when
// Flyway, its drivers or Java get a new version: with an old list the image
// still works, and starts more slowly.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/infra/local/ground"
)

const (
	listFile = "docker/flyway.classlist"
	header   = "# The classes that Flyway loads for PostgreSQL: the list of the class-data archive. Made by make " +
		"class-list."
	// wrapper stands in for the java of a JAVA_HOME and has it note its classes. Flyway's environment is
	// made from nothing, so nothing can be handed to it there.
	wrapper = "#!/bin/sh\nexec '%s/bin/java' -XX:DumpLoadedClassList=/lists/$$-$(date +%%s%%N) \"$@\"\n"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "classlist:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	g, err := ground.Start(ctx, ground.Options{Root: root, Scripts: "infra/local/testdata/scripts", Log: os.Stderr})
	if err != nil {
		return err
	}
	defer func() {
		if failure := g.Close(); err == nil {
			err = failure
		}
	}()
	folder, err := os.MkdirTemp("", "slipway-classlist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	lists, bin := filepath.Join(folder, "lists"), filepath.Join(folder, "java", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(lists, 0o777); err != nil {
		return err
	}
	for _, open := range []string{folder, lists} { // to the container's user, whatever our umask
		if err := os.Chmod(open, 0o777); err != nil {
			return err
		}
	}
	if err := load(ctx, g, folder); err != nil {
		return err
	}
	classes, err := merge(lists)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d classes\n", len(classes))
	return os.WriteFile(listFile, []byte(header+"\n"+strings.Join(classes, "\n")+"\n"), 0o644)
}

// load has the image go through what happens in deployments: scripts applied, one failing, every command.
func load(ctx context.Context, g *ground.Ground, folder string) error {
	const name = "classes"
	if err := g.Database.Exec(ctx, "postgres", "CREATE ROLE "+name+" LOGIN PASSWORD 'local'"); err != nil {
		return err
	}
	if err := g.Database.Exec(ctx, "postgres", "CREATE DATABASE "+name+" OWNER "+name); err != nil {
		return err
	}
	secret, err := g.NewSecret(ctx, name, map[string]any{"username": name, "password": "local", "host": g.Database.Host,
		"port": g.Database.Port, "dbname": name})
	if err != nil {
		return err
	}
	image := "slipway-classlist"
	if err := g.BuildImage(ctx, image); err != nil {
		return err
	}
	defer g.Docker(context.Background(), "image", "rm", image)
	home, err := g.Docker(ctx, "run", "--rm", "--entrypoint", "sh", image, "-c",
		`echo "${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}"`)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "java", "bin", "java"), fmt.Appendf(nil, wrapper, home),
		0o755); err != nil {
		return err
	}
	flags := slices.Concat(g.Sandbox(secret, 1769), []string{
		"--volume", filepath.Join(folder, "lists") + ":/lists", "--volume", filepath.Join(folder, "java") +
			":/wrapped:ro",
		"--volume", g.Scripts() + ":/flyway/sql/postgresql:ro",
		"--env", "JAVA_HOME=/wrapped", "--env", "SLIPWAY_FAST_PATH=false",
	})
	do := func(command string, succeeds bool) error {
		_, err := g.Docker(ctx, slices.Concat([]string{"run", "--rm"}, flags, []string{image, command})...)
		if (err == nil) != succeeds {
			return fmt.Errorf("slipway %s: success is %t: %w", command, err == nil, err)
		}
		return nil
	}
	for _, step := range []struct {
		script, statements string
		command            string
		succeeds           bool
	}{
		{"", "", "info", true},
		{"", "", "migrate", true},
		{"V3__index.sql", "CREATE INDEX CONCURRENTLY customers_by_name ON customers (name);", "migrate", true},
		{"V4__broken.sql", "SELECT * FROM nothing;", "migrate", false},
		{"", "", "validate", false},
		{"V4__broken.sql", "SELECT 1;", "migrate", true},
		{"", "", "validate", true},
		{"", "", "repair", true},
		{"", "", "info", true},
	} {
		if step.script != "" {
			if err := g.Write(step.script, step.statements); err != nil {
				return err
			}
		}
		if err := do(step.command, step.succeeds); err != nil {
			return err
		}
	}
	return nil
}

// made are classes that Java makes as it runs: no archive can hold them.
var made = regexp.MustCompile(`\$Proxy\d+$|BoundMethodHandle\$Species_`)

var number = regexp.MustCompile(` id: \d+$`)

// merge is the union of the lists, in the order of loading.
func merge(folder string) ([]string, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var classes []string
	seen := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(content)) {
			class := number.ReplaceAllString(strings.TrimSpace(line), "")
			if class != "" && !strings.HasPrefix(class, "#") && !seen[class] && !made.MatchString(class) {
				seen[class], classes = true, append(classes, class)
			}
		}
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("no classes were noted in %s", folder)
	}
	return classes, nil
}
