package stacks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
)

// project is a folder with this project's own .dockerignore and Dockerfile, and
// a file in each place.
func project(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, file := range []string{".dockerignore", "docker/Dockerfile"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		put(t, root, file, string(raw))
	}
	for _, file := range []string{"README.md", "Makefile", "cdk.json", "infra/main.go", "go.mod", "lambda/main.go",
		"lambda/main_test.go",
		"lambda/proof/faults.go", "lambda/README.md", "lambda/workbench/main.go", "sql/postgresql/V1__a.sql",
		".slipway/data/1", ".git/HEAD", "cdk.out/tree.json", "docker/rds-ca.pem"} {
		put(t, root, file, "as it was")
	}
	return root
}

func put(t *testing.T, root, file, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

var uri = regexp.MustCompile(`:([0-9a-f]{64})`)

// imageHash is the tag under which the CDK would push the image of root.
func imageHash(t *testing.T, root string, images environment.Images, architecture string) string {
	t.Helper()
	app := newApp()
	stack := awscdk.NewStack(app, jsii.String("stack"), nil)
	function := awslambda.NewDockerImageFunction(stack, jsii.String("function"), &awslambda.DockerImageFunctionProps{
		Code: migration.Image(root, images, architecture),
	})
	code := text(stack.Resolve(function.Node().DefaultChild().(awslambda.CfnFunction).Code()))
	found := uri.FindStringSubmatch(code)
	if found == nil {
		t.Fatalf("no hash in %s", code)
	}
	return found[1]
}

// The function is deployed anew when the image's content changed, and only then.
func TestImageHash(t *testing.T) {
	root := project(t)
	hash := func() string { return imageHash(t, root, environment.Images{}, environment.AMD64) }
	before := hash()
	for _, file := range []string{"README.md", "Makefile", "cdk.json", "infra/main.go", "infra/new.go",
		"lambda/main_test.go",
		"lambda/proof/faults.go", "lambda/README.md", "lambda/workbench/main.go",
		".slipway/data/1", ".git/HEAD", "cdk.out/tree.json"} {
		put(t, root, file, "changed")
		if hash() != before {
			t.Errorf("%s is not in the image, but changes its hash", file)
		}
	}
	for _, file := range []string{"sql/postgresql/V1__a.sql", "sql/postgresql/V2__b.sql", "lambda/main.go",
		"docker/Dockerfile", "docker/rds-ca.pem", "go.mod"} {
		put(t, root, file, "changed")
		after := hash()
		if after == before {
			t.Errorf("%s is in the image, but does not change its hash", file)
		}
		before = after
	}
	if imageHash(t, root, environment.Images{}, environment.ARM64) == before {
		t.Error("an image for another CPU has the same hash")
	}
	if imageHash(t, root, environment.Images{Flyway: "mirror.example.com/flyway/flyway:12.4.0"},
		environment.AMD64) == before {
		t.Error("an image on another base has the same hash")
	}
}
