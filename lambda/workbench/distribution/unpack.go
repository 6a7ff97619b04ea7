package distribution

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpacked makes sure that the folder name of the cache holds what unpack
// takes out of the file of p, and returns the folder. The folder appears in
// one step, complete; the archive is not kept.
func (c *Cache) unpacked(ctx context.Context, name string, p pin, unpack func(archive, dir string) error) (string,
	error) {
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(c.Dir, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	temporary, err := os.MkdirTemp(c.Dir, name+".*.part")
	if err != nil {
		return "", fmt.Errorf("the folder for downloads: %w", err)
	}
	defer os.RemoveAll(temporary)
	archive, err := c.fetch(ctx, p, temporary)
	if err != nil {
		return "", err
	}
	content := filepath.Join(temporary, "content")
	if err := os.Mkdir(content, 0o755); err != nil {
		return "", err
	}
	if err := unpack(archive, content); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", filepath.Base(archive), describeWrite(err, c.Dir, p.size))
	}
	if err := openFolders(content); err != nil {
		return "", err
	}
	return dir, os.Rename(content, dir)
}

// untar writes the entries of the archive whose names begin with prefix to
// dir, without the prefix. It stops at the first entry after them, so an
// archive may be cut there. Links that lead out of dir are left out.
func untar(archive io.Reader, prefix, dir string) error {
	reader := tar.NewReader(archive)
	for found := false; ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) && found {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(strings.TrimPrefix(header.Name, "./"), prefix)
		if !ok && found {
			return nil
		}
		if !ok || name == "" {
			continue
		}
		found = true
		if !filepath.IsLocal(name) {
			return fmt.Errorf("the entry %q leads out of the folder", header.Name)
		}
		if err := writeEntry(reader, header, filepath.Join(dir, name), name); err != nil {
			return err
		}
	}
}

func writeEntry(content io.Reader, header *tar.Header, target, name string) error {
	if header.Typeflag == tar.TypeDir {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeSymlink:
		if filepath.IsAbs(header.Linkname) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), header.Linkname)) {
			return nil
		}
		return os.Symlink(header.Linkname, target)
	case tar.TypeReg:
		file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Chmod(header.FileInfo().Mode().Perm()|0o644), file.Close())
	}
	return nil
}

// openFolders lets everybody into dir and its folders, whatever the umask:
// PostgreSQL may run as another user than the one who fetched it.
func openFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}
