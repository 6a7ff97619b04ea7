package replacement

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// databaseTemplate is a template of an environment's database, cut down to what counts.
func databaseTemplate(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/database.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func parsed(t *testing.T, text string) Template {
	t.Helper()
	template, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return template
}

// set changes one thing of a template: the value at a path, or nothing there for nil.
func set(t *testing.T, text, path string, value any) string {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(path, "/")
	at := whole
	for _, key := range keys[:len(keys)-1] {
		at = at[key].(map[string]any)
	}
	last := keys[len(keys)-1]
	if at[last] = value; value == nil {
		delete(at, last)
	}
	raw, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Each change of a template, and what is said of it: every entry is one line of
// the outcome, and there are no others.
func TestBetween(t *testing.T) {
	object := func(text string) map[string]any {
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, c := range map[string]struct {
		path  string
		value any
		want  []string
	}{
		"nothing":               {"Description", "other", nil},
		"a property that stays": {"Resources/Cluster/Properties/Port", 5433, nil},
		"the same as a text":    {"Resources/Cluster/Properties/StorageEncrypted", "true", nil},
		"the engine's version":  {"Resources/Cluster/Properties/EngineVersion", "18.1", nil},
		"no value is nothing": {"Resources/Cluster/Properties/SnapshotIdentifier",
			object(`{"Ref": "AWS::NoValue"}`), nil},
		"an instance's backup settings": {"Resources/Writer/Properties/AutoMinorVersionUpgrade", false, nil},
		"the name": {"Resources/Cluster/Properties/DatabaseName", "shop2", []string{
			`s: the cluster Cluster (AWS::RDS::DBCluster) would be replaced: DatabaseName "shop" → "shop2"`,
			`s: the instance Writer (AWS::RDS::DBInstance) would be replaced: DBClusterIdentifier refers to Cluster, which would be replaced`}},
		"the name is dropped": {"Resources/Cluster/Properties/DatabaseName", nil,
			[]string{`DatabaseName "shop" → none`, "Writer"}},
		"from a snapshot": {"Resources/Cluster/Properties/SnapshotIdentifier", "snap",
			[]string{`SnapshotIdentifier none → "snap"`, "Writer"}},
		"unencrypted": {"Resources/Cluster/Properties/StorageEncrypted", false,
			[]string{`StorageEncrypted "true" → "false"`, "Writer"}},
		"the user": {"Resources/Cluster/Properties/MasterUsername", "root",
			[]string{`may be replaced: MasterUsername "postgres" → "root"`, "Writer"}},
		"another engine": {"Resources/Cluster/Properties/Engine", "aurora-mysql",
			[]string{`may be replaced: Engine`, "Writer"}},
		"another key": {"Resources/Cluster/Properties/KmsKeyId", object(`{"Fn::GetAtt": ["Other", "Arn"]}`),
			[]string{`may be replaced: KmsKeyId {"Fn::GetAtt":["Key","Arn"]} → {"Fn::GetAtt":["Other","Arn"]}`,
				"Writer"}},
		"another stack's text": {"Resources/Cluster/Properties/KmsKeyId",
			object(`{"Fn::GetStackOutput": {"StackName": "x", "OutputName": "Key"}}`),
			[]string{`may be replaced`, "Writer"}},
		"the zones' order": {"Resources/Cluster/Properties/AvailabilityZones", []any{"b", "a"}, nil},
		"the zones": {"Resources/Cluster/Properties/AvailabilityZones", []any{"b", "c"},
			[]string{`AvailabilityZones ["a","b"] → ["b","c"]`, "Writer"}},
		"the subnet group's name": {"Resources/Group/Properties/DBSubnetGroupName", "new", []string{
			"Cluster (AWS::RDS::DBCluster) would be replaced: DBSubnetGroupName refers to Group, which would be " +
				"replaced", "Writer"}},
		"the VPC's range": {"Resources/Vpc/Properties/CidrBlock", "10.1.0.0/16", []string{
			`the subnet Subnet (AWS::EC2::Subnet) would be replaced: VpcId refers to Vpc, which would be replaced`,
			`the VPC Vpc (AWS::EC2::VPC) would be replaced: CidrBlock "10.0.0.0/16" → "10.1.0.0/16"`}},
		"a subnet's range": {"Resources/Subnet/Properties/CidrBlock", "10.0.16.0/20",
			[]string{`Subnet (AWS::EC2::Subnet) would be replaced: CidrBlock`}},
		"a zone's name": {"Resources/Subnet/Properties/AvailabilityZone", "eu-central-1a",
			[]string{`may be replaced: AvailabilityZone {"Fn::Select":["0",{"Fn::GetAZs":""}]} → "eu-central-1a"`}},
		"the secret's name": {"Resources/Secret/Properties/Name", "other", []string{
			`the secret Secret (AWS::SecretsManager::Secret) would be replaced: Name none → "other"`}},
		"the key is gone": {"Resources/Key", nil, []string{
			`the key Key (AWS::KMS::Key) would be deleted: it is not in the template any more; by its DeletionPolicy, Retain, the stack lets go of it and it stays in the account`}},
		"the cluster is gone": {"Resources/Cluster", nil,
			[]string{`Cluster (AWS::RDS::DBCluster) would be deleted: it is not in the template any more; its DeletionPolicy is Snapshot`}},
		"the instance is gone": {"Resources/Writer", nil,
			[]string{`Writer (AWS::RDS::DBInstance) would be deleted: it is not in the template any more`}},
		"another type": {"Resources/Key/Type", "AWS::KMS::ReplicaKey",
			[]string{`the key Key (AWS::KMS::Key) would be deleted: its type becomes AWS::KMS::ReplicaKey`}},
		"a condition": {"Resources/Cluster/Condition", "Never",
			[]string{`Cluster (AWS::RDS::DBCluster) may be deleted: the condition under which it is there changes`}},
		"what holds no data": {"Resources/Parameters", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := databaseTemplate(t)
			after := set(t, before, c.path, c.value)
			got := Between("s", parsed(t, before), parsed(t, after))
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %q", got, c.want)
			}
			for i := range got {
				if !strings.Contains(got[i].String(), c.want[i]) {
					t.Errorf("got\n%s\nwant\n%s", got[i], c.want[i])
				}
			}
		})
	}
}

// What refers to what is replaced goes with it, whatever the logical ids' order.
func TestReferencesOfReferences(t *testing.T) {
	template := func(group string) Template {
		return parsed(t, `{"Resources": {
			"A": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "B"}}},
			"B": {"Type": "AWS::RDS::DBCluster", "Properties": {"DBSubnetGroupName": {"Ref": "C"}}},
			"C": {"Type": "AWS::RDS::DBSubnetGroup", "Properties": {"DBSubnetGroupName": "`+group+`"}}}}`)
	}
	got := Between("s", template("old"), template("new"))
	if len(got) != 2 || got[0].ID != "A" || got[1].ID != "B" {
		t.Errorf("%v", got)
	}
}

// Another logical id deletes one resource and makes another.
func TestAnotherLogicalID(t *testing.T) {
	before := databaseTemplate(t)
	after := strings.ReplaceAll(before, `"Cluster"`, `"Renamed"`)
	got := Between("s", parsed(t, before), parsed(t, after))
	if len(got) != 2 || !got[0].Deleted || !got[0].Sure ||
		!strings.Contains(got[0].String(), "Renamed is new: another logical id is another resource") {
		t.Errorf("%v", got)
	}
}

// Names in Fn::Sub and in the short form of Fn::GetAtt count as references.
func TestReferences(t *testing.T) {
	for text, want := range map[string]string{
		`{"Ref": "A"}`:                                                  "A",
		`{"Fn::GetAtt": "A.Arn"}`:                                       "A",
		`{"Fn::GetAtt": ["A", "B"]}`:                                    "A",
		`{"Fn::Sub": "x-${A}-${B.Arn}-${!C}-${AWS::Region}"}`:           "A AWS::Region B",
		`{"Fn::Sub": ["${A}", {"V": {"Ref": "B"}}]}`:                    "A B",
		`{"Fn::If": ["c", {"Ref": "A"}, {"Ref": "B"}]}`:                 "A B",
		`{"Fn::Join": ["", ["a", {"Ref": "A"}, {"Ref": "A"}]]}`:         "A",
		`{"Fn::GetStackOutput": {"StackName": "A", "OutputName": "B"}}`: "",
		`"A"`: "",
	} {
		template := parsed(t, `{"Resources": {"R": {"Properties": {"P": `+text+`}}}}`)
		if got := strings.Join(template.Resources["R"].refers("P"), " "); got != want {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
}
