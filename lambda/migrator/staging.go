package migrator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/lambda/flyway"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// staging is what a start of Flyway gets: a copy of each location, written by
// this program, that holds exactly the files which it judged. Flyway runs
// whatever it finds in a location, programs among it, and a file can be swapped
// after it was read. Names below a location, and so the history, stay the same.
// The zero value is not written yet.
type staging struct {
	root    string // temporary, "" until it is needed
	folders []string
	origins []string // of each folder, absolute
	own     string   // folder of this program's own callbacks, "" for none
	release func()
}

// stage writes the folders, once in a run.
func (r *run) stage() error {
	if r.staging.root != "" {
		return nil
	}
	err := r.writeStaging()
	if err != nil {
		r.staging.remove()
		r.staging = staging{}
	}
	return err
}

func (r *run) writeStaging() error {
	root, release, err := temporaryFolder()
	if err != nil {
		return fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
	}
	s := staging{root: root, release: release}
	for i, location := range r.Config.Locations {
		origin, err := filepath.Abs(location)
		if err != nil {
			return err
		}
		s.origins = append(s.origins, origin)
		s.folders = append(s.folders, filepath.Join(root, fmt.Sprint("location-", i)))
	}
	r.staging = s
	for _, folder := range s.folders {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
		}
	}
	for _, f := range r.stagedFiles() {
		if err := s.write(f); err != nil {
			return err
		}
	}
	return nil
}

// stagedFiles are the files that Flyway is to see: all but undo scripts, which
// it would refuse, and their .conf files.
func (r *run) stagedFiles() []script.File {
	type place struct {
		location int
		script   string
	}
	undo := map[place]bool{}
	for _, f := range r.set.Undo {
		undo[place{f.Location, f.Script + ".conf"}] = true
	}
	configs := slices.DeleteFunc(slices.Clone(r.set.Configs),
		func(f script.File) bool { return undo[place{f.Location, f.Script}] })
	return slices.Concat(r.set.Versioned, r.set.Baselines, r.set.Repeatable, r.set.Callbacks, configs)
}

// write copies one file, byte for byte as it was judged.
func (s staging) write(f script.File) error {
	raw, err := f.Bytes()
	if err != nil {
		return notAsRead(f, err)
	}
	return writeNew(filepath.Join(s.folders[f.Location], filepath.FromSlash(f.Script)), raw)
}

// notAsRead is the failure of a run that can't read a file, or not as it was.
func notAsRead(f script.File, err error) *report.Failure {
	failure := report.Failf(report.BadRelease, "%s: %w", f.Script, err).Next("Correct the file.")
	if errors.Is(err, script.ErrChanged) {
		failure.NextStep = "Run it again when nothing writes into the folder of the scripts."
	}
	failure.Script = f.Script
	return failure
}

// writeNew writes a file that is not there yet.
func writeNew(path string, raw []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
	}
	if err == nil {
		_, err = file.Write(raw)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
	}
	return nil
}

// remove removes the folders. A leftover in /tmp is no failure of the run.
func (s staging) remove() {
	if s.root != "" {
		_ = os.RemoveAll(s.root)
		s.release()
	}
}

// workingDirectory is a placeholder of Flyway's, in lower case. Its value is the
// folder of one run: a repeatable script would be another one each time.
const workingDirectory = "flyway:workingdirectory"

// checkWorkingDirectory refuses scripts and callbacks that use the placeholder.
func (r *run) checkWorkingDirectory() error {
	s := r.Config.Flyway
	if !s.Replace || len(r.plan.Pending) == 0 {
		return nil
	}
	for _, f := range slices.Concat(r.plan.Pending, r.callbacksOfRun()) {
		text, err := f.Text()
		if err != nil {
			return notAsRead(f, err)
		}
		for _, p := range script.Placeholders(string(text), s.Prefix, s.Suffix) {
			if p.Name != workingDirectory || f.LiteralPlaceholders {
				continue
			}
			failure := report.Failf(report.BadRelease, "%sflyway:workingDirectory%s is a temporary folder, another "+
				"one in each run; nothing was run", s.Prefix, s.Suffix).
				Next("Write the folder into the script, or configure a placeholder for it " +
					"(FLYWAY_PLACEHOLDERS_<NAME>).")
			failure.Script, failure.Line = f.Script, p.Line
			return failure
		}
	}
	return nil
}

// locations are the folders for a start of Flyway.
func (s staging) locations(verb string) []string {
	if verb == "migrate" && s.own != "" {
		return append(slices.Clone(s.folders), s.own)
	}
	return s.folders
}

// original names the places of a text as they are in the release's own folders.
func (s staging) original(text string) string {
	for i, folder := range s.folders {
		text = strings.ReplaceAll(text, folder+string(filepath.Separator), s.origins[i]+string(filepath.Separator))
		text = strings.ReplaceAll(text, folder, s.origins[i])
	}
	if s.own != "" {
		text = strings.ReplaceAll(text, s.own+string(filepath.Separator), "")
	}
	return text
}

// originals does it for all that Flyway says.
func (s staging) originals(result *flyway.Result, err error) (*flyway.Result, error) {
	in := func(texts ...*string) {
		for _, text := range texts {
			*text = s.original(*text)
		}
	}
	if result != nil {
		for i := range result.Migrations {
			in(&result.Migrations[i].Filepath)
		}
		for i := range result.Invalid {
			bad := &result.Invalid[i]
			in(&bad.Filepath, &bad.ErrorDetails.ErrorMessage)
		}
		for i := range result.Warnings {
			in(&result.Warnings[i])
		}
	}
	var answer *flyway.Error
	if errors.As(err, &answer) {
		in(&answer.Message, &answer.Path)
		for c := answer.Cause; c != nil; c = c.Cause {
			in(&c.Message)
		}
	}
	var exit *flyway.ExitError
	if errors.As(err, &exit) {
		in(&exit.Reason, &exit.Stderr)
	}
	return result, err
}
