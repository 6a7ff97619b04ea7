package change

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Beyond says what a branch's commits change that no check of scripts has
// judged, a line each, sorted: files outside the scripts' folder, files in it
// that are neither scripts nor texts for people, and anything that is not a plain
// file. What a merge would bring counts, whichever commit the branch began at. It
// returns nothing without a target.
func (c *Change) Beyond(ctx context.Context) ([]string, error) {
	if c.tip == "" {
		return nil, nil
	}
	r, ok, err := open(ctx, c.Folder)
	if err != nil || !ok {
		return nil, err
	}
	bases, err := git(ctx, r.top, "merge-base", "--all", c.tip, "HEAD")
	if err != nil {
		return nil, err
	}
	var beyond []string
	for base := range strings.FieldsSeq(string(bases)) {
		// A rename is a deletion and an addition here, and a submodule that .gitmodules wants passed over is none.
		out, err := git(ctx, r.top, "diff-tree", "-r", "-z", "--no-renames", "--ignore-submodules=none", base, "HEAD")
		if err != nil {
			return nil, err
		}
		fields := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		for i := 0; i+1 < len(fields); i += 2 {
			if reason := r.judge(fields[i], fields[i+1]); reason != "" {
				beyond = append(beyond, reason)
			}
		}
	}
	slices.Sort(beyond)
	return slices.Compact(beyond), nil
}

// judge looks at one record of a raw difference, ":100644 100755 <object>
// <object> M", and returns "" for what a check of scripts has judged.
func (r repository) judge(record, file string) string {
	modes := strings.Fields(record)
	inside := file
	if r.prefix != "" {
		var ok bool
		if inside, ok = strings.CutPrefix(file, r.prefix+"/"); !ok {
			return fmt.Sprintf("%q is outside %s/", file, r.prefix)
		}
	}
	if len(modes) < 2 || modes[1] != "100644" && modes[1] != "000000" {
		return fmt.Sprintf("%q is a %s", file, kind(modes))
	}
	for part := range strings.SplitSeq(inside, "/") {
		if strings.HasPrefix(part, ".") {
			return fmt.Sprintf("%q is hidden", file)
		}
	}
	name := strings.ToLower(path.Base(inside))
	for _, ending := range []string{".sql", ".sql.conf", ".md", ".txt"} {
		if strings.HasSuffix(name, ending) {
			return ""
		}
	}
	return fmt.Sprintf("%q is not a script", file)
}

// kind of what is not a plain file, from the modes of a record.
func kind(modes []string) string {
	switch {
	case len(modes) < 2:
		return "file of an unknown kind"
	case modes[1] == "120000":
		return "symbolic link"
	case modes[1] == "160000":
		return "submodule"
	case modes[1] == "100755":
		return "file that can be run"
	}
	return "file of the mode " + modes[1]
}
