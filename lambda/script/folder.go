package script

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// texts are names, in any case of letters, of files that people keep beside
// scripts. A release is made without them.
var texts = []string{"README*", "LICENSE*", "*.md", "*.txt", ".gitkeep", ".gitattributes"}

// programs are the endings of what Flyway runs besides SQL, as a process that
// has the database's password in its environment.
var programs = []string{".sh", ".bash", ".py", ".ps1", ".bat", ".cmd"}

// Ignored reports whether a file is no part of a release: it lies in a hidden
// folder, or it is a text for people, by its name. path is below a location,
// with slashes. Any other file has to be one that [ParseFile] knows.
func Ignored(path string) bool {
	folders, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		folders, name = path[:i], path[i+1:]
	}
	for folder := range strings.SplitSeq(folders, "/") {
		if strings.HasPrefix(folder, ".") {
			return true
		}
	}
	return isText(name)
}

func isText(name string) bool {
	upper := strings.ToUpper(name)
	if isSQL(name) || isProgram(name) {
		return false
	}
	return slices.ContainsFunc(texts, func(pattern string) bool {
		ok, _ := path.Match(strings.ToUpper(pattern), upper)
		return ok
	})
}

// isSQL reports whether the name is one of a script or of its .conf, in any case of letters.
func isSQL(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasSuffix(lower, ".sql") || strings.HasSuffix(lower, ".sql.conf")
}

func isProgram(name string) bool { return slices.Contains(programs, strings.ToLower(path.Ext(name))) }

// ParseFile is [ParseName] for any file that is not [Ignored]. The error says
// what is wrong with a file that belongs to no release.
func ParseFile(name string) (Name, error) {
	switch {
	case isSQL(name):
		return ParseName(name)
	case isProgram(name):
		return Name{}, fmt.Errorf("a program, which Flyway would run with the database's password: a release holds " +
			".sql and .sql.conf files only, so move it out of the folder")
	}
	return Name{}, fmt.Errorf("neither a script (.sql), nor the .conf of one, nor a text for people (%s): move it "+
		"out of the folder, or delete it", strings.Join(texts, ", "))
}

// folder reads one location.
func (l *loader) folder(root string) {
	info, err := os.Stat(root)
	if err != nil {
		l.fail(root, 0, "the folder of the scripts can't be read: %v", reason(err))
		return
	}
	if !info.IsDir() {
		l.fail(root, 0, "not a folder")
		return
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		l.fail(root, 0, "%v", reason(err))
		return
	}
	walk := func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(real, path)
		name = filepath.ToSlash(name)
		if err != nil {
			l.fail(name, 0, "can't be read: %v", reason(err))
			return nil
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		l.entry(real, path, name, d)
		return nil
	}
	l.root = root
	_ = filepath.WalkDir(real, walk)
	l.location++
}

func (l *loader) entry(root, path, name string, d fs.DirEntry) {
	if err := CheckPath(name); err != nil {
		l.fail(printable(name), 0, "%v", err)
		return
	}
	if d.Type()&fs.ModeSymlink != 0 && !l.link(root, path, name) {
		return
	}
	if isText(d.Name()) {
		return
	}
	parsed, err := ParseFile(d.Name())
	if err != nil {
		l.fail(printable(name), 0, "%v", err)
		return
	}
	// A pipe would keep its reader waiting forever.
	if !d.Type().IsRegular() {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			l.fail(printable(name), 0, "not a file")
			return
		}
	}
	below := filepath.Join(l.root, filepath.FromSlash(name))
	l.add(File{Name: parsed, Script: name, Location: l.location, Path: below, Encoding: l.encoding})
}

// link reports whether a symbolic link leads to a file of the same location.
func (l *loader) link(root, path, name string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		l.fail(printable(name), 0, "a link to nowhere: %v", reason(err))
		return false
	}
	if !strings.HasPrefix(target, root+string(filepath.Separator)) {
		l.fail(printable(name), 0, "a link that leads out of the scripts' folder")
		return false
	}
	if info, err := os.Stat(target); err != nil || !info.IsDir() {
		return true
	}
	if !strings.HasPrefix(filepath.Base(path), ".") { // as hidden folders, such as Kubernetes' ..data
		l.fail(printable(name), 0, "a link to a folder: name that folder as a location of its own")
	}
	return false
}

// printable keeps a name that holds control characters from breaking a report.
func printable(name string) string {
	if q := fmt.Sprintf("%q", name); q != `"`+name+`"` {
		return q
	}
	return name
}
