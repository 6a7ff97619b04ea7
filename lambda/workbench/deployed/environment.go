package deployed

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Environment is where cdk.json says that an environment is.
type Environment struct {
	Name            string
	Account, Region string // "" for both: those of the profile
}

// Stack is the name of its stack.
func (e Environment) Stack() string { return "slipway-" + e.Name }

// ErrUnknown says that cdk.json has no such environment.
var ErrUnknown = errors.New("no such environment")

// Find reads the environment from the project's cdk.json. A name that is not
// there is an [ErrUnknown] that lists those that are.
func Find(file, name string) (Environment, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return Environment{}, fmt.Errorf("where the environments are is read from cdk.json: %w", err)
	}
	var project struct {
		Context struct {
			Environments map[string]struct{ Account, Region string }
		}
	}
	if err := json.Unmarshal(raw, &project); err != nil {
		return Environment{}, fmt.Errorf("%s: %w", file, err)
	}
	all := project.Context.Environments
	found, ok := all[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(all)), ", ")
		return Environment{}, fmt.Errorf("%w: %q; %s has %s", ErrUnknown, name, file, known)
	}
	return Environment{Name: name, Account: found.Account, Region: found.Region}, nil
}
