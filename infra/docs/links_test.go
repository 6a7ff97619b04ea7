package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var (
	fenced  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```$")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}\p{M}\p{Pc} -]`)
)

// pages are the project's Markdown files, by their path below root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." && entry.Name() != ".github"
		if entry.IsDir() && (hidden || slices.Contains([]string{"testdata", "node_modules", "cdk.out"}, entry.Name())) {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		all[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anchors are the names that GitHub gives to a page's headings.
func anchors(page string) []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		name := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
		all = append(all, name)
	}
	return all
}

// deadLinks lists a page's relative links that lead nowhere.
func deadLinks(all map[string]string, page string) []string {
	var dead []string
	for _, l := range link.FindAllStringSubmatch(fenced.ReplaceAllString(all[page], ""), -1) {
		if strings.Contains(l[1], ":") {
			continue // of the web
		}
		file, anchor, _ := strings.Cut(l[1], "#")
		target := filepath.ToSlash(filepath.Join(filepath.Dir(page), file))
		if file == "" {
			target = page
		}
		_, known := all[target]
		if !known {
			_, err := os.Stat(filepath.Join(root, target))
			known = err == nil
		}
		if !known || anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
			dead = append(dead, l[1])
		}
	}
	return dead
}

func TestLinks(t *testing.T) {
	all := pages(t)
	if all["README.md"] == "" || all["infra/README.md"] == "" {
		t.Fatalf("only %d pages were found", len(all))
	}
	for page := range all {
		for _, dead := range deadLinks(all, page) {
			t.Errorf("%s: %s leads nowhere", page, dead)
		}
	}
}

func TestDeadLinksAreFound(t *testing.T) {
	all := map[string]string{
		"README.md": "# A\n[a](#a) [b](docs/B.md#what-it-costs-how-long) [web](https://example.com/x)\n" +
			"[no](#none) [no](absent.md) [no](docs/B.md#codes)\n```\n[no link](x)\n```\n",
		"docs/B.md": "## What it costs, how long?\n",
	}
	if got, want := deadLinks(all, "README.md"), []string{"#none", "absent.md", "docs/B.md#codes"}; !slices.Equal(got,
		want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := anchors(all["docs/B.md"]); !slices.Equal(got, []string{"what-it-costs-how-long"}) {
		t.Errorf("anchors %v", got)
	}
}
