package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"slipway/lambda/script"
)

// runNew is `new`: the next versioned script and its undo script beside it.
func runNew(_ context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	sql := flags.String("sql", defaultSQL, "`folder` of the scripts")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0, err
		}
		return 2, usageError{err}
	}
	name := strings.Join(flags.Args(), " ")
	description, err := descriptionOf(name)
	if err != nil {
		return 2, usageError{err}
	}
	newest, err := newestScript(*sql)
	if err != nil {
		return 1, err
	}
	version := nextVersion(newest.version, time.Now().UTC())
	file := version + "__" + description + ".sql"
	files := []struct{ path, text string }{
		{filepath.Join(newest.folder, "V"+file), fmt.Sprintf("-- %s\n", strings.TrimSpace(name))},
		{filepath.Join(newest.folder, "U"+file), fmt.Sprintf("-- What takes V%s back: it runs in a revert only, in "+
			"one transaction.\n", version)},
	}
	for i, f := range files {
		if err := create(f.path, f.text); err != nil {
			for _, made := range files[:i] {
				err = errors.Join(err, os.Remove(made.path))
			}
			return 1, err
		}
	}
	for _, f := range files {
		fmt.Fprintln(b.out, f.path)
	}
	return 0, nil
}

// create writes a file that is not there yet.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// longest is how much of a description Flyway keeps, in characters.
const longest = 200

// descriptionOf is a name as it stands in a script's file name: words with
// single underscores between. What file systems, shells or Flyway would trip
// over is refused.
func descriptionOf(name string) (string, error) {
	const example = `name the change, like "add orders"`
	if !utf8.ValidString(name) {
		return "", errors.New("the name is no valid text; " + example)
	}
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.Mn, c) &&
			!strings.ContainsRune(" _-", c) {
			return "", fmt.Errorf("the name may hold letters, digits, spaces, - and _, not %q; %s", c, example)
		}
	}
	description := strings.Join(strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune(" _-", c) }),
		"_")
	if description == "" {
		return "", errors.New("the name is missing; " + example)
	}
	if utf8.RuneCountInString(description) > longest || len("V.sql")+50+len(description) > 255 {
		return "", fmt.Errorf("the name is too long; %s", example)
	}
	if n, err := script.ParseName(strings.TrimSpace(strings.ReplaceAll(name, " ", "_")) + ".sql"); err == nil &&
		slices.Contains(numbered, n.Kind) {
		return "", fmt.Errorf("the version is found by itself; %s", example)
	}
	return description, nil
}

// numbered are the kinds of scripts whose versions a new one has to be above.
var numbered = []script.Kind{script.Versioned, script.Baseline, script.Undo}

// latest is the script with the highest version.
type latest struct {
	folder  string // that it lies in
	version string // as the file's name spells it; "" for none
}

// newestScript finds it by the files' names: a new script can be made while
// another one is not right yet.
func newestScript(root string) (latest, error) {
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return latest{}, fmt.Errorf("there is no folder %s", root)
	}
	newest := latest{folder: root}
	var highest script.Version
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		n, err := script.ParseName(d.Name())
		if err != nil || !slices.Contains(numbered, n.Kind) || n.Version.Compare(highest) <= 0 {
			return nil
		}
		highest = n.Version
		head, _, _ := strings.Cut(strings.TrimSuffix(d.Name(), ".sql"), "__")
		newest = latest{filepath.Dir(path), head[1:]}
		return nil
	})
	return newest, err
}

// stamps are the forms in which versions hold a time.
var stamps = []string{"20060102150405", "200601021504", "20060102"}

// nextVersion follows the style of the newest version: a time stays a time, of
// the same form; of any other the last number is counted up, with its leading
// zeros and separators kept.
func nextVersion(newest string, now time.Time) string {
	if newest == "" {
		return "1"
	}
	i := strings.LastIndexAny(newest, "._")
	first, _, _ := strings.Cut(strings.ReplaceAll(newest, "_", "."), ".")
	if stamp, ok := stampOf(first, now); ok && greater(stamp, first) {
		if i < 0 {
			return stamp
		}
		return stamp + newest[len(first):len(first)+1] + "1" // the first one of that time
	} else if ok && i < 0 {
		if len(first) == len("20060102") {
			return first + ".1" // tomorrow would be a lie
		}
	}
	return newest[:i+1] + countUp(newest[i+1:])
}

// stampOf is now in the form of a version that is a time.
func stampOf(version string, now time.Time) (string, bool) {
	for _, form := range stamps {
		if t, err := time.Parse(form, version); err == nil && t.Year() > 1970 {
			return now.Format(form), true
		}
	}
	if n, ok := new(big.Int).SetString(version, 10); ok && len(version) == 10 && n.IsInt64() && n.Int64() > 1e9 &&
		n.Int64() < 4e9 {
		return fmt.Sprint(now.Unix()), true
	}
	return "", false
}

// greater compares two numbers of the same length.
func greater(a, b string) bool { return len(a) == len(b) && a > b }

// countUp adds one to a number of any size and keeps its width.
func countUp(number string) string {
	n, _ := new(big.Int).SetString(number, 10)
	n.Add(n, big.NewInt(1))
	return fmt.Sprintf("%0*s", len(number), n.String())
}
