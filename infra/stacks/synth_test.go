package stacks_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
	"slipway/infra/stacks"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

var release = migration.Release{Order: 1778000000, Digest: "913ba3fa84b6", Version: "5",
	Older:   "3 scripts, 0a1b2c3d4e5f",
	Scripts: map[string]string{"V4__orders.sql": "34d81b14", "shop/V5__customers.sql": "fe48ef83"}}

// configs are the environments of testdata/environments.json.
var configs = sync.OnceValue(func() map[string]environment.Config {
	project, err := environment.Parse(map[string]any{"environments": read("testdata/environments.json")})
	if err != nil {
		panic(err)
	}
	all := map[string]environment.Config{}
	for _, c := range project.Environments {
		all[c.Name] = c
	}
	return all
})

func read(file string) map[string]any {
	out := map[string]any{}
	raw, err := os.ReadFile(filepath.FromSlash(file))
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("%s: %v", file, err))
	}
	return out
}

// newApp is an app with the feature flags of cdk.json, but for the one that ends
// a synthesis on the first finding: here they are counted.
func newApp() awscdk.App {
	flags := read("../../cdk.json")["context"].(map[string]any)
	delete(flags, "environments")
	delete(flags, "@aws-cdk/core:annotationsInValidationReport")
	return awscdk.NewApp(&awscdk.AppProps{Context: &flags, AnalyticsReporting: jsii.Bool(false)})
}

func add(scope constructs.Construct, environment string) stacks.Stacks {
	return stacks.New(scope, stacks.Props{Config: configs()[environment], Release: release, Root: "testdata/project",
		Rerun: "restored"})
}

// synthesized is every environment in one app: a synthesis takes seconds.
type synthesized struct {
	assembly cxapi.CloudAssembly
	stacks   map[string]stacks.Stacks
}

var all = sync.OnceValue(func() synthesized {
	app := newApp()
	nag(app)
	s := synthesized{stacks: map[string]stacks.Stacks{}}
	for name := range configs() {
		s.stacks[name] = add(app, name)
	}
	s.assembly = app.Synth(nil)
	return s
})

func (s synthesized) artifact(name string) cxapi.CloudFormationStackArtifact {
	return s.assembly.GetStackByName(jsii.String(name))
}

// template of a stack of testdata/environments.json.
func template(t *testing.T, name string) map[string]any {
	t.Helper()
	return plain(t, all().artifact(name).Template())
}

// plain makes JSON values of what comes from jsii.
func plain(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// resources of a type in a template, by logical id.
func resources(template map[string]any, kind string) map[string]map[string]any {
	out := map[string]map[string]any{}
	for id, r := range template["Resources"].(map[string]any) {
		if r := r.(map[string]any); r["Type"] == kind {
			out[id] = r
		}
	}
	return out
}

// only is the one resource of a type whose logical id begins with prefix.
func only(t *testing.T, template map[string]any, kind, prefix string) (string, map[string]any) {
	t.Helper()
	var ids []string
	for id := range resources(template, kind) {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	if len(ids) != 1 {
		t.Fatalf("not one but %d %s that begin with %q: %v", len(ids), kind, prefix, ids)
	}
	return ids[0], resources(template, kind)[ids[0]]
}

func properties(t *testing.T, template map[string]any, kind, prefix string) map[string]any {
	t.Helper()
	_, r := only(t, template, kind, prefix)
	p, _ := r["Properties"].(map[string]any)
	return p
}

// text is a value as compact JSON, for comparisons and messages.
func text(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}

func equal(t *testing.T, what string, got any, want string) {
	t.Helper()
	if text(got) != want {
		t.Errorf("%s:\ngot  %s\nwant %s", what, text(got), want)
	}
}
