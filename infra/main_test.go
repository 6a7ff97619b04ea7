package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// app is the built command.
var app string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "infra")
	if err != nil {
		panic(err)
	}
	app = filepath.Join(folder, "infra")
	if out, err := exec.Command("go", "build", "-o", app, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// synth runs the app as the CDK's CLI does, in a project with two scripts, and
// returns the folder of the project and what the app said.
func synth(t *testing.T, context map[string]any, files map[string]string) (root, stderr string, err error) {
	t.Helper()
	root = lay(t, files)
	stderr, err = run(t, root, context)
	return root, stderr, err
}

// lay makes the project.
func lay(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	ignore, err := os.ReadFile(filepath.Join("..", ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{".dockerignore": string(ignore), "docker/Dockerfile": "FROM scratch\n",
		"sql/postgresql/V1__a.sql": "SELECT 1;", "sql/postgresql/V2__b.sql": "SELECT 2;"}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func run(t *testing.T, root string, context map[string]any) (stderr string, err error) {
	t.Helper()
	raw, _ := json.Marshal(context)
	cmd := exec.Command(app)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CDK_CONTEXT_JSON="+string(raw), "CDK_OUTDIR="+filepath.Join(root, "cdk.out"))
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	if strings.Contains(said.String(), "Runtime process exited") {
		t.Errorf("what jsii says of its own process is shown:\n%s", said.String())
	}
	return said.String(), err
}

func stacksOf(t *testing.T, root string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "cdk.out", "*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(filepath.Base(found[i]), ".template.json")
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

const existing = `{"vpcId": "vpc-0123456789abcdef0", "subnetIds": ["subnet-0123456789abcdef0"], "securityGroupId": "sg-0123456789abcdef0",
	"secretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-AbCdEf"}`

func TestThreeEnvironments(t *testing.T) {
	var environments map[string]any
	text := `{"dev": {}, "old": {"database": ` + existing +
		`}, "prod": {"account": "123456789012", "region": "eu-central-1"}}`
	if err := json.Unmarshal([]byte(text), &environments); err != nil {
		t.Fatal(err)
	}
	root, stderr, err := synth(t, map[string]any{"environments": environments}, nil)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if got, want := stacksOf(t, root), "slipway-dev slipway-dev-database slipway-old slipway-prod "+
		"slipway-prod-database"; got != want {
		t.Errorf("stacks %s, not %s", got, want)
	}
}

func TestEnvironmentsFromAFile(t *testing.T) {
	root, stderr, err := synth(t, map[string]any{"environments": "@local.json"},
		map[string]string{"local.json": `{"local": {"database": ` + existing + `}}`})
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if got := stacksOf(t, root); got != "slipway-local" {
		t.Errorf("stacks %s", got)
	}

	notJSON := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(notJSON, []byte("dev:"), 0o644); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"@none.json":  "environments: open none.json: ",
		`{"dev": {}}`: "environments: on the command line, name a file: -c environments=@environments.json",
		"@" + notJSON: "environments: " + notJSON + " is not JSON: ",
	} {
		err := fromFile(map[string]any{"environments": given}, "environments")
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// With a pipeline there is its stack too, and the CDK's for artifacts in another
// region; the environments are there in both forms.
func TestPipeline(t *testing.T) {
	where := func(account, region string) map[string]any {
		return map[string]any{"account": account, "region": region}
	}
	environments := map[string]any{"dev": where("111122223333", "eu-central-1"),
		"prod": where("444455556666", "us-east-1")}
	root, stderr, err := synth(t, map[string]any{"environments": environments, "pipeline": "@pipeline.json"},
		map[string]string{"pipeline.json": `{"account": "111122223333", "region": "eu-central-1", "environments": ["prod", "dev"]}`})
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if got, want := stacksOf(t, root), "cross-region-stack-111122223333_us-east-1 slipway-dev slipway-dev-database "+
		"slipway-pipeline slipway-prod slipway-prod-database"; got != want {
		t.Errorf("stacks %s, not %s", got, want)
	}
	nested, err := filepath.Glob(filepath.Join(root, "cdk.out", "assembly-slipway-pipeline-*", "*.template.json"))
	if err != nil || len(nested) != 4 {
		t.Errorf("in stages: %v, %v", nested, err)
	}
}

// The build specs use the command line that people use.
func TestVersionOfTheCommandLine(t *testing.T) {
	if v := cliVersion(); !regexp.MustCompile(`^2\.\d+\.\d+$`).MatchString(v) {
		t.Errorf("infra/cdk names %q", v)
	}
}

// All that is wrong is said, each on a line, without the traces of a program that died.
func TestWhatIsWrongIsSaid(t *testing.T) {
	dev := map[string]any{"dev": map[string]any{}}
	for _, c := range []struct {
		name    string
		context map[string]any
		files   map[string]string
		want    string
	}{
		{"context", map[string]any{"environments": map[string]any{"dev": map[string]any{"memroy": 1,
			"timeout": "20m"}}}, nil,
			"environments.dev.memroy: no such key; did you mean \"memory\"?\n" +
				"environments.dev.timeout: 20m0s is more than 14m0s, and Lambda ends at 15: run longer migrations " +
				"with the same image in ECS Fargate or CodeBuild (`slipway migrate`)\n"},
		{"scripts", map[string]any{"environments": dev}, map[string]string{"sql/postgresql/V3_c.sql": "SELECT 3;"},
			"V3_c.sql: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, stderr, err := synth(t, c.context, c.files)
			if err == nil || stacksOf(t, root) != "" {
				t.Errorf("no failure: %v, stacks %s", err, stacksOf(t, root))
			}
			if !strings.HasPrefix(withoutBanner(stderr), c.want) || strings.Contains(stderr, "goroutine") {
				t.Errorf("got\n%s\nwant\n%s", stderr, c.want)
			}
		})
	}
}

// Every later release would count as a rollback. The file is named, and no stack
// is made.
func TestReleaseOfTheFuture(t *testing.T) {
	root := lay(t, nil)
	at := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(root, "sql", "postgresql", "V2__b.sql"), at, at); err != nil {
		t.Fatal(err)
	}
	stderr, err := run(t, root, map[string]any{"environments": map[string]any{"dev": map[string]any{}}})
	if err == nil || !strings.Contains(stderr, "lies in the future") || !strings.Contains(stderr, "V2__b.sql") ||
		stacksOf(t, root) != "" {
		t.Errorf("%v, stacks %s:\n%s", err, stacksOf(t, root), stderr)
	}
}

// withoutBanner drops what the jsii runtime says of the installed Node.
func withoutBanner(said string) string {
	var out []string
	for _, line := range strings.SplitAfter(said, "\n") {
		if !strings.HasPrefix(line, "!!") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
