package pipeline_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
	"slipway/infra/pipeline"
	"slipway/infra/stacks"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

var release = migration.Release{Order: 1778000000, Digest: "913ba3fa84b6", Version: "4",
	Scripts: map[string]string{"V4__orders.sql": "34d81b14"}}

// cli is any version.
const cli = "2.1000.0"

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

// project is the configuration of testdata, with other keys of the pipeline.
func project(change map[string]any) environment.Project {
	keys := read("testdata/pipeline.json")
	maps.Copy(keys, change)
	p, err := environment.Parse(map[string]any{"environments": read("testdata/environments.json"), "pipeline": keys})
	if err != nil {
		panic(err)
	}
	return p
}

// newApp is an app with the feature flags of cdk.json, but for the one that ends
// a synthesis on the first finding: here they are counted.
func newApp() awscdk.App {
	flags := read("../../cdk.json")["context"].(map[string]any)
	delete(flags, "environments")
	delete(flags, "pipeline")
	delete(flags, "@aws-cdk/core:annotationsInValidationReport")
	return awscdk.NewApp(&awscdk.AppProps{Context: &flags, AnalyticsReporting: jsii.Bool(false)})
}

// synthesized makes the environments at the app's root and the pipeline.
func synthesized(p environment.Project, aspects func(constructs.Construct)) cxapi.CloudAssembly {
	app := newApp()
	if aspects != nil {
		aspects(app)
	}
	add := func(scope constructs.Construct, c environment.Config) {
		stacks.New(scope, stacks.Props{Config: c, Release: release, Root: "../stacks/testdata/project",
			PipelineAccount: p.Pipeline.Account})
	}
	for _, c := range p.Environments {
		add(app, c)
	}
	pipeline.New(app, pipeline.Props{Config: *p.Pipeline, Environments: p.Environments, Images: p.Images, CLI: cli,
		AddStacks: func(stage awscdk.Stage, c environment.Config) { add(stage, c) }})
	return app.Synth(nil)
}

// The two kinds of source, each one synthesis.
var (
	codeCommit = sync.OnceValue(func() cxapi.CloudAssembly { return synthesized(project(nil), nag) })
	connection = sync.OnceValue(func() cxapi.CloudAssembly {
		return synthesized(project(read("testdata/connection.json")), nag)
	})
)

func template(t *testing.T, assembly cxapi.CloudAssembly, stack string) map[string]any {
	t.Helper()
	return plain(t, assembly.GetStackByName(jsii.String(stack)).Template())
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

// resource is the one of a type whose logical id begins with prefix.
func resource(t *testing.T, template map[string]any, kind, prefix string) map[string]any {
	t.Helper()
	var found []string
	resources := template["Resources"].(map[string]any)
	for id, r := range resources {
		if r.(map[string]any)["Type"] == kind && strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		slices.Sort(found)
		t.Fatalf("not one %s that begins with %q but %v", kind, prefix, found)
	}
	return resources[found[0]].(map[string]any)["Properties"].(map[string]any)
}
