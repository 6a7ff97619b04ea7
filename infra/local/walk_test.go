//go:build deploy

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/infra/local/ground"
)

// walk is a README's section, followed line by line in a clone of HEAD.
type walk struct {
	*site
	clone  string
	blocks []string // code, in order

	codeCommit  []string // environment of git and of AWS's command line
	assignments []string // variables that lines have set
}

var fence = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$")

// follow reads the section of a README and clones the project.
func (s *site) follow(readme, section string) *walk {
	s.Helper()
	root, err := filepath.Abs("../..")
	s.check(err)
	content, err := os.ReadFile(filepath.Join(root, readme))
	s.check(err)
	_, text, found := strings.Cut(string(content), "\n## "+section+"\n")
	if !found {
		s.Fatalf("%s has no section %q", readme, section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	w := &walk{site: s, clone: filepath.Join(s.TempDir(), "slipway")}
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		w.blocks = append(w.blocks, block[1])
	}
	s.git("clone", "--quiet", root, w.clone)
	return w
}

// configure merges the keys into the clone's cdk.json.
func (w *walk) configure(keys map[string]any) {
	w.Helper()
	file := filepath.Join(w.clone, "cdk.json")
	content, err := os.ReadFile(file)
	w.check(err)
	var settings map[string]any
	w.check(json.Unmarshal(content, &settings))
	for key, value := range keys {
		settings["context"].(map[string]any)[key] = value
		if value == nil {
			delete(settings["context"].(map[string]any), key)
		}
	}
	content, err = json.MarshalIndent(settings, "", "  ")
	w.check(err)
	w.check(os.WriteFile(file, content, 0o644))
}

var continued = regexp.MustCompile(`\\\n\s*`)

// run runs the lines of a block in a folder, each with the credentials of the
// account that it names, or of this one.
func (w *walk) run(block, folder string, aws ground.AWS) (output string) {
	w.Helper()
	for line := range strings.Lines(continued.ReplaceAllString(block, "")) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  #")
		if line == "" {
			continue
		}
		if assignment.MatchString(line) {
			w.assignments = append(w.assignments, line)
			continue
		}
		who := aws
		if target := regexp.MustCompile(`aws://(\d+)/([\w-]+)`).FindStringSubmatch(line); target != nil {
			who = w.g.AWS(target[1], target[2])
		}
		command := strings.Join(append(slices.Clone(w.assignments), line), "\n")
		switch { // there is no terminal that could ask
		case strings.HasPrefix(line, "infra/cdk deploy"):
			command += " --require-approval never"
		case strings.HasPrefix(line, "infra/cdk destroy"):
			command += " --force"
		}
		var more []string
		if strings.HasPrefix(line, "git ") || strings.HasPrefix(line, "aws ") {
			more = w.codeCommit
		}
		w.check(w.g.Step(line, func() error {
			out, err := w.shell(command, folder, who, more...)
			output += out
			if err != nil {
				return fmt.Errorf("%w\n%s", err, relevant(out))
			}
			return nil
		}))
	}
	return output
}

// shell runs a command as somebody would, with more variables.
func (w *walk) shell(command, folder string, who ground.AWS, more ...string) (output string, err error) {
	cmd := exec.CommandContext(w.Context(), "bash", "-c", command)
	cmd.Dir = folder
	cmd.Env = append(who.Over(os.Environ()), "NO_COLOR=1", "GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com")
	cmd.Env = append(cmd.Env, more...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var assignment = regexp.MustCompile(`^[A-Z]+=\S+$`)
