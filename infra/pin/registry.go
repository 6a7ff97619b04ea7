package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// registries are asked for digests, by the protocol that all of them have. See
// https://distribution.github.io/distribution/spec/api/.
type registries struct {
	client *http.Client
	scheme string // https
}

// reference is an image's name, taken apart.
type reference struct{ host, path, tag string }

// dockerHub is where images without a registry lie.
const dockerHub = "registry-1.docker.io"

func parse(image string) reference {
	name, _, _ := strings.Cut(image, "@")
	r := reference{host: dockerHub, path: name, tag: "latest"}
	if host, path, ok := strings.Cut(name, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		r.host = host
		r.path = path
	}
	if path, tag, ok := strings.Cut(r.path, ":"); ok {
		r.path = path
		r.tag = tag
	}
	if r.host == "docker.io" {
		r.host = dockerHub
	}
	if r.host == dockerHub && !strings.Contains(r.path, "/") {
		r.path = "library/" + r.path
	}
	return r
}

// accepted are lists of an image's forms for several architectures, then single
// images. A list comes first: its digest fits each architecture.
const accepted = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, " +
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

const manifestLimit = 4 << 20

// digest is what the image's tag stands for now: sha256:…, computed from what
// the registry sends.
func (r registries) digest(ctx context.Context, image string) (string, error) {
	ref := parse(image)
	address := r.scheme + "://" + ref.host + "/v2/" + ref.path + "/manifests/" + ref.tag
	response, err := r.get(ctx, address, "")
	if err != nil {
		return "", fmt.Errorf("%s: the registry can't be reached: %w", image, err)
	}
	if response.StatusCode == http.StatusUnauthorized {
		response.Body.Close()
		token, err := r.token(ctx, response.Header.Get("WWW-Authenticate"))
		if err != nil {
			return "", fmt.Errorf("%s: %w", image, err)
		}
		if response, err = r.get(ctx, address, token); err != nil {
			return "", fmt.Errorf("%s: the registry can't be reached: %w", image, err)
		}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s says %s; nothing was changed", image, ref.host, response.Status)
	}
	manifest, err := io.ReadAll(io.LimitReader(response.Body, manifestLimit+1))
	if err != nil {
		return "", fmt.Errorf("%s: what %s sent can't be read: %w", image, ref.host, err)
	}
	if len(manifest) > manifestLimit || !json.Valid(manifest) {
		return "", fmt.Errorf("%s: %s sent something that is not a manifest", image, ref.host)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(manifest))
	if said := response.Header.Get("Docker-Content-Digest"); said != "" && said != digest {
		return "", fmt.Errorf("%s: %s names the digest %q and sent the bytes of %s", image, ref.host, said, digest)
	}
	return digest, nil
}

func (r registries) get(ctx context.Context, address, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accepted)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return r.client.Do(request)
}

var challenge = regexp.MustCompile(`(\w+)="([^"]*)"`)

// token is for a reader without a name, as the registry's challenge asks for.
func (r registries) token(ctx context.Context, header string) (string, error) {
	fields := map[string]string{}
	for _, f := range challenge.FindAllStringSubmatch(header, -1) {
		fields[f[1]] = f[2]
	}
	realm, err := url.Parse(fields["realm"])
	if err != nil || !strings.HasPrefix(header, "Bearer ") || realm.Scheme != r.scheme {
		return "", errors.New("the registry wants a login; find the digest with `docker buildx imagetools inspect` " +
			"and name it in cdk.json's images")
	}
	query := realm.Query()
	for _, name := range []string{"service", "scope"} {
		if fields[name] != "" {
			query.Set(name, fields[name])
		}
	}
	realm.RawQuery = query.Encode()
	response, err := r.get(ctx, realm.String(), "")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var given struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&given)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s gave no token: %s", realm.Host, response.Status)
	}
	if given.Token == "" {
		given.Token = given.AccessToken
	}
	return given.Token, nil
}
