package distribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// fatalError is a failure that another attempt would only repeat.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

// fetch makes sure that the file of p is in dir under its own name, and
// returns its full path. The caller holds the lock of dir.
func (c *Cache) fetch(ctx context.Context, p pin, dir string) (string, error) {
	target := filepath.Join(dir, path.Base(p.path))
	if sum, err := fileSum(target); err == nil && sum == p.sum {
		return target, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	attempts, pause := c.attempts, c.pause
	if attempts == 0 {
		attempts, pause = 3, time.Second
	}
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(pause << (attempt - 1)):
			}
		}
		if err = c.download(ctx, p, target); err == nil {
			return target, nil
		}
		var fatal fatalError
		if ctx.Err() != nil || errors.As(err, &fatal) {
			break
		}
	}
	return "", fmt.Errorf("fetching %s: %w", path.Base(p.path), err)
}

// download makes one attempt at p and renames it to target when its sum is right.
func (c *Cache) download(ctx context.Context, p pin, target string) error {
	url := c.url(p)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	body, err := c.open(ctx, url, p)
	if err != nil {
		return err
	}
	defer body.Close()

	stall := c.stall
	if stall == 0 {
		stall = time.Minute
	}
	watch := time.AfterFunc(stall, func() {
		cancel(fmt.Errorf("the server sent nothing for %s", stall))
	})
	defer watch.Stop()

	temporary, err := os.CreateTemp(filepath.Dir(target), filepath.Base(target)+".*.part")
	if err != nil {
		return fatalError{err}
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()

	hash := sha256.New()
	meter := newMeter(c.Progress, path.Base(p.path), p.size)
	defer meter.end()
	written, err := copyTo(io.MultiWriter(temporary, hash, meter), io.LimitReader(body, p.size),
		func() { watch.Reset(stall) })
	var full writeError
	switch {
	case errors.As(err, &full):
		return fatalError{describeWrite(full.error, c.Dir, p.size)}
	case err != nil && context.Cause(ctx) != nil:
		return fmt.Errorf("%s: cut off after %d of %d bytes: %w", url, written, p.size, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("%s: cut off after %d of %d bytes: %w; run the command again", url, written, p.size, err)
	case written < p.size:
		return fmt.Errorf("%s: cut off after %d of %d bytes; run the command again", url, written, p.size)
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != p.sum {
		return fatalError{fmt.Errorf("%s: SHA-256 is %s, expected %s: the server answered with another file (a "+
			"proxy or a mirror?); nothing was kept", url, sum, p.sum)}
	}
	if err := temporary.Chmod(0o644); err != nil {
		return fatalError{err}
	}
	if err := temporary.Close(); err != nil {
		return fatalError{describeWrite(err, c.Dir, p.size)}
	}
	return os.Rename(temporary.Name(), target)
}

// open requests p and returns the body of a successful response.
func (c *Cache) open(ctx context.Context, url string, p pin) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fatalError{err}
	}
	if p.prefix {
		// A server that ignores this sends it all; the reader stops in time.
		request.Header.Set("Range", fmt.Sprintf("bytes=0-%d", p.size-1))
	}
	client := c.Client
	if client == nil {
		client = defaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		// The error of the client names the URL.
		return nil, fmt.Errorf("%w; check the network, or name a mirror of Maven Central", err)
	}
	switch {
	case response.StatusCode == http.StatusOK, response.StatusCode == http.StatusPartialContent && p.prefix:
		return response.Body, nil
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		err = fmt.Errorf("%s: the server answered %s; try again later, or name a mirror of Maven Central", url,
			response.Status)
	default:
		err = fatalError{fmt.Errorf("%s: the server answered %s; check the mirror's address and access", url,
			response.Status)}
	}
	response.Body.Close()
	return nil, err
}

var defaultClient = func() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: transport}
}()

func (c *Cache) url(p pin) string {
	base := c.Mirror
	if base == "" {
		base = MavenCentral
	}
	return strings.TrimRight(base, "/") + "/" + p.path
}

// writeError tells a failed write from a failed read.
type writeError struct{ error }

// copyTo is io.Copy with a call after each read, and errors of the writer marked.
func copyTo(w io.Writer, r io.Reader, alive func()) (int64, error) {
	buffer := make([]byte, 64<<10)
	var total int64
	for {
		n, err := r.Read(buffer)
		alive()
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return total, writeError{err}
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func describeWrite(err error, dir string, size int64) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: free at least %s in %s and run the command again", err, megabytes(4*size), dir)
	}
	return err
}

func fileSum(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
