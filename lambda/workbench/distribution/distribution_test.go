package distribution

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// server answers every request with what handle writes, and counts them.
func server(t *testing.T, handle http.HandlerFunc) (*Cache, *atomic.Int32) {
	t.Helper()
	var count atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return &Cache{
		Dir: filepath.Join(t.TempDir(), "cache"), Mirror: s.URL + "/", Client: s.Client(),
		attempts: 3, pause: time.Millisecond, stall: time.Minute,
	}, &count
}

func pinOf(content string) pin {
	sum := sha256.Sum256([]byte(content))
	return pin{path: "org/example/thing-1.jar", size: int64(len(content)), sum: hex.EncodeToString(sum[:])}
}

// names are the files of dir.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out
}

const content = "what the pinned file contains"

func TestFetchOnce(t *testing.T) {
	cache, count := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/org/example/thing-1.jar" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Write([]byte(content))
	})
	var progress bytes.Buffer
	cache.Progress = &progress
	for range 2 {
		name, err := cache.fetch(t.Context(), pinOf(content), cache.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(name); string(got) != content {
			t.Errorf("file holds %q", got)
		}
	}
	if count.Load() != 1 {
		t.Errorf("%d requests, want 1", count.Load())
	}
	if want := "fetching thing-1.jar (0.0 MB)\n"; progress.String() != want {
		t.Errorf("progress is %q, want %q", progress.String(), want)
	}
}

func TestDamagedFileIsFetchedAgain(t *testing.T) {
	cache, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(content)) })
	name, err := cache.fetch(t.Context(), pinOf(content), cache.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.fetch(t.Context(), pinOf(content), cache.Dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(name); string(got) != content {
		t.Errorf("file holds %q", got)
	}
}

// Each failure names the file, leaves nothing behind, and the next run works.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		want     []string
		requests int32
	}{
		"another file": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Write([]byte("<html>please log in to this net</html>"))
			},
			[]string{"SHA-256", "another file"}, 1,
		},
		"not there": {
			http.NotFound, []string{"404", "mirror"}, 1,
		},
		"server in trouble": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			[]string{"502", "later"}, 3,
		},
		"cut": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "29")
				w.Write([]byte(content[:10]))
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
			[]string{"cut off after 10 of 29 bytes", "again"}, 3,
		},
		"short": {
			func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(content[:10])) },
			[]string{"cut off after 10 of 29 bytes", "again"}, 3,
		},
		"silent": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Write([]byte(content[:10]))
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
			[]string{"cut off after 10 of 29 bytes", "sent nothing for"}, 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var healthy atomic.Bool
			cache, count := server(t, func(w http.ResponseWriter, r *http.Request) {
				if healthy.Load() {
					w.Write([]byte(content))
					return
				}
				test.answer(w, r)
			})
			if name == "silent" {
				cache.stall = 50 * time.Millisecond
			}
			_, err := cache.fetch(t.Context(), pinOf(content), cache.Dir)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(test.want, "thing-1.jar") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if count.Load() != test.requests {
				t.Errorf("%d requests, want %d", count.Load(), test.requests)
			}
			if left := names(t, cache.Dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			healthy.Store(true)
			if _, err := cache.fetch(t.Context(), pinOf(content), cache.Dir); err != nil {
				t.Errorf("the next run fails: %v", err)
			}
		})
	}
}

func TestNoNetwork(t *testing.T) {
	cache := &Cache{Dir: t.TempDir(), Mirror: "http://127.0.0.1:1", attempts: 1}
	_, err := cache.fetch(t.Context(), pinOf(content), cache.Dir)
	if err == nil || !strings.Contains(err.Error(), "thing-1.jar") ||
		!strings.Contains(err.Error(), "check the network") {
		t.Errorf("error is %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cache, count := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(content[:10]))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	_, err := cache.fetch(ctx, pinOf(content), cache.Dir)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if count.Load() != 1 {
		t.Errorf("%d requests, want 1", count.Load())
	}
	if left := names(t, cache.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFullDisk(t *testing.T) {
	err := describeWrite(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "/cache", 50e6)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free at least 200.0 MB in /cache") {
		t.Errorf("error is %v", err)
	}
}

// Only the beginning of a pinned prefix is read, whether or not the server
// knows ranges.
func TestPrefix(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		cache, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			if ranges {
				http.ServeContent(w, r, "x", time.Time{}, strings.NewReader(content+"and a long rest"))
				return
			}
			w.Write([]byte(content + "and a long rest"))
		})
		p := pinOf(content)
		p.prefix = true
		name, err := cache.fetch(t.Context(), p, cache.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(name); string(got) != content {
			t.Errorf("ranges %t: file holds %q", ranges, got)
		}
	}
}

// archive is a .tar.gz with these names; a name with "->" is a link.
func archive(t *testing.T, entries ...string) string {
	t.Helper()
	var out bytes.Buffer
	compressor := gzip.NewWriter(&out)
	writer := tar.NewWriter(compressor)
	for _, entry := range entries {
		name, link, isLink := strings.Cut(entry, "->")
		header := &tar.Header{Name: name, Mode: 0o700, Size: 5, Typeflag: tar.TypeReg}
		if isLink {
			header.Size, header.Typeflag, header.Linkname = 0, tar.TypeSymlink, link
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if !isLink {
			writer.Write([]byte("hello"))
		}
	}
	writer.Close()
	compressor.Close()
	return out.String()
}

// Several callers at once fetch and unpack once, and an interrupted earlier
// run does not disturb.
func TestUnpackedConcurrently(t *testing.T) {
	tgz := archive(t, "flyway-11.8.2/jre/bin/java", "flyway-11.8.2/jre/lib/a", "flyway-11.8.2/jre/lib/b->a",
		"flyway-11.8.2/jre/lib/out->/etc/passwd", "flyway-11.8.2/README.txt")
	cache, count := server(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(tgz)) })
	os.MkdirAll(filepath.Join(cache.Dir, "java.123.part", "content"), 0o755)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dir, err := cache.unpacked(t.Context(), "java", pinOf(tgz), unpackJava)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := os.ReadFile(filepath.Join(dir, "lib", "b")); string(got) != "hello" {
				t.Errorf("lib/b holds %q, %v", got, err)
			}
		})
	}
	group.Wait()
	if count.Load() != 1 {
		t.Errorf("%d requests, want 1", count.Load())
	}
	if got := strings.Join(names(t, cache.Dir), " "); got != "java java.lock" {
		t.Errorf("the cache holds %s", got)
	}
	if got := strings.Join(names(t, filepath.Join(cache.Dir, "java", "lib")), " "); got != "a b" {
		t.Errorf("lib holds %s: a link that leads out must be left out", got)
	}
}

func TestUntarRefusesToLeaveItsFolder(t *testing.T) {
	tgz := archive(t, "flyway-11.8.2/jre/../../../evil")
	cache, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(tgz)) })
	_, err := cache.unpacked(t.Context(), "java", pinOf(tgz), unpackJava)
	if err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("error is %v", err)
	}
	if got := strings.Join(names(t, cache.Dir), " "); got != "java.lock" {
		t.Errorf("the cache holds %s", got)
	}
}

func TestPinsAreWellFormed(t *testing.T) {
	all := append([]pin{}, flywayPins...)
	for _, pins := range []map[string]pin{javaPins, postgresPins} {
		for _, p := range pins {
			all = append(all, p)
		}
	}
	seen := map[string]bool{}
	for _, p := range all {
		if sum, err := hex.DecodeString(p.sum); err != nil || len(sum) != sha256.Size || p.size <= 0 || seen[p.sum] {
			t.Errorf("%s: size %d, sum %q", p.path, p.size, p.sum)
		}
		seen[p.sum] = true
	}
}
