package ground

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func (g *Ground) repositories() string { return filepath.Join(g.folder, "repositories") }

// measureBody gives a chunked request a length, without which CGI takes none:
// git sends what is larger than its http.postBuffer, 1 MiB, in chunks.
func measureBody(r *http.Request) error {
	if len(r.TransferEncoding) == 0 {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	return nil
}

func (g *Ground) pipelines() string { return filepath.Join(g.folder, "pipelines") }

// Pipeline reads the properties of the account's pipeline whose name begins so
// into v, as CloudFormation resolved them.
func (a AWS) Pipeline(prefix string, v any) error {
	found, err := filepath.Glob(filepath.Join(a.g.pipelines(), a.account, a.Region, prefix+"*.json"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("pipelines %s*: %v, %w", prefix, found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	return json.Unmarshal(content, v)
}

// Repository is the folder of a repository of CodeCommit, a bare one.
func (a AWS) Repository(name string) string {
	return filepath.Join(a.g.repositories(), a.account, a.Region, name+".git")
}

// ServeCodeCommit has git reach the account's repositories at their real
// addresses, with the environment that it answers: a proxy leads there, and the
// server's certificate is of the ground's authority. A request without the
// account's signature is refused, as CodeCommit does.
func (a AWS) ServeCodeCommit(ctx context.Context) (environment []string, err error) {
	host := "git-codecommit." + a.Region + ".amazonaws.com"
	file := func(name string) string { return filepath.Join(a.g.folder, "tls", host+"."+name) }
	if err := writeCertificates(host, file("ca.pem"), file("pem"), file("key")); err != nil {
		return nil, err
	}
	cli, err := a.g.installCLI(ctx)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.LoadX509KeyPair(file("pem"), file("key"))
	if err != nil {
		return nil, err
	}
	git, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	repositories := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.signed(r, host) {
			w.Header().Set("WWW-Authenticate", `Basic realm="CodeCommit"`)
			http.Error(w, "not signed by "+a.key, http.StatusUnauthorized)
			return
		}
		path := repositoryPath.FindStringSubmatch(r.URL.Path)
		if path == nil {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/" + path[1] + ".git" + path[2]
		if err := measureBody(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		(&cgi.Handler{
			Path: filepath.Join(strings.TrimSpace(string(git)), "git-http-backend"),
			Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(a.Repository("x")), "GIT_HTTP_EXPORT_ALL=1",
				"REMOTE_USER=" + a.key},
		}).ServeHTTP(w, r)
	})
	inner, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return nil, err
	}
	outer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server, proxy := &http.Server{Handler: repositories},
		&http.Server{Handler: tunnel(host+":443", inner.Addr().String())}
	a.g.onClose(server.Close)
	a.g.onClose(proxy.Close)
	go server.Serve(inner)
	go proxy.Serve(outer)
	return []string{"PATH=" + cli + ":" + os.Getenv("PATH"), "https_proxy=http://" + outer.Addr().String(),
		"GIT_SSL_CAINFO=" + file("ca.pem"), "GIT_TERMINAL_PROMPT=0"}, nil
}

// installCLI installs the AWS CLI, whose helper signs for git.
func (g *Ground) installCLI(ctx context.Context) (bin string, err error) {
	locked := filepath.Join(g.options.Root, "infra", "local", "awscli.lock")
	folder, err := g.installed("aws-cli", locked, func(folder string) error { return g.python(ctx, folder, locked) })
	return filepath.Join(folder, "bin"), err
}

var repositoryPath = regexp.MustCompile(`^/v1/repos/([\w.-]+)(/.*)$`)

// tunnel is a proxy for HTTPS that leads from one address to another, and
// nowhere else.
func tunnel(from, to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != from {
			http.Error(w, "this leads to "+from+" only", http.StatusBadGateway)
			return
		}
		there, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		go io.Copy(there, here)
		io.Copy(here, there)
	})
}

// signed says whether a request has the account's signature, as the AWS CLI's
// credential helper makes it: of the repository's address, not of the request.
// See https://github.com/aws/aws-cli/blob/develop/awscli/customizations/codecommit.py.
func (a AWS) signed(r *http.Request, host string) bool {
	user, password, ok := r.BasicAuth()
	at, signature, found := strings.Cut(password, "Z")
	path := repositoryPath.FindStringSubmatch(r.URL.Path)
	if !ok || !found || user != a.key || path == nil || len(at) != len("20060102T150405") {
		return false
	}
	day := at[:8]
	scope := day + "/" + a.Region + "/codecommit/aws4_request"
	canonical := sha256.Sum256([]byte("GIT\n/v1/repos/" + path[1] + "\n\nhost:" + host + "\n\nhost\n"))
	key := []byte("AWS4" + secretKey)
	for _, part := range []string{day, a.Region, "codecommit", "aws4_request"} {
		key = sum(key, part)
	}
	want := hex.EncodeToString(sum(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(canonical[:])))
	return hmac.Equal([]byte(signature), []byte(want))
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
