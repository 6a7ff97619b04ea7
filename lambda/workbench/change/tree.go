package change

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"slipway/lambda/script"
)

func readFolder(folder string) (Tree, error) {
	t := Tree{}
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("the folder of the scripts can't be read: %w", err)
	}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p, err := filepath.Rel(root, file)
		p = filepath.ToSlash(p)
		if err != nil || d.IsDir() || script.Ignored(p) {
			return err
		}
		link := d.Type()&fs.ModeSymlink != 0
		var data []byte
		switch {
		case link:
			var to string
			to, err = os.Readlink(file)
			data = []byte(to)
		case d.Type().IsRegular():
			data, err = os.ReadFile(file)
		}
		t[p] = newEntry(p, data, link)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the folder of the scripts can't be read: %w", err)
	}
	return t, nil
}

// tree reads the scripts' folder of a commit; one without the folder is an empty tree.
func (r repository) tree(ctx context.Context, commit string) (Tree, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", commit}
	if r.prefix != "" {
		args = append(args, "--", r.prefix+"/")
	}
	out, err := git(ctx, r.top, args...)
	if err != nil {
		return nil, err
	}
	var paths, objects []string
	links := map[string]bool{}
	for record := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		head, p, _ := strings.Cut(record, "\t")
		p = strings.TrimPrefix(p, r.prefix+"/")
		fields := strings.Fields(head) // mode, type, object
		if len(fields) != 3 || fields[1] != "blob" || script.Ignored(p) {
			continue
		}
		paths, objects = append(paths, p), append(objects, fields[2])
		links[p] = fields[0] == "120000"
	}
	return r.blobs(ctx, paths, objects, links)
}

// blobs reads objects with one git process.
func (r repository) blobs(ctx context.Context, paths, objects []string, links map[string]bool) (Tree, error) {
	command := gitCommand(ctx, r.top, "cat-file", "--batch")
	command.Stdin = strings.NewReader(strings.Join(objects, "\n") + "\n")
	pipe, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return Tree{}, nil
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	t, in := Tree{}, bufio.NewReader(pipe)
	for _, p := range paths {
		data, err := blob(in)
		if err != nil {
			_ = command.Process.Kill()
			_ = command.Wait()
			return nil, fmt.Errorf("git cat-file: %s: %w", p, err)
		}
		t[p] = newEntry(p, data, links[p])
	}
	_, _ = io.Copy(io.Discard, in)
	return t, command.Wait()
}

// blob reads one answer of cat-file: object, type and size, then the content.
func blob(in *bufio.Reader) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return nil, fmt.Errorf("git has no such object (%s); a partial clone has to fetch it first",
			strings.TrimSpace(head))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return nil, err
	}
	data := make([]byte, size+1) // and the line end behind it
	_, err = io.ReadFull(in, data)
	return data[:size], err
}
