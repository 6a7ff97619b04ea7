package environment_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"slipway/infra/environment"
)

// context is what the CDK makes of the JSON text.
func context(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func environments(t *testing.T, text string) []environment.Config {
	t.Helper()
	p, err := environment.Parse(context(t, `{"environments": `+text+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return p.Environments
}

func TestDefaults(t *testing.T) {
	got := environments(t, `{"dev": {}}`)[0]
	want := environment.Config{
		Name: "dev", SecretsEndpoint: "create", Memory: 1769, Timeout: 10 * time.Minute, Architecture: "amd64",
		Placeholders: map[string]string{}, Flyway: map[string]string{}, Tags: map[string]string{}, Clients: []string{},
		LockTimeout: 5 * time.Second, LogDays: 90,
		Database: environment.Database{Name: "app", Port: 5432, New: environment.NewDatabase{
			VpcCIDR: "10.0.0.0/16", EngineVersion: "17.7", MinCapacity: 0.5, MaxCapacity: 4, Password: "managed",
			DeletionProtection: true, BackupDays: 7, Removal: "snapshot",
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestThrowawayRelaxes(t *testing.T) {
	got := environments(t, `{"dev": {"throwaway": true, "database": {"removal": "retain"}}}`)[0]
	if n := got.Database.New; n.DeletionProtection || n.BackupDays != 1 || n.Removal != "retain" || got.LogDays != 7 {
		t.Errorf("not relaxed, or a given key was lost: %+v", got)
	}
}

func TestEverythingGiven(t *testing.T) {
	got := environments(t, `{"prod": {
		"account": "123456789012", "region": "eu-central-1", "clients": ["sg-0000000000000000a"], "secretsEndpoint": "sg-0000000000000000b",
		"memory": 2048, "timeout": "14m", "architecture": "arm64", "placeholders": {"tenant": "acme"},
		"flyway": {"outOfOrder": "true", "schemas": "a,b"}, "lockTimeout": "300ms", "logRetentionDays": 365,
		"alarmEmail": "ops@example.com", "tags": {"team": "data"},
		"database": {"name": "shop", "port": 6543, "baseline": "3.1", "vpcId": "vpc-0123456789abcdef0",
			"availabilityZones": ["eu-central-1a", "eu-central-1b"], "subnetIds": ["subnet-0000000000000000a", "subnet-0000000000000000b"],
			"securityGroupId": "sg-0000000000000000c", "secretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1a2b-AbCdEf",
			"kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1a2b", "host": "db.example.com", "cluster": "shop-prod"}}}`)[0]
	want := environment.Config{
		Name: "prod", Account: "123456789012", Region: "eu-central-1", Clients: []string{"sg-0000000000000000a"},
		SecretsEndpoint: "sg-0000000000000000b", Memory: 2048, Timeout: 14 * time.Minute, Architecture: "arm64",
		Placeholders: map[string]string{"tenant": "acme"},
		Flyway:       map[string]string{"FLYWAY_OUT_OF_ORDER": "true", "FLYWAY_SCHEMAS": "a,b"},
		LockTimeout:  300 * time.Millisecond, LogDays: 365, AlarmEmail: "ops@example.com",
		Tags: map[string]string{"team": "data"},
		Database: environment.Database{Exists: true, Name: "shop", Port: 6543, Baseline: "3.1",
			AvailabilityZones: []string{"eu-central-1a", "eu-central-1b"},
			Existing: environment.ExistingDatabase{VpcID: "vpc-0123456789abcdef0",
				SubnetIDs:       []string{"subnet-0000000000000000a", "subnet-0000000000000000b"},
				SecurityGroupID: "sg-0000000000000000c",
				SecretArn:       "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-1a2b-AbCdEf",
				KmsKeyArn:       "arn:aws:kms:eu-central-1:123456789012:key/1a2b", Host: "db.example.com",
				Cluster: "shop-prod"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestProject(t *testing.T) {
	p, err := environment.Parse(context(t, `{"environments": {"prod": {}, "dev": {}}, "rerun": "restored 9 May",
		"images": {"flyway": "mirror.example.com:5000/flyway/flyway:12.4.0", "go": "golang:1.26"},
		"@aws-cdk/core:checkSecretUsage": true, "aws:cdk:enable-path-metadata": true, "cli-telemetry": false}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Rerun != "restored 9 May" || p.Images.Flyway != "mirror.example.com:5000/flyway/flyway:12.4.0" ||
		p.Images.Go == "" {
		t.Errorf("got %+v", p)
	}
	if len(p.Environments) != 2 || p.Environments[0].Name != "dev" {
		t.Errorf("environments not by name: %+v", p.Environments)
	}
}

// A base image by its digest is the same one for ever; what only looks like a
// digest would be taken for a name, by Docker, after the synthesis.
func TestImages(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0f", 32)
	for image, good := range map[string]bool{
		"golang:1.26@" + digest: true,
		"golang@" + digest:      true,
		"public.ecr.aws/docker/library/golang:1.26@" + digest:                          true,
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/flyway/flyway:12.4.0": true,
		"localhost:5000/flyway:12.4.0":                                                 true,
		"golang":                                                                       true,
		"golang:1.26@sha256:0f":                                                        false,
		"golang:1.26@" + strings.ToUpper(digest):                                       false,
		"golang:1.26@" + digest + "0":                                                  false,
		"golang:1.26@md5:" + strings.Repeat("0f", 16):                                  false,
		"golang:1.26@" + digest + "@" + digest:                                         false,
		digest:                                                                         false,
		"golang:1.26:2":                                                                false,
		"Golang:1.26":                                                                  false,
		"golang:-x":                                                                    false,
		"golang:" + strings.Repeat("a", 129):                                           false,
		"../golang:1.26":                                                               false,
		"https://registry.example.com/golang:1.26":                                     false,
		"golang:1.26\n":                                                                false,
		"golang:1.26 --build-arg=x":                                                    false,
	} {
		raw, err := json.Marshal(map[string]any{"environments": map[string]any{"dev": map[string]any{}},
			"images": map[string]any{"go": image}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := environment.Parse(context(t, string(raw))); (err == nil) != good {
			t.Errorf("%q: %v", image, err)
		}
	}
}

// The list of checksums lies in docker/, where .dockerignore lets it in.
func TestSums(t *testing.T) {
	for name, good := range map[string]bool{"flyway-13.sums": true, "../x.sums": false, "x.txt": false, "": false,
		"a b.sums": false, "-x.sums": false, "a/b.sums": false} {
		raw, err := json.Marshal(map[string]any{"environments": map[string]any{"dev": map[string]any{}},
			"images": map[string]any{"sums": name}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := environment.Parse(context(t, string(raw)))
		if (err == nil) != good || good && p.Images.Sums != name {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// One mistake of a user each, with the whole message. A case names a whole
// context, or one environment, or what is other in one whose database exists.
type badCase struct {
	Name     string
	Context  map[string]any
	Prod     map[string]any
	Existing map[string]any
	Pipeline map[string]any // with the environments dev and prod, and what it needs
	Want     []string
}

const existing = `{"vpcId": "vpc-0123456789abcdef0", "availabilityZones": ["eu-central-1a"], "subnetIds": ["subnet-0123456789abcdef0"],
	"securityGroupId": "sg-0123456789abcdef0", "secretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-AbCdEf"}`

func (c badCase) context(t *testing.T) map[string]any {
	if c.Existing != nil {
		database := context(t, existing)
		for key, value := range c.Existing {
			if database[key] = value; value == nil {
				delete(database, key)
			}
		}
		c.Prod = map[string]any{"database": database}
	}
	if c.Prod != nil {
		c.Context = map[string]any{"environments": map[string]any{"prod": c.Prod}}
	}
	if c.Pipeline != nil {
		c.Context = pipelineContext(t, c.Pipeline)
	}
	return c.Context
}

func TestBadContexts(t *testing.T) {
	for _, file := range []string{"context", "environment", "database", "existing", "pipeline"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "bad-"+file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var cases []badCase
		if err := json.Unmarshal(raw, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				_, err := environment.Parse(c.context(t))
				var all *environment.Error
				if !errors.As(err, &all) {
					t.Fatalf("no error, or another one: %v", err)
				}
				if got, want := strings.Join(all.Problems, "\n"), strings.Join(c.Want, "\n"); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestPlaceholdersFitIntoAFunction(t *testing.T) {
	of := func(n int) string {
		return `{"environments": {"dev": {"placeholders": {"a": "` + strings.Repeat("x", n) + `"}}}}`
	}
	if _, err := environment.Parse(context(t, of(3000))); err != nil {
		t.Error(err)
	}
	if _, err := environment.Parse(context(t, of(3100))); err == nil ||
		!strings.HasPrefix(err.Error(), "environments.dev.placeholders: 3121 bytes") {
		t.Errorf("too much for a function's variables: %v", err)
	}
}

// Whatever else is in a key, it must be an error of that key, never a panic.
func TestEveryKeyRefusesOtherKinds(t *testing.T) {
	for _, key := range environment.Keys {
		for _, wrong := range []string{`null`, `""`, `[1]`, `{"a": 1}`, `[[]]`, `-1.25`, `"no such thing"`} {
			text := `{"` + strings.ReplaceAll(key.Path, ".", `": {"`) + `": ` + wrong +
				strings.Repeat("}", strings.Count(key.Path, ".")+1)
			_, err := environment.Parse(context(t, `{"environments": {"dev": `+text+`}}`))
			if err == nil || !strings.Contains(err.Error(), "environments.dev."+key.Path+": ") {
				t.Errorf("%s: %s is no error of it: %v", key.Path, wrong, err)
			}
		}
	}
}
