package assembly_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/workbench/assembly"
)

type object = map[string]any

var prod = assembly.Expected{
	Stacks: []string{"slipway-prod"}, Account: "444455556666", Region: "us-east-1",
	LookupRole: "arn:aws:iam::444455556666:role/cdk-hnb659fds-lookup-role-444455556666-us-east-1",
}

const template = `{"Resources": {"Migration": {"Type": "Custom::FlywayMigration", "Properties": {"Order": 17780000001234567890}}}}`

// stack is an artifact as the CDK writes it, with these properties changed.
func stack(change object) object {
	properties := object{
		"templateFile": "slipway-prod.template.json", "stackName": "slipway-prod",
		"assumeRoleArn":               "arn:aws:iam::444455556666:role/cdk-hnb659fds-deploy-role-444455556666-us-east-1",
		"lookupRole":                  object{"arn": "arn:aws:iam::444455556666:role/a-role-of-the-branch"},
		"stackTemplateAssetObjectUrl": "s3://somewhere/else.json",
	}
	for key, value := range change {
		properties[key] = value
	}
	return object{"type": "aws:cloudformation:stack", "environment": "aws://444455556666/us-east-1",
		"properties":             properties,
		"additionalMetadataFile": "../../../secret.json", "dependencies": []string{"slipway-prod.assets"}}
}

// artifact lays out what a build leaves. A text that begins with @ is a link.
func artifact(t *testing.T, manifest any, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	raw, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"cdk.out/manifest.json": string(raw), "cdk.out/slipway-prod.template.json": template}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(text, "@"); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Nothing of the branch's assembly but the template gets through.
func TestOnlyTheTemplatesGetThrough(t *testing.T) {
	other := stack(object{"stackName": "billing", "templateFile": "billing.template.json"})
	manifest := object{"version": "54.0.0", "artifacts": object{
		"Renamed": stack(nil), "billing": other, "slipway-prod.assets": object{"type": "cdk:asset-manifest",
			"properties": object{"file": "../../x"}},
		"assembly-x": object{"type": "cdk:cloud-assembly", "properties": object{"directoryName": "../.."}},
	}}
	from := artifact(t, manifest, map[string]string{"cdk.out/billing.template.json": `{"Resources": {}}`})
	to := filepath.Join(t.TempDir(), "prod")
	if err := assembly.Extract(from, to, prod); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"manifest.json", "slipway-prod.template.json"}) {
		t.Errorf("made: %v", names)
	}
	made, err := os.ReadFile(filepath.Join(to, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{"role-of-the-branch", "deploy-role", "billing", "else.json", "secret.json", "assets",
		"cdk:cloud-assembly"} {
		if strings.Contains(string(made), no) {
			t.Errorf("the manifest has %q:\n%s", no, made)
		}
	}
	for _, want := range []string{prod.LookupRole, "aws://444455556666/us-east-1", `"stackName": "slipway-prod"`} {
		if !strings.Contains(string(made), want) {
			t.Errorf("the manifest lacks %q:\n%s", want, made)
		}
	}
	kept, err := os.ReadFile(filepath.Join(to, "slipway-prod.template.json"))
	if err != nil || !strings.Contains(string(kept), "17780000001234567890") {
		t.Errorf("%v: %s", err, kept)
	}
}

// What a tool would obey, and what a branch can write.
func TestWhatIsRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`{"password": "correct horse"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	only := func(a object) object { return object{"artifacts": object{"slipway-prod": a}} }
	in := func(environment string) object {
		a := stack(nil)
		a["environment"] = environment
		return only(a)
	}
	nested := `{"Resources": {"Inner": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "../../../../etc/passwd"}}}}`
	for name, c := range map[string]struct {
		manifest object
		files    map[string]string
		want     string
	}{
		"another account": {manifest: in("aws://111122223333/us-east-1"),
			want: `is for "aws://111122223333/us-east-1", the deployed branch's for aws://444455556666/us-east-1`},
		"another region": {manifest: in("aws://444455556666/eu-central-1"), want: "eu-central-1"},
		"any account":    {manifest: in("aws://unknown-account/unknown-region"), want: "unknown-account"},
		"no account":     {manifest: in(""), want: `is for ""`},
		"another stack's name": {manifest: only(stack(object{"stackName": "billing"})),
			want: "makes 0 stacks named slipway-prod"},
		"no stack": {manifest: object{}, want: "makes 0 stacks"},
		"two of that name": {manifest: object{"artifacts": object{"a": stack(nil), "b": stack(nil)}},
			want: "makes 2 stacks"},
		"another kind of that id": {manifest: object{"artifacts": object{"slipway-prod": object{"type": "cdk:cloud-assembly"}}}, want: "makes 0 stacks"},
		"a look-up": {manifest: object{"artifacts": object{"slipway-prod": stack(nil)},
			"missing": []any{object{"key": "vpc-provider:x", "provider": "vpc-provider"}}},
			want: `wants "vpc-provider:x" looked up`},
		"a template elsewhere": {manifest: only(stack(object{"templateFile": "../../secret.json"})),
			want: "not a file of the assembly"},
		"a template at the root": {manifest: only(stack(object{"templateFile": secret})),
			want: "not a file of the assembly"},
		"a template that is the .": {manifest: only(stack(object{"templateFile": ".."})),
			want: "not a file of the assembly"},
		"no template": {manifest: only(stack(object{"templateFile": "none.json"})),
			want: "can't be read"},
		"a link to a template": {manifest: only(stack(object{"templateFile": "link.json"})),
			files: map[string]string{"cdk.out/link.json": "@" + secret}, want: "can't be read"},
		"a link upward": {manifest: only(stack(object{"templateFile": "link.json"})),
			files: map[string]string{"cdk.out/link.json": "@../../" + filepath.Base(secret)}, want: "can't be read"},
		"a link for the log": {manifest: only(stack(nil)),
			files: map[string]string{"failed": "1", "synth.log": "@" + secret}, want: "its log can't be read"},
		"a folder for a template": {manifest: only(stack(object{"templateFile": "folder"})),
			files: map[string]string{"cdk.out/folder/x": ""}, want: "is not a file"},
		"a stack within": {manifest: only(stack(nil)),
			files: map[string]string{"cdk.out/slipway-prod.template.json": nested}, want: `a stack within it, "Inner"`},
		"a type that is no text": {manifest: only(stack(nil)),
			files: map[string]string{"cdk.out/slipway-prod.template.json": `{"Resources": {"X": {"Type": ["AWS::CloudFormation::Stack"]}}}`}, want: "has no type"},
		"a resource of none": {manifest: only(stack(nil)),
			files: map[string]string{"cdk.out/slipway-prod.template.json": `{"Resources": {"X": 1}}`},
			want:  "is not an object"},
		"YAML": {manifest: only(stack(nil)),
			files: map[string]string{"cdk.out/slipway-prod.template.json": "Resources: {}\n"}, want: "not valid JSON"},
		"a huge template": {manifest: only(stack(nil)),
			files: map[string]string{"cdk.out/slipway-prod.template.json": strings.Repeat(" ", 5<<20)},
			want:  "more than"},
		"an app that failed": {manifest: only(stack(nil)),
			files: map[string]string{"failed": "1", "synth.log": "no such key"},
			want:  "the branch's app failed:\nno such key"},
		"a manifest that is a link": {manifest: nil, files: map[string]string{"cdk.out/manifest.json": "@" + secret},
			want: "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "prod")
			err := assembly.Extract(artifact(t, c.manifest, c.files), to, prod)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "horse") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("an assembly was made")
			}
		})
	}
}

func TestNames(t *testing.T) {
	for _, bad := range []string{"", "../x", "a b", "a/b", "ä", "--all."} {
		if assembly.Names([]string{"slipway-dev", bad}) {
			t.Errorf("%q is a stack's name", bad)
		}
	}
	if assembly.Names(nil) || !assembly.Names([]string{"slipway-dev-database", "slipway-dev"}) {
		t.Error("good names are refused, or none are taken")
	}
}
