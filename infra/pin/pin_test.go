package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for image, want := range map[string]reference{
		"golang":                                 {dockerHub, "library/golang", "latest"},
		"golang:1.26":                            {dockerHub, "library/golang", "1.26"},
		"flyway/flyway:12.4.0":                   {dockerHub, "flyway/flyway", "12.4.0"},
		"docker.io/flyway/flyway:12.4.0":         {dockerHub, "flyway/flyway", "12.4.0"},
		"localhost:5000/flyway":                  {"localhost:5000", "flyway", "latest"},
		"public.ecr.aws/docker/library/golang:1": {"public.ecr.aws", "docker/library/golang", "1"},
		"golang:1.26@sha256:00":                  {dockerHub, "library/golang", "1.26"},
	} {
		if got := parse(image); got != want {
			t.Errorf("%s: %+v", image, got)
		}
	}
}

const manifest = `{"schemaVersion": 2, "manifests": []}`

// registry is one that wants a token, and has one image.
func registry(t *testing.T, change func(w http.ResponseWriter, r *http.Request) bool) (host string) {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case change != nil && change(w, r):
		case r.URL.Path == "/token" && r.URL.Query().Get("scope") == "repository:flyway/flyway:pull" &&
			r.URL.Query().Get("service") == "here":
			fmt.Fprint(w, `{"token": "t"}`)
		case r.Header.Get("Authorization") != "Bearer t":
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+server.URL+
				`/token",service="here",scope="repository:flyway/flyway:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/v2/flyway/flyway/manifests/12.4.0" &&
			strings.Contains(r.Header.Get("Accept"), "image.index"):
			w.Header().Set("Docker-Content-Digest", fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest))))
			fmt.Fprint(w, manifest)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// project has both images in that registry, one by the Dockerfile.
func project(t *testing.T, host, settings string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	image := host + "/flyway/flyway:12.4.0"
	for name, text := range map[string]string{
		"cdk.json": strings.ReplaceAll(settings, "IMAGE", image), "docker/Dockerfile": "ARG GO_IMAGE=" + image +
			"\nARG FLYWAY_IMAGE=" + image + "\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestPin(t *testing.T) {
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))
	for name, settings := range map[string]string{
		"none named": "{\n  \"app\": \"go run ./infra\",\n  \"context\": {\n    \"environments\": {\"dev\": " +
			"{\"images\": \"not these\"}}\n  }\n}\n",
		"a tag":          `{"context": {"a": [1, {"b": 2}], "images": {"flyway": "IMAGE"}, "z": 1}}`,
		"an old digest":  `{"context": {"images" : {"go": "IMAGE@sha256:00"}}}`,
		"an empty value": `{"context": {}}`,
	} {
		t.Run(name, func(t *testing.T) {
			host := registry(t, nil)
			root := project(t, host, settings)
			// Twice: what is pinned is pinned anew.
			for range 2 {
				if err := pin(t.Context(), root, registries{http.DefaultClient, "http"}, func(string) {}); err != nil {
					t.Fatal(err)
				}
			}
			raw, err := os.ReadFile(filepath.Join(root, "cdk.json"))
			if err != nil {
				t.Fatal(err)
			}
			var got, was struct{ Context map[string]any }
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%v in %s", err, raw)
			}
			if err := json.Unmarshal([]byte(settings), &was); err != nil {
				t.Fatal(err)
			}
			pinned := map[string]any{"flyway": host + "/flyway/flyway:12.4.0@" + digest, "go": host +
				"/flyway/flyway:12.4.0@" + digest}
			was.Context["images"] = pinned
			if fmt.Sprint(got) != fmt.Sprint(was) {
				t.Errorf("got\n%s", raw)
			}
		})
	}
}

// What is not certain is not written.
func TestWhatIsNotPinned(t *testing.T) {
	const settings = `{"context": {}}`
	for name, c := range map[string]struct {
		change func(w http.ResponseWriter, r *http.Request) bool
		want   string
	}{
		"a login": {want: "wants a login", change: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}},
		"a token from elsewhere": {want: "wants a login", change: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("WWW-Authenticate", `Bearer realm="file:///etc/passwd"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}},
		"no such image": {want: "404", change: func(w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}},
		"too many pulls": {want: "429", change: func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}},
		"another digest": {want: "names the digest", change: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Docker-Content-Digest", "sha256:00")
			fmt.Fprint(w, manifest)
			return true
		}},
		"a page": {want: "not a manifest", change: func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, "<html>log in</html>")
			return true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := project(t, registry(t, c.change), settings)
			err := pin(t.Context(), root, registries{http.DefaultClient, "http"}, func(string) {})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if raw, err := os.ReadFile(filepath.Join(root, "cdk.json")); err != nil || string(raw) != settings {
				t.Errorf("%v: %s", err, raw)
			}
		})
	}
}
