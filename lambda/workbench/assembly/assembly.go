// Package assembly takes the templates of an environment out of a cloud
// assembly that others made, a branch's for one, and makes an assembly of its
// own of them, in which tools find nothing else.
//
// A tool obeys an assembly: it looks up what is missing, takes the roles that it
// names, and reads the stack and the files that it names. So nothing of the
// branch's assembly but the templates gets through, and only those of stacks in
// the account and region that the caller expects. Whether a template is good is
// a reader's to judge.
package assembly

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Expected is what an environment consists of, as the caller knows it.
type Expected struct {
	Stacks          []string // names
	Account, Region string
	LookupRole      string // ARN of the role that may read there, "" for the caller's own rights
}

// Sizes in bytes, of which CloudFormation takes 1 MB and an asset's manifest none.
const (
	manifestLimit = 16 << 20
	templateLimit = 4 << 20
	logLimit      = 64 << 10
)

// Files of the artifact that a build leaves which ran the branch's app.
const (
	folder = "cdk.out"
	failed = "failed"
	log    = "synth.log"
)

// manifest is what is read of an assembly's manifest.json.
type manifest struct {
	Missing []struct {
		Key string `json:"key"`
	} `json:"missing"`
	Artifacts map[string]artifact `json:"artifacts"`
}

type artifact struct {
	Type        string `json:"type"`
	Environment string `json:"environment"`
	Properties  struct {
		StackName    string `json:"stackName"`
		TemplateFile string `json:"templateFile"`
	} `json:"properties"`
}

const stackType = "aws:cloudformation:stack"

// Extract reads the artifact in from, in which cdk.out is the assembly, and
// makes the folder to, which must not exist. The error says what is other than
// expected, or holds the log of an app that failed; nothing is made then.
func Extract(from, to string, want Expected) error {
	// What is in the artifact may be links: they lead nowhere else.
	root, err := os.OpenRoot(from)
	if err != nil {
		return fmt.Errorf("what the branch's app made can't be read: %w", err)
	}
	defer root.Close()
	if _, err := root.Lstat(failed); err == nil {
		said, err := read(root, log, logLimit)
		if err != nil {
			said = []byte("its log can't be read: " + err.Error())
		}
		return fmt.Errorf("the branch's app failed:\n%s", said)
	}
	raw, err := read(root, folder+"/manifest.json", manifestLimit)
	if err != nil {
		return fmt.Errorf("what the branch's app made can't be read: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("manifest.json of what the branch's app made is not valid: %w", err)
	}
	templates, err := m.templates(root, want)
	if err != nil {
		return err
	}
	return write(to, templates, want)
}

// templates are those of the expected stacks, by name.
func (m manifest) templates(root *os.Root, want Expected) (map[string][]byte, error) {
	var problems []error
	for _, missing := range m.Missing {
		problems = append(problems, fmt.Errorf("the branch's app wants %q looked up in an account; "+
			"only what needs no look-up is compared", missing.Key))
	}
	templates := map[string][]byte{}
	for _, name := range want.Stacks {
		template, err := m.template(root, name, want)
		if err != nil {
			problems = append(problems, err)
		}
		templates[name] = template
	}
	return templates, errors.Join(problems...)
}

func (m manifest) template(root *os.Root, name string, want Expected) ([]byte, error) {
	var found []artifact
	for id, a := range m.Artifacts {
		if a.Type == stackType && (a.Properties.StackName == name || a.Properties.StackName == "" && id == name) {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the branch's app makes %d stacks named %s, not one", len(found), name)
	}
	a := found[0]
	if there := "aws://" + want.Account + "/" + want.Region; a.Environment != there {
		return nil, fmt.Errorf("the branch's stack %s is for %q, the deployed branch's for %s; it is not compared",
			name, a.Environment, there)
	}
	file := a.Properties.TemplateFile
	if file == "" || file != filepath.Base(file) || !filepath.IsLocal(file) {
		return nil, fmt.Errorf("the branch's stack %s has its template in %q, which is not a file of the assembly",
			name, file)
	}
	raw, err := read(root, folder+"/"+file, templateLimit)
	if err != nil {
		return nil, fmt.Errorf("the template of the branch's stack %s can't be read: %w", name, err)
	}
	return clean(name, raw)
}

// clean is a template without what makes a tool read other files or stacks: a
// nested stack's template lies in a file that the template names, and the
// deployed one is named by the stack that is there.
func clean(name string, raw []byte) ([]byte, error) {
	var template map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&template); err != nil {
		return nil, fmt.Errorf("the template of the branch's stack %s is not valid JSON: %w", name, err)
	}
	resources, _ := template["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		resource, ok := resources[id].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("the resource %q of the branch's stack %s is not an object", id, name)
		}
		kind, ok := resource["Type"].(string)
		if !ok {
			return nil, fmt.Errorf("the resource %q of the branch's stack %s has no type", id, name)
		}
		if kind == "AWS::CloudFormation::Stack" {
			return nil, fmt.Errorf("the branch's stack %s has a stack within it, %q; such a one is not compared",
				name, id)
		}
	}
	return json.MarshalIndent(template, "", " ")
}

// read reads a regular file of at most limit bytes.
func read(root *os.Root, name string, limit int64) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return raw, err
}

// write makes the assembly. Its version is one that every command line of the
// CDK since 2024 reads.
func write(to string, templates map[string][]byte, want Expected) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	artifacts := map[string]any{}
	for name, template := range templates {
		file := name + ".template.json"
		if err := os.WriteFile(filepath.Join(to, file), template, 0o600); err != nil {
			return err
		}
		properties := map[string]any{"templateFile": file, "stackName": name}
		if want.LookupRole != "" {
			properties["lookupRole"] = map[string]any{"arn": want.LookupRole}
		}
		artifacts[name] = map[string]any{
			"type":        stackType,
			"environment": "aws://" + want.Account + "/" + want.Region,
			"displayName": name,
			"properties":  properties,
		}
	}
	raw, err := json.MarshalIndent(map[string]any{"version": "36.0.0", "artifacts": artifacts}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "manifest.json"), raw, 0o600)
}

// Names reports whether all are names that a stack can have: they become names
// of files.
func Names(stacks []string) bool {
	return len(stacks) > 0 && !slices.ContainsFunc(stacks, func(name string) bool {
		return name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
	})
}
