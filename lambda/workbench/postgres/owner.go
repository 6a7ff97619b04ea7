package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Unprivileged is the uid and gid that PostgreSQL gets when root starts it.
const Unprivileged = 65534

// Where things go that this user can't reach in the user's own folders.
const (
	otherCache   = "/var/cache/slipway"
	otherFolders = "/var/lib/slipway"
)

// owner is the user that PostgreSQL runs as: nil for the caller's own.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if runtime.GOOS != "linux" {
		return nil, errors.New("PostgreSQL refuses to run as root: run this as a normal user")
	}
	return &syscall.Credential{Uid: Unprivileged, Gid: Unprivileged}, nil
}

// Place is the folder where a server with this [Options.Folder] really lies:
// folder itself, or, when root starts it and the user that PostgreSQL runs as
// can't get there, a folder below /var/lib/slipway. (A capability to pass any
// folder doesn't help: PostgreSQL asks access(2), which ignores it.)
func Place(folder string) string {
	who, err := owner()
	if err != nil {
		return folder
	}
	if absolute, err := filepath.Abs(folder); err == nil {
		folder = absolute
	}
	key := sha256.Sum256([]byte(folder))
	return place(folder, filepath.Join(otherFolders, hex.EncodeToString(key[:6])), who)
}

// place is folder when who can reach it, else other.
func place(folder, other string, who *syscall.Credential) string {
	if who == nil || reachable(folder) {
		return folder
	}
	return other
}

// reachable tells whether everybody may pass all folders from the root to
// folder. Those that are not there yet will be made so.
func reachable(folder string) bool {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	for {
		// The folder itself is handed over to the other user in the end, but
		// one that is there and closed may be someone's on purpose.
		if real, err := filepath.EvalSymlinks(folder); err == nil && real != folder {
			return reachable(real)
		}
		info, err := os.Stat(folder)
		if err == nil && info.Mode().Perm()&0o001 == 0 && !ownedBy(info, Unprivileged) {
			return false
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return true
		}
		folder = parent
	}
}

// makeOpen makes a folder that everybody may pass, whatever the umask.
func makeOpen(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.Chmod(folder, 0o755)
}

func ownedBy(info os.FileInfo, uid uint32) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == uid
}

// adopt makes who the owner of data, where that is a normal user: a folder that
// was made without root stays usable without.
func adopt(who *syscall.Credential, data string) {
	if info, err := os.Lstat(data); err == nil && info.IsDir() {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			who.Uid, who.Gid = stat.Uid, stat.Gid
		}
	}
}

// hand gives the open file to who: its name may stand for another one by now.
func hand(file *os.File, who *syscall.Credential) error {
	if who == nil {
		return nil
	}
	return file.Chown(int(who.Uid), int(who.Gid))
}
