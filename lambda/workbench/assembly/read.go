package assembly

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Stack is a stack of an assembly.
type Stack struct {
	Environment string // aws://account/region
	Template    []byte
}

// Read returns the stacks of a trusted assembly by name: those of the app's
// root, without those of its stages.
func Read(folder string) (map[string]Stack, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("manifest.json of %s is not valid: %w", folder, err)
	}
	stacks := map[string]Stack{}
	for id, a := range m.Artifacts {
		if a.Type != stackType {
			continue
		}
		name := a.Properties.StackName
		if name == "" {
			name = id
		}
		template, err := os.ReadFile(filepath.Join(folder, a.Properties.TemplateFile))
		if err != nil {
			return nil, err
		}
		stacks[name] = Stack{Environment: a.Environment, Template: template}
	}
	return stacks, nil
}
