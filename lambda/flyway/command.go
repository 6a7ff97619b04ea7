package flyway

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Command is one start of Flyway.
type Command struct {
	Verb      string // migrate, info, validate, repair, baseline
	URL       string // JDBC, without credentials
	User      string
	Password  string            // reaches the child through its environment only
	Locations []string          // folders
	Settings  map[string]string // FLYWAY_* environment variables besides the above
	Args      []string          // further arguments, such as -target=12
	Scripts   int               // how many scripts it will run, on a new database: decides on the compiler
	MemoryMB  int               // what the whole process tree may use; 0: not limited
	TempDir   string            // working directory of its own, where nothing configures it
}

// ErrLocation says that a folder can't be named to Flyway.
var ErrLocation = errors.New("no location for Flyway")

// always are the arguments of every start. The update check would go out to
// the network; the transactional lock would make CREATE INDEX CONCURRENTLY
// wait for Flyway itself; how long to wait for the server was decided before.
var always = []string{
	"-outputType=json",
	"-skipCheckForUpdate",
	"-postgresql.transactional.lock=false",
	"-failOnMissingLocations=true",
	"-connectRetries=0",
}

// Build makes the process without starting it. Its environment is made from
// nothing: variables of this process do not reach Flyway.
func (i Installation) Build(c Command) (*exec.Cmd, error) {
	classpath, err := i.ClassPath()
	if err != nil {
		return nil, err
	}
	locations := make([]string, len(c.Locations))
	for n, folder := range c.Locations {
		abs, err := filepath.Abs(folder)
		if err != nil {
			return nil, err
		}
		// A comma would end the location in Flyway's list, a star would be a pattern.
		if strings.ContainsAny(abs, ",*?") {
			return nil, fmt.Errorf("%w: the path of %s has a comma or a wildcard", ErrLocation, abs)
		}
		locations[n] = "filesystem:" + abs
	}
	args := i.javaOptions(c)
	args = append(args, "-cp", strings.Join(classpath, string(filepath.ListSeparator)), "org.flywaydb.commandline.Main")
	args = append(args, always...)
	args = append(args, "-locations="+strings.Join(locations, ","))
	args = append(args, c.Args...)
	args = append(args, c.Verb)

	user, err := verbatim(c.User)
	if err != nil {
		return nil, fmt.Errorf("the user's name %w", err)
	}
	password, err := verbatim(c.Password)
	if err != nil {
		return nil, fmt.Errorf("the password %w", err)
	}
	cmd := exec.Command(i.Java, args...)
	cmd.Dir = c.TempDir
	cmd.Env = []string{
		"HOME=" + c.TempDir, "TMPDIR=" + c.TempDir, "TZ=UTC", "LC_ALL=C.UTF-8",
		"FLYWAY_URL=" + c.URL, "FLYWAY_USER=" + user, "FLYWAY_PASSWORD=" + password,
	}
	for name, value := range c.Settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	return cmd, nil
}

// ErrChanged says that Flyway would make something else of a user or password.
var ErrChanged = errors.New("has a line break as well as white space at an end or ${…}: Flyway would change it")

// verbatim writes a value so that Flyway takes it as it stands: of a plain one
// it strips white space at the ends, and replaces ${env.NAME} and the like. Its
// way of saying so, !{…}, works within one line only.
func verbatim(value string) (string, error) {
	switch {
	case !strings.ContainsAny(value, "\n\r\u0085\u2028\u2029"):
		return "!{" + value + "}", nil
	case strings.TrimFunc(value, space) != value || strings.Contains(value, "${"):
		return "", ErrChanged
	}
	return value, nil
}

// space is what Java's strip takes away, and perhaps more.
func space(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// oneCPU is the memory, in MB, with which Lambda gives a function one whole
// virtual CPU (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const oneCPU = 1769

// manyScripts is how many scripts a run needs for the optimising compiler to pay
// for itself. It costs CPU time: with one CPU the run waits for it, with two it
// works beside the run, and is worth it sooner. Measured, quick compiler against
// both: with one CPU 600 scripts 3.4 s against 4.3, 1,000 5.7 against 6.0, and
// 2,000 12.7 against 8.5 (CPU time); with two 300 1.8 against 2.1, 600 3.6
// against 3.4, 1,000 5.4 against 4.6.
func manyScripts(memoryMB int) int {
	if memoryMB > 0 && memoryMB <= oneCPU {
		return 1100
	}
	return 500
}

func (i Installation) javaOptions(c Command) []string {
	options := []string{
		collector, "-XX:-UsePerfData", "-XX:+DisplayVMOutputToStderr", "-XX:+ExitOnOutOfMemoryError",
		"-Xshare:auto", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8", "-Djava.io.tmpdir=" + c.TempDir,
		// Flyway reads configuration there, and Java does not take it from HOME.
		"-Duser.home=" + c.TempDir,
	}
	if i.Archive != "" {
		options = append(options, "-XX:SharedArchiveFile="+i.Archive)
	}
	if c.Scripts < manyScripts(c.MemoryMB) {
		options = append(options, "-XX:TieredStopAtLevel=1")
	}
	if c.MemoryMB > 0 {
		// Half: the rest is for Java's own memory and for this program.
		options = append(options, "-Xmx"+strconv.Itoa(max(64, c.MemoryMB/2))+"m")
	}
	return options
}
