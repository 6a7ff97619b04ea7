package database

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pinned are the functions that open a session in a database that may be
// somebody else's, and what each of them calls or sends to pin its search path.
var pinned = map[string]string{
	"database.Connect":      "prepare",
	"database.OpenWork":     "learnPath",
	"database.prepare":      "pin",
	"database.learnPath":    "pin",
	"rehearse.connect":      "pinPath",
	"catalog.SnapshotOf":    "Snapshot",
	"catalog.Describe":      "SET LOCAL search_path = pg_catalog",
	"rehearse.pinPath":      "SET search_path = pg_catalog, pg_temp",
	"database.ScriptPath":   "SELECT pg_catalog.set_config('search_path', $1, false)",
	"rehearse.fill":         "pinPath",
	"migrator.sessions_sql": "", // callbacks, on Flyway's session; each pins for itself
	"rehearse.callbacks":    "",
	"database.own":          "", // the pin itself
	"postgres.do":           "", // the server is our own
	"postgres.ping":         "",
}

// proofs are packages that only try things out, on servers of their own.
var proofs = []string{"faults", "benchmark"}

// Only the functions above open a session, and each pins its search path; only
// they change a search path.
func TestEverySessionOfOurOwnIsPinned(t *testing.T) {
	setsPath := regexp.MustCompile(
		`(?i)\bset\s+(local\s+|session\s+)?search_path\s*(=|to)|set_config\(\s*'search_path'|\breset\s+search_path`)
	opened := 0
	eachFunction(t, func(file, name string, body ast.Node) {
		text, calls := contents(body)
		opens := slices.ContainsFunc(calls, func(c string) bool {
			return strings.HasPrefix(c, "pgx.Connect") || strings.HasPrefix(c, "pgconn.Connect") ||
				strings.HasPrefix(c, "pgxpool.") || strings.HasPrefix(c, "stdlib.")
		})
		sets := slices.ContainsFunc(text, setsPath.MatchString)
		if !opens && !sets {
			return
		}
		opened++
		by, known := pinned[name]
		if !known {
			by, known = pinned[strings.SplitN(name, ".", 2)[0]+"."+strings.TrimSuffix(filepath.Base(file), ".go")]
		}
		if !known {
			t.Errorf("%s: %s opens a session or changes a search path: pin it, and name it in this test", file, name)
		}
		if by != "" && !slices.ContainsFunc(append(calls, text...),
			func(s string) bool { return s == by || strings.HasSuffix(s, "."+by) }) {
			t.Errorf("%s: %s does not pin the search path by %s", file, name, by)
		}
	})
	if opened < 6 {
		t.Errorf("%d functions that open a session were found", opened)
	}
}

// What is sent before the path is pinned names PostgreSQL's functions with
// their schema, and has no operator, no cast and no name of a type.
func TestSQLBeforeThePinIsQualified(t *testing.T) {
	call := regexp.MustCompile(`([\w.]+)\s*\(`)
	for _, sql := range []string{rolesPath, pin, "SHOW search_path",
		"SELECT pg_catalog.set_config('search_path', $1, false)"} {
		for _, m := range call.FindAllStringSubmatch(sql, -1) {
			if m[1] != "coalesce" && !strings.HasPrefix(m[1], "pg_catalog.") { // coalesce is grammar
				t.Errorf("%s: %s is looked up by the search path", sql, m[1])
			}
		}
		bare := regexp.MustCompile(`'[^']*'`).ReplaceAllString(sql, "''")
		if strings.ContainsAny(strings.TrimPrefix(bare, "SET search_path ="), "=<>~|+-*/%&^@#!:") {
			t.Errorf("%s: an operator or a cast is looked up by the search path", sql)
		}
	}
}

// eachFunction visits the functions of the program and of the workbench, named
// package.function, and the constants and variables outside of functions.
func eachFunction(t *testing.T, visit func(file, name string, body ast.Node)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains(proofs, d.Name()) || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			name := file.Name.Name + ".(constants)"
			if f, ok := declared.(*ast.FuncDecl); ok {
				name = file.Name.Name + "." + f.Name.Name
			}
			visit(path, name, declared)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// contents are the texts in a piece of Go, and the names that it uses, those
// of other packages with their package.
func contents(node ast.Node) (texts, names []string) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				texts = append(texts, text)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				names = append(names, x.Name+"."+n.Sel.Name)
			}
			names = append(names, n.Sel.Name)
		case *ast.Ident:
			names = append(names, n.Name)
		}
		return true
	})
	return texts, names
}
