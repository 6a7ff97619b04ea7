// Command pin puts the digests of the base images into cdk.json: make
// pin-images. A tag can be moved to another image, a digest can't.
//
// It asks the images' registries, anonymously. Which images, it reads from
// cdk.json's `images` and, where that names none, from docker/Dockerfile.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := registries{client: &http.Client{Timeout: time.Minute}, scheme: "https"}
	if err := pin(ctx, ".", r, func(line string) { fmt.Println(line) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// arguments of docker/Dockerfile by the keys of `images`.
var arguments = []struct{ key, argument string }{{"flyway", "FLYWAY_IMAGE"}, {"go", "GO_IMAGE"}}

// pin writes cdk.json in root anew, with each image's tag and digest. Nothing is
// written unless all are known.
func pin(ctx context.Context, root string, r registries, say func(string)) error {
	file := filepath.Join(root, "cdk.json")
	settings, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var given struct {
		Context struct {
			Images map[string]string `json:"images"`
		} `json:"context"`
	}
	if err := json.Unmarshal(settings, &given); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "docker", "Dockerfile"))
	if err != nil {
		return err
	}
	pinned := map[string]string{}
	maps.Copy(pinned, given.Context.Images)
	for _, a := range arguments {
		image := given.Context.Images[a.key]
		if image == "" {
			found := regexp.MustCompile(`(?m)^ARG ` + a.argument + `=(\S+)$`).FindSubmatch(dockerfile)
			if found == nil {
				return fmt.Errorf("docker/Dockerfile has no default for %s; name the image in cdk.json: images.%s",
					a.argument, a.key)
			}
			image = string(found[1])
		}
		digest, err := r.digest(ctx, image)
		if err != nil {
			return fmt.Errorf("images.%s: %w", a.key, err)
		}
		name, _, _ := strings.Cut(image, "@")
		pinned[a.key] = name + "@" + digest
		say("images." + a.key + ": " + pinned[a.key])
	}
	written, err := withImages(settings, pinned)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, written, 0o644)
}

// withImages is the file with another value of context.images, and with the
// rest as it stands.
func withImages(settings []byte, images map[string]string) ([]byte, error) {
	value, err := json.MarshalIndent(images, "    ", "  ")
	if err != nil {
		return nil, err
	}
	open, err := valueOf(settings, 0, "context")
	if err != nil {
		return nil, err
	}
	if open < 0 {
		return nil, errors.New("it has no context")
	}
	at, err := valueOf(settings, open, "images")
	if err != nil {
		return nil, err
	}
	if at < 0 {
		brace := open + bytes.IndexByte(settings[open:], '{') + 1
		rest := bytes.TrimLeft(settings[brace:], " \t\r\n")
		comma := ","
		if bytes.HasPrefix(rest, []byte("}")) {
			comma = ""
		}
		return joined(settings[:brace], "\n    \"images\": "+string(value)+comma, settings[brace:]), nil
	}
	end := at
	var old json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(settings[at:]))
	if err := decoder.Decode(&old); err != nil {
		return nil, err
	}
	end += int(decoder.InputOffset())
	return joined(settings[:at], " "+string(value), settings[end:]), nil
}

func joined(before []byte, text string, after []byte) []byte {
	return bytes.Join([][]byte{before, []byte(text), after}, nil)
}

// valueOf is where the value of a key stands, behind its colon, in the object
// that begins at start; -1 for an object without that key.
func valueOf(text []byte, start int, key string) (int, error) {
	decoder := json.NewDecoder(bytes.NewReader(text[start:]))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return 0, errors.Join(errors.New("an object is missing"), err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return 0, err
		}
		if name == key {
			colon := start + int(decoder.InputOffset())
			return colon + bytes.IndexByte(text[colon:], ':') + 1, nil
		}
		var passed json.RawMessage
		if err := decoder.Decode(&passed); err != nil {
			return 0, err
		}
	}
	return -1, nil
}
