package deployed

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Environment is where cdk.json says that an environment is.
type Environment struct {
	Name            string
	Account, Region string // "" for both: those of the profile
	Throwaway       bool
	Exists          bool // its database was made by others
	// Settings are the FLYWAY_* variables that its function gets from cdk.json.
	Settings map[string]string
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
			Environments map[string]struct {
				Account, Region      string
				Placeholders, Flyway map[string]any
				Throwaway            any
				Database             map[string]any
			}
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
	e := Environment{
		Name:      name,
		Account:   found.Account,
		Region:    found.Region,
		Throwaway: found.Throwaway == true,
		Exists:    found.Database["vpcId"] != nil,
		Settings:  map[string]string{},
	}
	for key, value := range found.Placeholders {
		e.Settings["FLYWAY_PLACEHOLDERS_"+strings.ToUpper(key)] = fmt.Sprint(value)
	}
	for key, value := range found.Flyway {
		// Flyway's documentation has both names: outOfOrder and FLYWAY_OUT_OF_ORDER.
		e.Settings["FLYWAY"+strings.ToUpper(capital.ReplaceAllString("_"+key, "_$0"))] = fmt.Sprint(value)
	}
	return e, nil
}

var capital = regexp.MustCompile("[A-Z]")
