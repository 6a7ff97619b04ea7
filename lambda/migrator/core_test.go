package migrator_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/workbench/distribution"
)

// core is a Flyway that is asked through its core's API, see testdata/java/FlywayCore.java.
type core struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// errNoCompiler says that the core can't be asked: its program is compiled as it starts.
var errNoCompiler = errors.New("this Java has no compiler, so Flyway's core was not asked")

// newerCore is the core of [distribution.NewerFlyway], one for all tests.
var newerCore = sync.OnceValues(func() (*core, error) {
	cache, err := userCache()
	if err != nil {
		return nil, err
	}
	jars, err := cache.NewerCore(context.Background())
	if err != nil {
		return nil, err
	}
	return startCore(jars)
})

// sameCore is the core of the Flyway that runs, one for all tests.
var sameCore = sync.OnceValues(func() (*core, error) {
	i, err := installation()
	if err != nil {
		return nil, err
	}
	jars, err := i.ClassPath()
	if err != nil {
		return nil, err
	}
	return startCore(jars)
})

// startCore starts the core with these jars. It ends with the test binary, whose pipe it reads.
func startCore(jars []string) (*core, error) {
	java, err := flyway.FindJava(os.Getenv("JAVA_HOME"), exec.LookPath)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCompiler, err)
	}
	if out, err := exec.Command(java, "--list-modules").Output(); err != nil ||
		!strings.Contains(string(out), "jdk.compiler@") {
		return nil, errNoCompiler
	}
	cmd := exec.Command(java, "-Xshare:auto", "-XX:TieredStopAtLevel=1",
		"-cp", strings.Join(jars, string(filepath.ListSeparator)), "testdata/java/FlywayCore.java")
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8") // as Slipway starts Flyway; else Java can't open some files
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &core{in: in, out: bufio.NewReader(out)}, cmd.Start()
}

// newer is the core of a newer Flyway, for tests that have nothing else to compare with.
func newer(t *testing.T) *core {
	t.Helper()
	c, err := newerCore()
	if errors.Is(err, errNoCompiler) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// forTheCommandLine reports whether a test is one of those that Flyway's command line is asked for: one in ten,
// and all of them in `make differential`. The core, which takes many worlds in one Java, has the others.
func (y *yard) forTheCommandLine() bool {
	sum := fnv.New32()
	_, _ = sum.Write([]byte(y.Name()))
	return os.Getenv("SLIPWAY_LONG_TESTS") != "" || sum.Sum32()%10 == 0
}

// sameCore is the core of the Flyway that runs, or nil where it can't be had.
func (y *yard) sameCore() *core {
	y.Helper()
	c, err := sameCore()
	if errors.Is(err, errNoCompiler) {
		return nil
	}
	if err != nil {
		y.Fatal(err)
	}
	return c
}

// opinion is what the core says of the yard's database.
func (c *core) opinion(y *yard) opinion {
	y.Helper()
	texts := c.ask(y.T, y.settings(), "info", "validate")
	lines := func(text string) []string {
		return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
	}
	valid, invalid, ok := strings.Cut(texts[1], "\n")
	if !ok {
		y.Fatalf("Flyway's core: %q", texts)
	}
	o := opinion{states: lines(texts[0]), valid: valid == "true", invalid: map[string]string{}}
	for _, line := range lines(invalid) {
		name, message, _ := strings.Cut(line, "\t")
		o.invalid[name] = message
	}
	return o
}

// ask has the core carry out the commands and returns a text for each.
func (c *core) ask(t *testing.T, settings map[string]string, commands ...string) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, value := range settings {
		fmt.Fprintf(c.in, "%s\t%s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
	}
	fmt.Fprintf(c.in, "|%s\n", strings.Join(commands, " "))
	var texts []string
	for range commands {
		line, err := c.out.ReadString('\n')
		if err != nil {
			t.Fatal("Flyway's core: ", err)
		}
		text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// settings are the yard's as the core takes them.
func (y *yard) settings() map[string]string {
	u, _ := url.Parse(y.url)
	password, _ := u.User.Password()
	all := map[string]string{
		"flyway.url": "jdbc:postgresql://" + u.Host + u.Path + "?sslmode=disable", "flyway.user": u.User.Username(),
		"flyway.password":  password,
		"flyway.locations": "filesystem:" + y.folder, "flyway.placeholders.port": u.Port(),
		"flyway.placeholders.dsn": y.dsn(),
	}
	for name, value := range y.config.Flyway.Placeholders {
		all["flyway.placeholders."+name] = value
	}
	if y.config.Flyway.OutOfOrder {
		all["flyway.outOfOrder"] = "true"
	}
	return all
}

// withNewer makes Slipway take Flyway for the core's version, and tells what it is not able to: start it.
func (y *yard) withNewer() *migrator.Migrator {
	m := y.migrator()
	home := y.TempDir()
	for _, name := range []string{
		"flyway-commandline", "flyway-core", "flyway-reports", "flyway-database-postgresql", "postgresql",
		"jackson-databind", "jackson-core",
		"jackson-annotations", "jackson-dataformat-toml", "commons-text", "commons-lang3",
	} {
		if err := os.WriteFile(filepath.Join(home, name+"-"+distribution.NewerFlyway+".jar"), nil, 0o644); err != nil {
			y.Fatal(err)
		}
	}
	m.Runner.Home = home
	return m
}

// compare holds Slipway's info and validate against the core's. It reports false
// where Slipway can't tell without Flyway.
func (y *yard) compare(c *core, w world) bool {
	y.Helper()
	texts := c.ask(y.T, y.settings(), "info", "validate")
	m := y.withNewer()
	info, err := m.Run(y.Context(), migrator.Request{Command: "info"})
	if err != nil && strings.Contains(info.Message, "Flyway") {
		return false
	}
	var ours []string
	for _, s := range info.Scripts {
		ours = append(ours, key(s.Version, s.Description)+" "+s.State)
	}
	if theirs := strings.Split(strings.TrimSpace(texts[0]), "\n"); !slices.Equal(ours, theirs) && len(ours) > 0 {
		y.Errorf("info:\nSlipway %q\nFlyway  %q\n%+v", ours, theirs, w)
	}
	validated, _ := m.Run(y.Context(), migrator.Request{Command: "validate"})
	if valid := strings.HasPrefix(texts[1], "true"); validated.OK() != valid && !ahead(info) {
		y.Errorf("validate: Slipway %s (%s %v), Flyway %s\n%+v", validated.Code, validated.Message, validated.Problems,
			texts[1], w)
	}
	return true
}

// The rules hold for a newer Flyway, too: all worlds, asked of its core.
func TestPlanIsNewerFlyways(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a minute")
	}
	c := newer(t)
	databases := pool(t)
	all := worlds()
	for name, w := range baselineWorlds() {
		all["B: "+name] = w
	}
	all["a class of Spring's"] = world{files: release("1", "2", "3"),
		rows: append(applied("1"), typed("SPRING_JDBC", "2", "a", false))}
	left := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			w := all[name]
			if !w.yard(t, databases).compare(c, w) {
				left++
			}
		})
	}
	if t.Logf("%d worlds compared, %d where Flyway would have to be asked", len(all)-left, left); left > 4 {
		t.Error("Slipway asks Flyway too often")
	}
}

// User and password are taken as [flyway.Command] writes them.
func TestNewerFlywayTakesUserAndPasswordVerbatim(t *testing.T) {
	t.Parallel()
	texts := newer(t).ask(t, map[string]string{
		"flyway.url": "jdbc:postgresql://localhost:1/x", "flyway.user": "!{ u }",
		"flyway.password": "!{p ${env.HOME} \" }",
	}, "settings")
	if want := " u \np ${env.HOME} \" \n{}"; texts[0] != want {
		t.Errorf("got %q, want %q", texts[0], want)
	}
}
