package replacement

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is where a project says what a change may replace.
const File = "cdk.json"

// Project is what a commit would deploy.
type Project struct {
	Environments map[string]Environment // by name, as in cdk.json
	Stacks       map[string]Stack       // by name
}

// Environment is what is read of an environment in cdk.json.
type Environment struct {
	Replace bool // replace has "database": what holds data may be replaced
	Exists  bool // its database was made by others
}

// Stack is one stack of an environment.
type Stack struct {
	Where    string // aws://account/region
	Template Template
}

// database is the name of the stack in which an environment's database is made.
func database(environment string) string { return "slipway-" + environment + "-database" }

// Stacks are the names of an environment's stacks: the one in which its database
// is made, and the one of its migration.
func Stacks(environment string) []string {
	return []string{database(environment), "slipway-" + environment}
}

// Level is what a finding means for the change.
type Level string

// The levels.
const (
	Refused Level = "refused"
	Allowed Level = "allowed" // it would be refused, and cdk.json says that it is meant
	Warning Level = "warning"
)

// Finding is one thing that a change does to an environment.
type Finding struct {
	Environment string
	Level       Level
	Message     string
}

// Key is the path in cdk.json of the key that allows what is found.
func (f Finding) Key() string { return "environments." + f.Environment + ".replace" }

// ReadEnvironments reads the environments of the project in a folder. A folder
// without a cdk.json has none.
func ReadEnvironments(folder string) (map[string]Environment, error) {
	file := filepath.Join(folder, File)
	// A file of an untrusted tree may be a link to anywhere.
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a plain file", file)
	}
	raw, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var project struct {
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(raw, &project); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	all := map[string]map[string]any{}
	if given := project.Context["environments"]; given != nil {
		if err := json.Unmarshal(given, &all); err != nil {
			return nil, fmt.Errorf("%s: environments: %w", file, err)
		}
	}
	out := map[string]Environment{}
	for name, keys := range all {
		list, _ := keys["replace"].([]any)
		at, _ := keys["database"].(map[string]any)
		_, exists := at["vpcId"]
		out[name] = Environment{Replace: slices.Contains(list, any("database")), Exists: exists}
	}
	return out, nil
}

// Compare finds what the change from one state of a project to the next does to
// the database of each environment, by environment.
func Compare(before, after Project) []Finding {
	var all []Finding
	for _, name := range slices.Sorted(maps.Keys(before.Environments)) {
		now, ok := after.Environments[name]
		if !ok {
			all = append(all, removed(name, before, after)...)
			continue
		}
		found := environment(name, before, after)
		if now.Replace && !slices.ContainsFunc(found, func(f Finding) bool { return f.Level == Refused }) {
			found = append(found, Finding{name, Warning,
				"replace has \"database\", and the change replaces nothing: take it out, or a later one will " +
					"replace unseen"})
		}
		all = append(all, found...)
	}
	for i, f := range all {
		if f.Level == Refused && after.Environments[f.Environment].Replace {
			all[i].Level = Allowed
		}
	}
	return all
}

// environment compares one that both states have.
func environment(name string, before, after Project) []Finding {
	var found []Finding
	add := func(level Level, format string, values ...any) {
		found = append(found, Finding{name, level, fmt.Sprintf(format, values...)})
	}
	for _, stack := range Stacks(name) {
		old, had := before.Stacks[stack]
		next, has := after.Stacks[stack]
		switch {
		case !had && has && stack == database(name) && before.Environments[name].Exists:
			add(Refused, "%s: a database is made, new and empty, in place of the one that exists", stack)
		case had && !has && stack == database(name) && after.Environments[name].Exists:
			add(Warning, "%s: the stack is not deployed any more, since the database of %s is now another one; "+
				"deployments leave it and %s as they are", stack, name, old.Template.holds())
		case had && !has:
			add(Refused, "%s: the stack is not made any more; deployments leave it as it is, with %s, "+
				"and a stack of another name is another one, with nothing in it", stack, old.Template.holds())
		}
		if !had || !has {
			continue
		}
		if old.Where != next.Where {
			add(moved(old, next), "%s: the stack moves from %s to %s: what is made there is new and empty, "+
				"what was made stays where it is and is not deployed any more", stack, old.Where, next.Where)
			continue
		}
		for _, change := range Between(stack, old.Template, next.Template) {
			add(Refused, "%s", change)
		}
		for _, text := range weaker(old.Template, next.Template) {
			add(Warning, "%s: %s", stack, text)
		}
	}
	return found
}

// moved: a place that stood open may be the one that is named now.
func moved(old, next Stack) Level {
	if strings.Contains(old.Where+next.Where, "unknown-") {
		return Warning
	}
	return Refused
}

// removed is said of an environment that is in cdk.json no more. With another
// one that is new, it may have got another name.
func removed(name string, before, after Project) []Finding {
	gone := fmt.Sprintf("the environment %s is not in cdk.json any more: deployments leave its stacks as they are, "+
		"and nothing is deleted; infra/DESTROY.md says how to delete them", name)
	old, made := before.Stacks[database(name)]
	if !made {
		return []Finding{{name, Warning, gone}}
	}
	var found []Finding
	for _, other := range slices.Sorted(maps.Keys(after.Environments)) {
		if _, known := before.Environments[other]; !known && !after.Environments[other].Exists {
			found = append(found, Finding{other, Refused, fmt.Sprintf("the environment %s is new, and %s is gone: "+
				"under another name its database is another one, new and empty; %s keeps %s and is not deployed any "+
				"more",
				other, name, database(name), old.Template.holds())})
		}
	}
	if found == nil {
		found = []Finding{{name, Warning, gone}}
	}
	return found
}

// holds lists what is protected in a template.
func (t Template) holds() string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if kind := protected[t.Resources[id].Type]; kind != "" {
			all = append(all, kind+" "+id)
		}
	}
	if all == nil {
		return "all that is in it"
	}
	return strings.Join(all, ", ")
}
