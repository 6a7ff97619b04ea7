package ground

import (
	"context"
	"encoding/json"
	"fmt"
)

// BuildProject is what CodeBuild keeps of a project.
type BuildProject struct {
	Source struct {
		BuildSpec string `json:"buildspec"` // itself, or its file in the source
	} `json:"source"`
	Environment struct {
		Variables []Variable `json:"environmentVariables"`
	} `json:"environment"`
	ServiceRole string `json:"serviceRole"`
}

// Variable is one of a build's.
type Variable struct{ Name, Value string }

// BuildProject asks CodeBuild.
func (a AWS) BuildProject(ctx context.Context, name string) (BuildProject, error) {
	body, err := a.json(ctx, "codebuild", "CodeBuild_20161006.BatchGetProjects",
		map[string]any{"names": []string{name}})
	if err != nil {
		return BuildProject{}, err
	}
	var answer struct{ Projects []BuildProject }
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Projects) != 1 {
		return BuildProject{}, fmt.Errorf("project %s: %w in %s", name, err, body)
	}
	return answer.Projects[0], nil
}
