package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// branchOf is a project whose cdk.json names the built app, committed on master.
type branchOf struct {
	*testing.T
	root, workbench string
}

func newBranch(t *testing.T, environments string) branchOf {
	t.Helper()
	b := branchOf{t, lay(t, nil), filepath.Join(t.TempDir(), "workbench")}
	if out, err := exec.Command("go", "build", "-o", b.workbench, "../lambda/workbench").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.environments(environments)
	b.git("init", "-q", "-b", "master")
	b.git("add", "-A")
	b.git("commit", "-q", "-m", "base")
	b.git("checkout", "-q", "-b", "feature")
	return b
}

func (b branchOf) git(args ...string) {
	b.Helper()
	command := exec.Command("git", append([]string{"-C", b.root, "-c", "user.name=t", "-c", "user.email=t@example.com"},
		args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// environments writes cdk.json. The CDK's flags are those of this project.
func (b branchOf) environments(text string) {
	b.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "cdk.json"))
	if err != nil {
		b.Fatal(err)
	}
	var project map[string]any
	if err := json.Unmarshal(raw, &project); err != nil {
		b.Fatal(err)
	}
	var environments map[string]any
	if err := json.Unmarshal([]byte(text), &environments); err != nil {
		b.Fatal(err)
	}
	project["app"] = app
	project["context"].(map[string]any)["environments"] = environments
	if raw, err = json.Marshal(project); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.root, "cdk.json"), raw, 0o644); err != nil {
		b.Fatal(err)
	}
}

func (b branchOf) check(arguments ...string) (code int, said string) {
	b.Helper()
	command := exec.Command(b.workbench, append([]string{"check", "--no-sql"}, arguments...)...)
	command.Dir = b.root
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState.ExitCode() < 0 {
		b.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// The check of a branch names what its cdk.json would have CloudFormation replace
// or delete in an environment, with the real templates of both sides, and asks
// neither AWS nor a linter.
func TestCheckComparesTemplates(t *testing.T) {
	const base = `{"dev": {"throwaway": true}, "prod": {"database": {"availabilityZones": ["eu-central-1a", "eu-central-1b"]}}}`
	b := newBranch(t, base)
	zones := `"availabilityZones": ["eu-central-1a", "eu-central-1b"]`
	cluster := "slipway-prod-database: the cluster ClusterEB0386A7 (AWS::RDS::DBCluster) would be replaced: "
	for name, c := range map[string]struct {
		prod string
		code int
		want []string
		not  string
	}{
		"zones in another order, one more, a size": {
			`{"database": {"maxCapacity": 8, "availabilityZones": ["eu-central-1c", "eu-central-1b", "eu-central-1a"]}}`, 0, nil, "database-"},
		"the name and the range": {`{"database": {"name": "shop", "vpcCidr": "10.1.0.0/16", ` + zones + `}}`, 1,
			[]string{
				cluster + `DatabaseName "app" → "shop"`, `environments.prod.replace = ["database"]`,
				"cdk.json: error [replaced-database]",
				`the VPC NetworkVpcFAC8F4A5 (AWS::EC2::VPC) would be replaced: CidrBlock "10.0.0.0/16" → "10.1.0.0/16"`,
				`the subnet NetworkSubnet18D1B2567 (AWS::EC2::Subnet) would be replaced: CidrBlock "10.0.0.0/20" → "10.1.0.0/20"; VpcId refers to NetworkVpc`,
			}, "waived [replaced"},
		"the name, meant": {`{"replace": ["database"], "database": {"name": "shop", ` + zones + `}}`, 0,
			[]string{cluster, "cdk.json: waived [replaced-database]",
				`because environments.prod.replace of cdk.json has "database"`}, "error ["},
	} {
		t.Run(name, func(t *testing.T) {
			b.environments(`{"dev": {"throwaway": true}, "prod": ` + c.prod + `}`)
			code, said := b.check()
			if code != c.code || c.not != "" && strings.Contains(said, c.not) {
				t.Errorf("exit code %d, not %d:\n%s", code, c.code, said)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
		})
	}
}
