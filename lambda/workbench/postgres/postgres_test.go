package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/lambda/workbench/distribution"

	"github.com/jackc/pgx/v5"
)

// cache is the user's own, so that tests fetch nothing twice.
func cache(t testing.TB) *distribution.Cache {
	t.Helper()
	dir, err := distribution.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	return &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
}

// TestMain is also the program that TestEndsWithItsProcess starts and kills.
func TestMain(m *testing.M) {
	if folder := os.Getenv("TEST_SERVER_FOLDER"); folder != "" {
		dir, _ := distribution.DefaultDir()
		server, err := Start(context.Background(), Options{
			Cache: &distribution.Cache{Dir: dir}, Folder: folder, Ephemeral: os.Getenv("TEST_SERVER_EPHEMERAL") != "",
		})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		pid, _, _ := readPidFile(server.root)
		fmt.Println("up", pid)
		select {}
	}
	os.Exit(m.Run())
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background())
	var out string
	if err := connection.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

func TestEphemeral(t *testing.T) {
	server, err := Start(t.Context(), Options{Cache: cache(t), Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	const role, password = "o'neil@\"/:%$\\ü", "p@:/%'\"\\$\n wörd €"
	for range 2 { // the second time it is altered
		if err := server.CreateRole(t.Context(), role, password); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []bool{true, false} {
		created, err := server.CreateDatabase(t.Context(), "a b", role)
		if err != nil || created != want {
			t.Errorf("call %d: created %t, %v", i, created, err)
		}
	}
	if got := query(t, server.URLFor(role, password, "a b"),
		"SELECT current_user || '|' || current_database()"); got != role+"|a b" {
		t.Errorf("logged in as %s", got)
	}
	if _, err := pgx.Connect(t.Context(), server.URLFor(role, password+"x", "a b")); err == nil {
		t.Error("a wrong password is let in")
	}
	if got := query(t, server.URL(""), "SHOW fsync"); got != "off" {
		t.Errorf("fsync is %s", got)
	}
	if err := server.DropDatabase(t.Context(), "a b"); err != nil {
		t.Error(err)
	}
	pid, _, err := readPidFile(server.root)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}
	waitGone(t, pid)
	if _, err := os.Stat(server.folder); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", server.folder, err)
	}
}

func TestPersistent(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "postgres")
	options := Options{Cache: cache(t), Folder: folder}
	t.Cleanup(func() { os.RemoveAll(Place(folder)) })
	if _, err := Attach(t.Context(), folder); err == nil {
		t.Error("attached to nothing")
	}
	for i, want := range []bool{true, false} {
		server, err := Start(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Stop()
		if created, err := server.CreateDatabase(t.Context(), "kept", ""); err != nil || created != want {
			t.Errorf("start %d: created %t, %v", i, created, err)
		}
		if got := query(t, server.URL("kept"), "SHOW fsync"); got != "on" {
			t.Errorf("fsync is %s", got)
		}
		if _, err := Start(t.Context(), options); !IsInUse(err) {
			t.Errorf("a second start: %v", err)
		}
		other, err := Attach(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		if other.URL("kept") != server.URL("kept") {
			t.Errorf("attached to %s, not %s", other.URL("kept"), server.URL("kept"))
		}
		if err := other.Stop(); err != nil {
			t.Error(err)
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// A server ends when the process that started it is gone, whatever ended that.
func TestEndsWithItsProcess(t *testing.T) {
	if _, err := Fetch(t.Context(), cache(t)); err != nil { // the child is only to start it
		t.Fatal(err)
	}
	for ephemeral, signals := range map[string][]os.Signal{
		"":    {os.Kill, syscall.SIGTERM},
		"yes": {os.Kill, os.Interrupt},
	} {
		for _, signal := range signals {
			t.Run(fmt.Sprint(signal, " ", ephemeral), func(t *testing.T) {
				folder := filepath.Join(t.TempDir(), "postgres")
				t.Cleanup(func() { os.RemoveAll(Place(folder)) })
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), "TEST_SERVER_FOLDER="+folder, "TEST_SERVER_EPHEMERAL="+ephemeral)
				out, err := child.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				defer child.Process.Kill()
				line, _ := bufio.NewReader(out).ReadString('\n')
				var pid int
				if _, err := fmt.Sscanf(line, "up %d", &pid); err != nil {
					t.Fatalf("the child says %q", line)
				}
				child.Process.Signal(signal)
				child.Wait()
				if ephemeral == "" {
					// At once, while the old server still ends.
					server, err := Start(t.Context(), Options{Cache: cache(t), Folder: folder})
					if err != nil {
						t.Fatal(err)
					}
					server.Stop()
				}
				waitGone(t, pid)
			})
		}
	}
}

func TestServerThatCannotStart(t *testing.T) {
	_, err := Start(t.Context(),
		Options{Cache: cache(t), Ephemeral: true, Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error is %v", err)
	}
}

func TestReachable(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(closed, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/":                                    true,
		"/usr/bin":                             true,
		"/usr/bin/not-there/nor-this":          true,
		filepath.Join(closed, "new", "folder"): false,
		filepath.Join(link, "x"):               false,
	} {
		if got := reachable(path); got != want {
			t.Errorf("reachable(%s) is %t", path, got)
		}
	}
}
