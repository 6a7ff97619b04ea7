package replacement

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// project is one whose environments prod and dev have a database made with them.
func project(t *testing.T) Project {
	t.Helper()
	made := Stack{"aws://1/r", parsed(t, databaseTemplate(t))}
	other := Stack{"aws://1/r", Template{}}
	return Project{
		Environments: map[string]Environment{"dev": {}, "prod": {}},
		Stacks: map[string]Stack{
			"slipway-dev": other, "slipway-dev-database": made, "slipway-prod": other, "slipway-prod-database": made,
		},
	}
}

// edit changes prod's database stack.
func edit(t *testing.T, p Project, path string, value any) {
	p.Stacks["slipway-prod-database"] = Stack{"aws://1/r", parsed(t, set(t, databaseTemplate(t), path, value))}
}

// Each change of a project, and what is said of it.
func TestCompare(t *testing.T) {
	const name = "Resources/Cluster/Properties/DatabaseName"
	for title, c := range map[string]struct {
		change func(before, after Project)
		want   []string // level, environment, and a part of the message
	}{
		"nothing": {func(_, _ Project) {}, nil},
		"the database's name": {func(_, after Project) { edit(t, after, name, "x") }, []string{
			"refused prod: slipway-prod-database: the cluster Cluster (AWS::RDS::DBCluster) would be replaced: " +
				"DatabaseName",
			"refused prod: slipway-prod-database: the instance Writer"}},
		"it is meant": {func(_, after Project) {
			edit(t, after, name, "x")
			after.Environments["prod"] = Environment{Replace: true}
		}, []string{"allowed prod: slipway-prod-database: the cluster",
			"allowed prod: slipway-prod-database: the instance"}},
		"it is meant elsewhere": {func(_, after Project) {
			edit(t, after, name, "x")
			after.Environments["dev"] = Environment{Replace: true}
		}, []string{"warning dev: replace has \"database\"", "refused prod:", "refused prod:"}},
		"a retained key without its policy": {func(_, after Project) {
			edit(t, after, "Resources/Key/DeletionPolicy", nil)
		},
			[]string{"warning prod: slipway-prod-database: the key Key (AWS::KMS::Key) is protected less: " +
				"DeletionPolicy Retain → Delete"}},
		"a cluster without its policy": {func(_, after Project) {
			edit(t, after, "Resources/Cluster/DeletionPolicy", nil)
		}, nil},
		"a cluster without a snapshot": {func(_, after Project) {
			edit(t, after, "Resources/Cluster/DeletionPolicy", "Delete")
		},
			[]string{"warning prod: slipway-prod-database: the cluster Cluster (AWS::RDS::DBCluster) is protected less"}},
		"deletion protection": {func(before, after Project) {
			edit(t, before, "Resources/Cluster/Properties/DeletionProtection", true)
		}, []string{"DeletionProtection true → false"}},
		"the environment is gone": {func(_, after Project) { dropEnvironment(after, "prod") },
			[]string{"warning prod: the environment prod is not in cdk.json any more: deployments leave its stacks " +
				"as they are"}},
		"the environment has another name": {func(_, after Project) {
			after.Environments["production"] = Environment{}
			after.Stacks["slipway-production-database"] = after.Stacks["slipway-prod-database"]
			after.Stacks["slipway-production"] = after.Stacks["slipway-prod"]
			dropEnvironment(after, "prod")
		}, []string{"refused production: the environment production is new, and prod is gone: under another name " +
			"its database is another one"}},
		"one more environment": {func(_, after Project) {
			after.Environments["new"] = Environment{}
			after.Stacks["slipway-new-database"] = after.Stacks["slipway-prod-database"]
		}, nil},
		"the stack has another name": {func(_, after Project) {
			after.Stacks["app-prod-database"] = after.Stacks["slipway-prod-database"]
			delete(after.Stacks, "slipway-prod-database")
		}, []string{"refused prod: slipway-prod-database: the stack is not made any more; deployments leave it as " +
			"it is, with cluster Cluster, key Key"}},
		"the database is one that exists": {func(_, after Project) {
			after.Environments["prod"] = Environment{Exists: true}
			delete(after.Stacks, "slipway-prod-database")
		}, []string{"warning prod: slipway-prod-database: the stack is not deployed any more"}},
		"the database that existed is made": {func(before, _ Project) {
			before.Environments["prod"] = Environment{Exists: true}
			delete(before.Stacks, "slipway-prod-database")
		}, []string{"refused prod: slipway-prod-database: a database is made, new and empty"}},
		"another region": {func(_, after Project) {
			after.Stacks["slipway-prod-database"] = Stack{"aws://1/other",
				after.Stacks["slipway-prod-database"].Template}
		}, []string{"refused prod: slipway-prod-database: the stack moves from aws://1/r to aws://1/other"}},
		"a region that was the profile's": {func(before, _ Project) {
			before.Stacks["slipway-prod-database"] = Stack{"aws://unknown-account/unknown-region", Template{}}
		}, []string{"warning prod: slipway-prod-database: the stack moves"}},
	} {
		t.Run(title, func(t *testing.T) {
			before, after := project(t), project(t)
			before.Stacks, after.Stacks = maps.Clone(before.Stacks), maps.Clone(after.Stacks)
			c.change(before, after)
			got := Compare(before, after)
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %q", got, c.want)
			}
			for i, f := range got {
				if line := string(f.Level) + " " + f.Environment + ": " +
					f.Message; !strings.Contains(line, c.want[i]) {
					t.Errorf("got\n%s\nwant\n%s", line, c.want[i])
				}
			}
		})
	}
}

func dropEnvironment(p Project, environment string) {
	delete(p.Environments, environment)
	for _, name := range Stacks(environment) {
		delete(p.Stacks, name)
	}
}

// The key counts with exactly that name and form: nothing else is a consent.
func TestReadEnvironments(t *testing.T) {
	folder := t.TempDir()
	if all, err := ReadEnvironments(folder); err != nil || all != nil {
		t.Errorf("without a file: %v, %v", all, err)
	}
	text := `{"context": {"environments": {"a": {"replace": ["database"]}, "b": {"Replace": ["database"]}, "c": {"replace": "database"},
		"d": {"replace": ["network", "database"], "database": {"vpcId": "vpc-1"}}, "e": {"database": {"vpcCidr": "10.0.0.0/16"}}},
		"Environments": {"f": {}}}, "environments": {"g": {}}}`
	if err := os.WriteFile(filepath.Join(folder, File), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadEnvironments(folder)
	want := map[string]Environment{"a": {Replace: true}, "b": {}, "c": {}, "d": {Replace: true, Exists: true}, "e": {}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	elsewhere := t.TempDir()
	if err := os.Symlink(filepath.Join(folder, File), filepath.Join(elsewhere, File)); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadEnvironments(elsewhere); err == nil {
		t.Error("a link is followed")
	}
}
