package actions

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of README.md and the policies anew")

// kinds of stacks, with the golden templates of each.
var kinds = []struct {
	name      string
	templates []string
}{
	{"database", []string{"../stacks/testdata/golden/database.json", "../stacks/testdata/golden/database-dev.json"}},
	{"migration", []string{"../stacks/testdata/golden/migration.json",
		"../stacks/testdata/golden/migration-existing.json"}},
	{"pipeline", []string{"../pipeline/testdata/golden/pipeline.json", "../pipeline/testdata/golden/connection.json",
		"../pipeline/testdata/golden/region.json"}},
}

// besides are actions that no schema names.
var besides = []struct {
	kind    string // "" is every one
	actions []string
	reason  string
}{
	{"", []string{"ssm:GetParameters"}, "each template reads the version of the CDK's bootstrap"},
	{"database", []string{"ec2:DescribeAvailabilityZones"}, "`Fn::GetAZs`, where no zones are named"},
	{"database", []string{"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey",
		"kms:GenerateDataKeyWithoutPlaintext"},
		"the cluster's storage and its secret are encrypted with the stack's key"},
	{"migration", []string{"cloudformation:DescribeStacks"},
		"`Fn::GetStackOutput` reads the outputs of the database's stack"},
	{"migration", []string{"lambda:InvokeFunction"}, "the custom resource calls the CDK's framework"},
	{"migration", []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy",
		"ecr:SetRepositoryPolicy"},
		"a function that is made of an image: Lambda is allowed to pull it"},
	{"pipeline", []string{"codebuild:BatchGetProjects", "codebuild:CreateProject", "codebuild:DeleteProject",
		"codebuild:UpdateProject"},
		"CodeBuild's type has no handlers in its schema"},
	{"pipeline", []string{"codeconnections:PassConnection"}, "the newer name of `codestar-connections:PassConnection`"},
}

// others are services that schemas name for properties which no template has,
// and names that IAM does not know.
var others = regexp.MustCompile(
	`^(autoscaling|docdb-elastic|elasticfilesystem|firehose|redshift|redshift-serverless|s3files|s3tables|vpc-lattice|vpce):|^s3:REST\.`)

// users and groups of IAM, which no template has.
var users = regexp.MustCompile(`^iam:\w+(User|Group)Policy$`)

// found are the actions of each kind, and those that were left out.
func found(t *testing.T) (byKind map[string][]string, left []string) {
	t.Helper()
	var schemas map[string][]string
	read(t, "schemas.json", &schemas)
	byKind = map[string][]string{}
	used := map[string]bool{}
	for _, kind := range kinds {
		all := map[string]bool{}
		for _, file := range kind.templates {
			var template struct {
				Resources map[string]struct {
					Type       string
					Properties map[string]any
				}
			}
			read(t, file, &template)
			for id, r := range template.Resources {
				if strings.HasPrefix(r.Type, "Custom::") {
					continue
				}
				// The policies know roles by the stack's name, with which AWS begins theirs.
				if name, ok := r.Properties["RoleName"]; ok {
					t.Errorf("%s: %s has a name of its own, %v, which the policies do not know", file, id, name)
				}
				used[r.Type] = true
				actions, ok := schemas[r.Type]
				if !ok && r.Type != "AWS::CodeBuild::Project" {
					t.Errorf("schemas.json lacks %s: add the permissions of its handlers (see doc.go)", r.Type)
				}
				for _, action := range actions {
					all[action] = true
				}
			}
		}
		for _, b := range besides {
			for _, action := range b.actions {
				if b.kind == "" || b.kind == kind.name {
					all[action] = true
				}
			}
		}
		for action := range all {
			switch {
			case others.MatchString(action) || users.MatchString(action):
				left = append(left, action)
			default:
				byKind[kind.name] = append(byKind[kind.name], action)
			}
		}
		slices.Sort(byKind[kind.name])
	}
	for name := range schemas {
		if !used[name] {
			t.Errorf("no template has %s any more: take it out of schemas.json", name)
		}
	}
	slices.Sort(left)
	return byKind, slices.Compact(left)
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(file))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// policy allows a kind's actions; those on roles only for roles of these stacks.
func policy(actions []string) string {
	var general, roles, linked []string
	for _, action := range actions {
		switch {
		case action == "iam:CreateServiceLinkedRole":
			linked = append(linked, action)
		case strings.HasPrefix(action, "iam:") && action != "iam:ListRoles":
			roles = append(roles, action)
		default:
			general = append(general, action)
		}
	}
	type statement struct {
		Sid, Effect string
		Action      []string
		Resource    string
	}
	statements := []statement{{"Resources", "Allow", general, "*"},
		{"Roles", "Allow", roles, "arn:aws:iam::*:role/slipway-*"}}
	if len(linked) > 0 {
		statements = append(statements,
			statement{"ServiceLinkedRoles", "Allow", linked, "arn:aws:iam::*:role/aws-service-role/*"})
	}
	out, err := json.MarshalIndent(map[string]any{"Version": "2012-10-17", "Statement": statements}, "", " ")
	if err != nil {
		panic(err)
	}
	return string(out) + "\n"
}

// table has a row for each service, and names the kinds of stacks that need it.
func table(byKind map[string][]string, left []string) string {
	services, who := map[string][]string{}, map[string][]string{}
	for _, kind := range kinds {
		for _, action := range byKind[kind.name] {
			service, name, _ := strings.Cut(action, ":")
			services[service] = append(services[service], name)
			if !slices.Contains(who[service], kind.name) {
				who[service] = append(who[service], kind.name)
			}
		}
	}
	var b strings.Builder
	b.WriteString("| service | stacks | actions |\n| --- | --- | --- |\n")
	for _, service := range slices.Sorted(maps.Keys(services)) {
		names := services[service]
		slices.Sort(names)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", service, strings.Join(who[service], ", "),
			strings.Join(slices.Compact(names), ", "))
	}
	b.WriteString("\n| no schema names | stacks | because |\n| --- | --- | --- |\n")
	for _, beside := range besides {
		kind := beside.kind
		if kind == "" {
			kind = "all"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.Join(beside.actions, "`, `"), kind, beside.reason)
	}
	fmt.Fprintf(&b, "\nLeft out, since they are for properties that no template has: `%s`.\n",
		strings.Join(left, "`, `"))
	return b.String()
}

// longest is what IAM takes of a managed policy, white space not counted.
const longest = 6144

func TestActionsAreThoseOfTheTemplates(t *testing.T) {
	byKind, left := found(t)
	compare(t, "README.md", func(now string) string {
		head, rest, _ := strings.Cut(now, "<!-- actions -->\n")
		_, tail, ok := strings.Cut(rest, "<!-- /actions -->")
		if !ok {
			t.Fatal("README.md has no place for the table")
		}
		return head + "<!-- actions -->\n" + table(byKind, left) + "<!-- /actions -->" + tail
	})
	for _, kind := range kinds {
		made := policy(byKind[kind.name])
		if n := len(strings.Join(strings.Fields(made), "")); n > longest {
			t.Errorf("the policy of %s has %d characters, and IAM takes %d", kind.name, n, longest)
		}
		compare(t, kind.name+".json", func(string) string { return made })
	}
}

// compare compares a file with what it should be, and writes it where -update says so.
func compare(t *testing.T, file string, want func(now string) string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil && !*update {
		t.Fatal(err)
	}
	text := want(string(raw))
	switch {
	case text == string(raw):
	case *update:
		if err := os.WriteFile(filepath.FromSlash(file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is behind the templates: go test ./infra/actions -update", file)
	}
}

// What was found missing by reading stays there.
func TestWhatIsEasilyForgotten(t *testing.T) {
	byKind, _ := found(t)
	for kind, wanted := range map[string][]string{
		"migration": {"cloudformation:DescribeStacks", "lambda:InvokeFunction", "ecr:SetRepositoryPolicy",
			"iam:PassRole", "ec2:CreateVpcEndpoint"},
		"database": {"rds:CreateDBCluster", "kms:CreateKey", "secretsmanager:CreateSecret",
			"iam:CreateServiceLinkedRole"},
		"pipeline": {"codepipeline:CreatePipeline", "codebuild:CreateProject", "s3:PutEncryptionConfiguration",
			"codestar-connections:PassConnection"},
	} {
		for _, action := range wanted {
			if !slices.Contains(byKind[kind], action) {
				t.Errorf("%s lacks %s", kind, action)
			}
		}
	}
}
