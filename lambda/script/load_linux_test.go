package script

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestLoadRefusesFilesThatCanNotBeRead(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "SELECT 1;", "closed/V3__c.sql": "SELECT 3;"})
	// The parents let everybody pass, so that it is the file that is refused.
	for dir := root; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "V2__b.sql"), []byte("SELECT 2;"), 0o000); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "closed"), 0o000); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(root, "closed"), 0o755) //nolint:errcheck // for the clean-up
	got := asNobody(t, func() string { return refused(t, root) })
	for _, want := range []string{"V2__b.sql: can't be read: permission denied",
		"closed: can't be read: permission denied"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// asNobody calls f with the file rights of a user who owns nothing, also when
// the tests run as root, whom no permission stops.
func asNobody(t *testing.T, f func() string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return f()
	}
	runtime.LockOSThread() // the rights are the thread's
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Setfsuid(0)
		runtime.UnlockOSThread()
	}()
	return f()
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	if err := syscall.Mkfifo(filepath.Join(root, "V2__pipe.sql"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, root); !strings.Contains(got, "V2__pipe.sql: not a file") {
		t.Error(got)
	}
}
