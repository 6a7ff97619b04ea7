package main

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of properties that replace a resource anew")

// replacingFile is the list that the workbench compares templates with.
var replacingFile = filepath.Join("..", "lambda", "workbench", "replacement", "properties.txt")

const replacingHead = `# Properties whose change replaces a resource, by type; ? where that depends on values. From the CloudFormation
# specification in the package aws-cdk %s of infra/cli. Written by: go test ./infra -run Replacing -update
`

// The workbench knows which properties replace a resource as the CDK's pinned
// command line does, which brings CloudFormation's specification.
func TestReplacingPropertiesAreThoseOfTheSpecification(t *testing.T) {
	if out, err := exec.Command("./cdk", "--version").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := fmt.Sprintf(replacingHead, cliVersion()) + replacingByType(t, specification(t))
	if *update {
		if err := os.WriteFile(replacingFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(replacingFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what aws-cdk %s says: go test ./infra -run Replacing -update", replacingFile, cliVersion())
	}
}

// specification is the file of the installed command line.
func specification(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	found, err := filepath.Glob(filepath.Join(cache, "slipway", "cdk-*", "node_modules", "aws-cdk", "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), fmt.Sprintf("%q: %q", "version", cliVersion())) {
			return filepath.Join(filepath.Dir(file), "db.json.gz")
		}
	}
	t.Fatalf("aws-cdk %s is none of %q", cliVersion(), found)
	return ""
}

func replacingByType(t *testing.T, file string) string {
	t.Helper()
	packed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	var specification struct {
		Schema struct {
			Resource struct {
				Entities []struct {
					CloudFormationType string
					Properties         map[string]struct{ CausesReplacement string }
				}
			}
		}
	}
	if err := json.NewDecoder(plain).Decode(&specification); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, resource := range specification.Schema.Resource.Entities {
		parts := strings.Split(resource.CloudFormationType, "::")
		if len(parts) != 3 || !slices.Contains([]string{"EC2", "KMS", "RDS", "SecretsManager"}, parts[1]) {
			continue
		}
		line := resource.CloudFormationType
		for _, name := range slices.Sorted(maps.Keys(resource.Properties)) {
			switch resource.Properties[name].CausesReplacement {
			case "yes":
				line += " " + name
			case "maybe":
				line += " " + name + "?"
			}
		}
		if line != resource.CloudFormationType {
			lines = append(lines, line+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
