package sqltext

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/flyway"
	"slipway/lambda/workbench/distribution"
)

// flyways are the class paths of the versions of Flyway whose parser is asked:
// the one that is used, and one of which no more than the core can be had.
func flyways(t *testing.T) map[string][]string {
	t.Helper()
	dir, err := distribution.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	cache := &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
	home, err := cache.Flyway(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	jars, err := filepath.Glob(filepath.Join(home, "*.jar"))
	if err != nil || len(jars) == 0 {
		t.Fatal("no jars in ", home, err)
	}
	newer, err := cache.NewerCore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]string{distribution.FlywayVersion: jars, distribution.NewerFlyway: newer}
}

// batch is how many scripts one Java is asked: their texts are held in memory.
const batch = 10_000

// askFlyway calls found for each script with what the parser of a Flyway and
// the driver make of it, see testdata/java/FlywayParser.java.
func askFlyway(t *testing.T, jars, scripts []string, found func(i int, reading string)) {
	t.Helper()
	java, err := flyway.FindJava(os.Getenv("JAVA_HOME"), exec.LookPath)
	if err != nil {
		t.Skip("no Java to run Flyway's parser with: ", err)
	}
	path := strings.Join(jars, string(filepath.ListSeparator))
	for from := 0; from < len(scripts); from += batch {
		part := scripts[from:min(from+batch, len(scripts))]
		var in, errs bytes.Buffer
		for _, s := range part {
			in.WriteString(base64.StdEncoding.EncodeToString([]byte(s)) + "\n")
		}
		command := exec.CommandContext(t.Context(), java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", path,
			"testdata/java/FlywayParser.java")
		command.Stdin = &in
		command.Stderr = &errs
		out, err := command.Output()
		if err != nil && strings.Contains(errs.String(), "jdk.compiler") {
			t.Skip("this Java has no compiler, so Flyway's parser was not asked")
		}
		lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if err != nil || len(lines) != len(part) {
			t.Fatalf("%v, %d results for %d scripts: %s", err, len(lines), len(part), errs.String())
		}
		for i, line := range lines {
			found(from+i, line)
		}
		if len(scripts) > batch {
			t.Logf("%d of %d", from+len(part), len(scripts))
		}
	}
}

// foretell returns what the readers of this package say that Flyway and the driver do.
func foretell(sql string) string {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	sql, _ = WithoutMarks(sql)
	pieces, trouble := readAsFlyway(sql)
	if trouble != nil && trouble.Spins {
		return "SPINS"
	}
	var out strings.Builder
	for _, p := range pieces {
		text := strings.Trim(sql[p.start:p.end], javaSpace)
		if text == "" && p.end == len(sql) {
			continue // a control character alone
		}
		out.WriteString(map[bool]string{true: "out", false: "in"}[p.outside])
		if p.copies {
			_, data, _ := strings.Cut(sql[p.end:], "\n")
			end := len(data)
			for at := 0; at < len(data); {
				line, _, _ := strings.Cut(data[at:], "\n")
				if strings.Trim(line, javaSpace) == `\.` {
					end = at
					break
				}
				at += len(line) + 1
			}
			fmt.Fprintf(&out, " copy %s %s|", encode(text), encode(data[:end]))
			continue
		}
		out.WriteString(" sql")
		for _, escapes := range []bool{false, true} {
			if escapes {
				out.WriteString(" off")
			}
			from := 0
			for _, cut := range append(readAsDriver(text, escapes), len(text)) {
				if part := text[min(from, len(text)):cut]; strings.TrimFunc(part, isDelimiterOrSpace) != "" {
					out.WriteString(" " + encode(part))
				}
				from = cut + 1
			}
		}
		out.WriteString("|")
	}
	if trouble != nil {
		out.WriteString("INCOMPLETE")
	}
	return out.String()
}

func isDelimiterOrSpace(c rune) bool { return c == ';' || isJavaSpace(c) }

// fragments are what scripts are made up of at random: all that a parser has
// to know, and what looks like it.
var fragments = strings.Split(`SELECT 1~; ~;
~
~

~ ~(~)~'~''~"~""~$$~$a$~$a$b$~$1~$~E'~e'~\'~\~\\~U&'~u&"~B'~x'~N'~--~-- x
~/*~*/~/*/~*/*~BEGIN ~BEGIN ATOMIC ~ATOMIC ~CASE ~END~ END ~.end ~ AS end~a.b.c.end~CREATE ~create or replace function f() ~COPY t FROM STDIN~COPY s."t" (a, b) FROM stdin WITH (FORMAT csv)~COPY ~FROM ~STDIN ~;
1	2
\.
~
\.
~ \. ~VACUUM ~VACUUM(ANALYZE) ~CREATE INDEX CONCURRENTLY ~REINDEX ~DATABASE ~REINDEX (VERBOSE) SCHEMA ~DROP ~UNIQUE INDEX CONCURRENTLY ~DISCARD ALL~ALTER SYSTEM ~t1 ~a$b ~_x ~é ~größe~e`+"\u0301"+`~😀~`+"\u00a0"+`~`+"\u2003"+`~1e5 ~12~.5~,~::~a.b~a . b~"a"."b"~"a".b.c.d~a b c d e f g h i j k ~INSERT INTO t VALUES (~); ~$1$2~/~*~-~`+"\r\n"+`~`+"\t"+`~`+"\f"+`~`+
	"\r~\v~\u0085~\u2028~\ufeff~\x1c~\x01~\x7f"+
	`~$é$~$é~$a$a$~$_1$~$A$~DO ~AS ~U&"~U&'\'~:a ~\;~CREATE RULE r AS ON INSERT TO t DO (~ALTER ~CLUSTER~FINALIZE`, "~")

func random(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(14) {
		b.WriteString(fragments[r.IntN(len(fragments))])
		if r.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Flyway's parser is the judge of what is said of it, on scripts made up at random.
func TestFlywayReadsAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	scripts := []string{
		"", "(SELECT 1) UNION (SELECT 2); SELECT 3", "\n\n(SELECT 1)", "SELECT 1 AS \u0661", "COPY t FROM STDIN",
		"\ufeffSELECT 1;",
		"/*/ a; */ SELECT 1", "CREATE \u0085\x7fBEGIN ATOMIC ; a", "$\x01$a;$\x01$; b",
		"BEGIN\u2028ATOMIC; CREATE BEGIN\u0300 ATOMIC;", "$\x7f12$;a",
		"PREPARE p AS SELECT $1; VACUUM; COPY t FROM STDIN;\n1\n\\.\n",
	}
	n := 8000
	if os.Getenv("SLIPWAY_LONG_TESTS") != "" {
		n = 200000
	}
	for range n {
		scripts = append(scripts, random(r))
	}
	for version, jars := range flyways(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			different := 0
			askFlyway(t, jars, scripts, func(i int, want string) {
				if got := foretell(scripts[i]); got != want {
					different++
					if different <= 5 {
						t.Errorf("%q:\nFlyway: %s\nhere:   %s", scripts[i], readable(want), readable(got))
					}
				}
			})
			t.Logf("%d scripts, %d differences", len(scripts), different)
		})
	}
}

// readable decodes an answer.
func readable(answer string) string {
	var b strings.Builder
	for field := range strings.FieldsSeq(strings.ReplaceAll(answer, "|", " | ")) {
		if raw, err := base64.StdEncoding.DecodeString(field); err == nil && len(field)%4 == 0 && field != "copy" {
			fmt.Fprintf(&b, "%q ", raw)
			continue
		}
		b.WriteString(field + " ")
	}
	return b.String()
}
