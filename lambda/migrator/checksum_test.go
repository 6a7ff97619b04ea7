package migrator_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/encoding/ianaindex"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/script"
)

// pieces are what the generated files are made of: whatever a reader of lines
// may take for the end of one, or may stumble over.
var pieces = []string{
	"\n", "\n", "\r\n", "\r\n", "\r", "\n\r", "\n\n\n", "\f", "\v", "\t", "\x1a", "\x1b", "\u0085", "\u2028", "\u2029",
	"\ufeff", "\u00a0",
	"SELECT 1;", "-- ", "/* ", "'", "\"", "$$", "$x$", "\\", "ä", "€", "😀", "e\u0301", "${who}", "${WHO}", "$${who}",
	"$$${who}", "$", "{who}", "}", "#",
	"Ў", "ў", "Я", "ß", "¢", "—", "Ω", "č", "ı", "ا", "א", "α", "ł", "½",
}

// generated makes up a text of about that many bytes that an encoding can hold.
func generated(r *rand.Rand, size int, holds func(string) bool) string {
	var b strings.Builder
	if r.IntN(4) == 0 && holds("\ufeff") {
		b.WriteString("\ufeff")
	}
	for b.Len() < size {
		switch r.IntN(6) {
		case 0: // up to the edges of the buffers of Flyway's readers
			edge := []int{4096, 8192}[r.IntN(2)]
			b.WriteString(strings.Repeat("x", max(0, edge-1-b.Len()%edge-r.IntN(3))))
			b.WriteString([]string{"\r\n", "\r", "\n", "\r\r\n"}[r.IntN(4)])
		default:
			if p := pieces[r.IntN(len(pieces))]; holds(p) {
				b.WriteString(p)
			}
		}
	}
	return b.String()
}

// realScripts are the SQL files that come with PostgreSQL: its catalogs' views,
// the information schema, its extensions.
func realScripts(t *testing.T) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Server(t).URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var share string
	if err := conn.QueryRow(t.Context(),
		"SELECT setting FROM pg_config WHERE name = 'SHAREDIR'").Scan(&share); err != nil {
		t.Fatal(err)
	}
	var texts []string
	err = filepath.WalkDir(share, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".sql" {
			return err
		}
		text, err := os.ReadFile(path)
		if utf8.Valid(text) {
			texts = append(texts, string(text))
		}
		return err
	})
	if err != nil || len(texts) < 100 {
		t.Fatalf("%d files, %v", len(texts), err)
	}
	return texts
}

// Flyway's repair writes the checksums that it computes into the history,
// without running anything: here they are held against Slipway's own.
func TestChecksumsAreFlyways(t *testing.T) {
	t.Parallel()
	y := newYard(t, nil)
	r := rand.New(rand.NewPCG(2, 3))
	w := world{rows: []row{}}
	y.config.Flyway.Placeholders = map[string]string{"who": "somebody else"}
	version := 0
	for _, encoding := range []string{"", "UTF-8", "ISO-8859-1", "windows-1252", "UTF-16", "UTF-16LE", "UTF-16BE",
		"US-ASCII", "ISO-8859-2", "ISO-8859-15", "windows-1250", "windows-1251", "KOI8-R", "IBM850", "IBM862"} {
		for _, size := range []int{0, 1, 10, 100, 1000, 5000, 9000, 20000, 100000} {
			version++
			encode := func(s string) (string, error) { return s, nil }
			if encoding != "" {
				e, err := ianaindex.IANA.Encoding(encoding)
				if err != nil || e == nil {
					t.Fatalf("%s: %v", encoding, err)
				}
				encode = func(s string) (string, error) { return e.NewEncoder().String(s) }
			}
			text, err := encode(generated(r, size, func(s string) bool { _, err := encode(s); return err == nil }))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{fmt.Sprintf("V%d__a.sql", version), fmt.Sprintf("R__%d.sql", version)} {
				if err := os.WriteFile(filepath.Join(y.folder, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if encoding != "" {
					y.write(name+".conf", "encoding="+encoding+"\n")
				}
			}
			w.rows = append(w.rows, sql(fmt.Sprint(version), "a", "something else"),
				sql("", fmt.Sprint(version), "something else"))
		}
	}
	for _, text := range realScripts(t) {
		for _, text := range []string{text, "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"),
			strings.ReplaceAll(text, "\n", "\r")} {
			version++
			y.write(fmt.Sprintf("V%d__a.sql", version), text)
			w.rows = append(w.rows, sql(fmt.Sprint(version), "a", "something else"))
		}
	}
	y.exec(w.insert())
	y.flywayOK("repair", "-placeholders.who=somebody else")

	set, err := script.Load(y.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Versioned {
		want := y.text("SELECT checksum FROM flyway_schema_history WHERE version = '" + f.Version.String() + "'")
		if got := fmt.Sprint(f.Checksum); got != want {
			t.Errorf("%s (encoding %q): Slipway %s, Flyway %s", f.Script, f.Encoding, got, want)
		}
	}
	sums := ""
	for _, f := range set.Repeatable {
		text, err := f.Text()
		if err != nil {
			t.Fatal(err)
		}
		replaced, unknown := script.Replace(string(text), "${", "}", map[string]string{"who": "somebody else"})
		if len(unknown) > 0 {
			t.Errorf("%s: no value for %v", f.Script, unknown)
		}
		sums += fmt.Sprintf("UPDATE flyway_schema_history SET checksum = %d WHERE description = '%s';\n",
			script.Checksum([]byte(replaced)), f.Description)
	}
	// Those of repeatable scripts repair leaves alone; what is another sum for Flyway is outdated.
	y.exec(sums)
	for _, state := range y.ask().states {
		if !strings.HasSuffix(state, " Success") {
			t.Errorf("Flyway finds %s", state)
		}
	}
	// And so nothing differs and nothing is pending, without a JVM.
	if rep := y.ok(migrator.Request{Command: "validate"}); rep.FlywayVersion != "" {
		t.Error("Flyway was asked")
	}
}
