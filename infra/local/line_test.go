//go:build deploy

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/infra/local/codebuild"
	"slipway/infra/local/ground"
)

// line is a pipeline as CodePipeline keeps it. The emulator keeps it and does
// nothing with it: these tests play it, action by action.
type line struct {
	Name, RoleArn  string
	ArtifactStore  store
	ArtifactStores []struct {
		Region        string
		ArtifactStore store
	}
	Stages []struct {
		Name    string
		Actions []action
	}
}

// store is where a pipeline keeps artifacts.
type store struct {
	Location      string // bucket
	EncryptionKey struct{ Id string }
}

// in is the store of a region.
func (l line) in(region string) store {
	for _, each := range l.ArtifactStores {
		if each.Region == region {
			return each.ArtifactStore
		}
	}
	return l.ArtifactStore
}

type action struct {
	Name, Namespace, Region, RoleArn string
	RunOrder                         int
	ActionTypeId                     struct{ Category, Provider string }
	Configuration                    map[string]any
	InputArtifacts, OutputArtifacts  []struct{ Name string }
}

func (a action) setting(name string) string {
	text, _ := a.Configuration[name].(string)
	return text
}

// execution is one run of the pipeline.
type execution struct {
	s         *site
	aws       ground.AWS
	line      line
	folders   map[string]string // of artifacts; a source's is a bare repository
	commit    string
	variables map[string]string // "namespace.NAME"
	approvals []string          // what the approvers read
	done      []string          // the actions that succeeded, in order
}

// play runs the account's pipeline, approving what there is to approve, and
// ends at the first action that fails.
func (s *site) play(aws ground.AWS) (*execution, error) {
	s.Helper()
	e := &execution{s: s, aws: aws, folders: map[string]string{}, variables: map[string]string{}}
	current := s.definition(aws, "Line")
	e.line = current
	for i := range current.Stages {
		stage := current.Stages[i]
		slices.SortStableFunc(stage.Actions, func(a, b action) int { return cmp.Compare(a.RunOrder, b.RunOrder) })
		for _, a := range stage.Actions {
			if err := s.g.Step(stage.Name+": "+a.Name, func() error { return e.do(a) }); err != nil {
				return e, fmt.Errorf("%s: %s: %w", stage.Name, a.Name, err)
			}
			e.done = append(e.done, a.Name)
		}
		// A pipeline that updated itself starts again. The commit that it was made of changes nothing.
		if now := s.definition(aws, "Line"); fmt.Sprint(now) != fmt.Sprint(current) {
			return e, errors.New("the pipeline is another one than its own commit makes")
		}
	}
	return e, nil
}

func (s *site) definition(aws ground.AWS, id string) line {
	s.Helper()
	var l line
	s.check(aws.Pipeline("slipway-pipeline-"+id, &l))
	return l
}

func (e *execution) do(a action) error {
	if err := e.rights(a); err != nil {
		return err
	}
	switch a.ActionTypeId.Provider {
	case "CodeCommit":
		repository := e.aws.Repository(a.setting("RepositoryName"))
		out, err := exec.CommandContext(e.s.Context(), "git", "-C", repository, "rev-parse",
			a.setting("BranchName")).CombinedOutput()
		e.folders[a.OutputArtifacts[0].Name], e.commit = repository, strings.TrimSpace(string(out))
		return err
	case "CodeBuild":
		return e.build(a)
	case "Manual":
		e.approvals = append(e.approvals, e.rendered(a.setting("CustomData")))
		return nil
	case "CloudFormation":
		return e.deploy(a)
	}
	return fmt.Errorf("an action of %s", a.ActionTypeId.Provider)
}

var reference = regexp.MustCompile(`#\{[^}]+\}`)

// rendered has the values of variables in place of #{namespace.NAME}.
func (e *execution) rendered(text string) string {
	return reference.ReplaceAllStringFunc(text, func(r string) string {
		value, ok := e.variables[r[2:len(r)-1]]
		if !ok {
			e.s.Errorf("nobody exported %s", r)
		}
		return value
	})
}

// build runs a build in a fresh clone, or in what the first input holds.
func (e *execution) build(a action) error {
	project, err := e.aws.BuildProject(e.s.Context(), a.setting("ProjectName"))
	if err != nil {
		return err
	}
	as, err := e.aws.As(e.s.Context(), "codebuild.amazonaws.com", project.ServiceRole)
	if err != nil {
		return err
	}
	caches := filepath.Join(e.s.g.Folder(), "caches")
	b := codebuild.Build{Variables: map[string]string{}, Account: as.Environment(), Cache: caches}
	for _, v := range project.Environment.Variables {
		b.Variables[v.Name] = v.Value
	}
	var more []ground.Variable
	if text := a.setting("EnvironmentVariables"); text != "" {
		if err := json.Unmarshal([]byte(e.rendered(text)), &more); err != nil {
			return err
		}
	}
	for _, v := range more {
		b.Variables[v.Name] = v.Value
	}
	primary := cmp.Or(a.setting("PrimarySource"), a.InputArtifacts[0].Name)
	for _, input := range a.InputArtifacts {
		folder := e.folders[input.Name]
		if input.Name == primary {
			b.Folder = e.copyOf(folder)
		} else {
			b.Variables["CODEBUILD_SRC_DIR_"+input.Name] = folder
		}
	}
	text := project.Source.BuildSpec
	if !strings.HasPrefix(text, "{") {
		content, err := os.ReadFile(filepath.Join(b.Folder, text))
		if err != nil {
			return err
		}
		text = string(content)
	}
	if b.Spec, err = codebuild.Parse([]byte(text)); err != nil {
		return err
	}
	exported, output, err := b.Run(e.s.Context())
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	for name, value := range exported {
		e.variables[a.Namespace+"."+name] = value
	}
	for _, artifact := range a.OutputArtifacts {
		e.folders[artifact.Name] = filepath.Join(b.Folder, b.Spec.Artifacts.Base)
	}
	return nil
}

// copyOf is a clone of a repository at the execution's commit, and another folder itself.
func (e *execution) copyOf(folder string) string {
	if filepath.Ext(folder) != ".git" {
		return folder
	}
	clone := filepath.Join(e.s.TempDir(), "src")
	e.s.git("clone", "--quiet", folder, clone)
	e.s.git("-C", clone, "checkout", "--quiet", "--detach", e.commit)
	return clone
}

func (s *site) git(arguments ...string) string {
	s.Helper()
	out, err := exec.CommandContext(s.Context(), "git",
		append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, arguments...)...).CombinedOutput()
	if err != nil {
		s.Fatalf("git %v: %v\n%s", arguments, err, out)
	}
	return strings.TrimSpace(string(out))
}

// deploy makes or executes a change set, in the environment's account by way of
// the role that the action names.
func (e *execution) deploy(a action) error {
	there := e.aws
	if a.Region != "" {
		there.Region = a.Region
	}
	there, err := e.assume(a, there)
	if err != nil {
		return err
	}
	stack, name := a.setting("StackName"), a.setting("ChangeSetName")
	switch mode := a.setting("ActionMode"); mode {
	case "CHANGE_SET_REPLACE":
		artifact, path, _ := strings.Cut(a.setting("TemplatePath"), "::")
		template, err := os.ReadFile(filepath.Join(e.folders[artifact], filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		return there.ReplaceChangeSet(e.s.Context(), stack, name, a.setting("RoleArn"), a.setting("Capabilities"),
			string(template))
	case "CHANGE_SET_EXECUTE":
		return there.ExecuteChangeSet(e.s.Context(), stack, name)
	default:
		return fmt.Errorf("action mode %s", mode)
	}
}
