package ground

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ingredients are what the image is built from and the CDK app reads.
var ingredients = []string{"go.mod", "go.sum", ".dockerignore", "docker", "lambda", "sql"}

// copyProject makes the working copy. It lies outside of the repository, so
// that the order of its releases is the time of its files.
func (g *Ground) copyProject(context.Context) error {
	for _, name := range ingredients {
		if err := copyTree(filepath.Join(g.options.Root, name), filepath.Join(g.Project, name)); err != nil {
			return err
		}
	}
	if g.options.Scripts == "" {
		return nil
	}
	if err := os.RemoveAll(g.Scripts()); err != nil {
		return err
	}
	return copyTree(g.options.Scripts, g.Scripts())
}

// Scripts is the folder of migration scripts in the working copy.
func (g *Ground) Scripts() string { return filepath.Join(g.Project, "sql", "postgresql") }

// copyTree copies a file or a folder with its modification times: they order releases.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := os.Stat(path) // what a symbolic link leads to
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, info.Mode().Perm()); err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
}

// Configure writes the working copy's cdk.json: the project's own, with these
// environments and no pipeline. What only this ground can know is added to
// each: account, region, architecture, and the database's port.
func (g *Ground) Configure(environments map[string]map[string]any) error {
	content, err := os.ReadFile(filepath.Join(g.options.Root, "cdk.json"))
	if err != nil {
		return err
	}
	var settings map[string]any
	if err := json.Unmarshal(content, &settings); err != nil {
		return fmt.Errorf("cdk.json: %w", err)
	}
	context, _ := settings["context"].(map[string]any)
	if context == nil {
		context = map[string]any{}
	}
	all := map[string]any{}
	for name, given := range environments {
		environment := map[string]any{"account": Account, "region": Region, "architecture": g.engine.arch}
		for key, value := range given {
			environment[key] = value
		}
		database := map[string]any{"port": g.Database.Port}
		if given, ok := environment["database"].(map[string]any); ok {
			for key, value := range given {
				database[key] = value
			}
		}
		environment["database"] = database
		all[name] = environment
	}
	delete(context, "pipeline")
	context["environments"] = all
	settings["app"], settings["context"] = g.app, context
	if content, err = json.MarshalIndent(settings, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(g.Project, "cdk.json"), content, 0o644)
}

// Write writes a migration script of the working copy, Remove takes one away.
func (g *Ground) Write(name, statements string) error {
	return os.WriteFile(filepath.Join(g.Scripts(), filepath.FromSlash(name)),
		[]byte(strings.TrimSpace(statements)+"\n"), 0o644)
}

// Read returns the text of a migration script of the working copy.
func (g *Ground) Read(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(g.Scripts(), filepath.FromSlash(name)))
	return string(text), err
}

// Remove takes a migration script of the working copy away.
func (g *Ground) Remove(name string) error {
	return os.Remove(filepath.Join(g.Scripts(), filepath.FromSlash(name)))
}
