package migrator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// row is one row of a history that is made up.
type row struct {
	version     string // "" for a repeatable one
	description string
	kind        string // SQL, BASELINE, DELETE, SCHEMA
	text        string // what its script held
	failed      bool
}

// world is a release, a history, and settings.
type world struct {
	files        map[string]string
	rows         []row
	outOfOrder   bool
	placeholders map[string]string
	carryOut     bool // what is pending, with Flyway
}

func sql(version, description, text string) row { return row{version, description, "SQL", text, false} }
func failed(version, description, text string) row {
	return row{version, description, "SQL", text, true}
}
func deleted(version, description, text string) row {
	return row{version, description, "DELETE", text, false}
}
func squashed(version, description, text string) row {
	return row{version, description, "SQL_BASELINE", text, false}
}
func baseline(version string) row {
	return row{version, "<< Flyway Baseline >>", "BASELINE", "", false}
}

// applied are rows of type SQL for V1__a.sql, V2__a.sql, … with the text SELECT 1;.
func applied(versions ...string) []row {
	var rows []row
	for _, v := range versions {
		rows = append(rows, sql(v, "a", "SELECT 1;"))
	}
	return rows
}

func release(versions ...string) map[string]string {
	files := map[string]string{}
	for _, v := range versions {
		files["V"+v+"__a.sql"] = "SELECT 1;"
	}
	return files
}

// with adds files to a release, or takes them away where the text is "-".
func with(files map[string]string, more ...string) map[string]string {
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
		if more[i+1] == "-" {
			delete(files, more[i])
		}
	}
	return files
}

const historyTable = `CREATE TABLE flyway_schema_history (
	installed_rank int NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL,
	script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
	CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success);`

// insert makes the statements that write the history as Flyway would have.
func (w world) insert() string {
	if w.rows == nil {
		return "SELECT 1"
	}
	var b strings.Builder
	b.WriteString(historyTable)
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	for i, r := range w.rows {
		version, name, checksum := "NULL", "R__"+strings.ReplaceAll(r.description, " ", "_")+".sql",
			fmt.Sprint(script.Checksum([]byte(r.text)))
		if r.version != "" {
			version, name = quote(r.version), map[bool]string{true: "B", false: "V"}[r.kind == "SQL_BASELINE"]+
				r.version+"__"+strings.ReplaceAll(r.description, " ", "_")+".sql"
		}
		rank := i + 1
		if r.kind == "BASELINE" || r.kind == "SCHEMA" {
			name, checksum = r.description, "NULL"
		}
		if w.rows[0].kind == "SCHEMA" {
			rank = i
		}
		fmt.Fprintf(&b, "INSERT INTO flyway_schema_history VALUES (%d, %s, %s, '%s', %s, %s, 'tester', now(), 1, "+
			"%t);\n",
			rank, version, quote(r.description), r.kind, quote(name), checksum, !r.failed)
	}
	return b.String()
}

// pool are databases for worlds: making one costs more than a world does.
func pool(t *testing.T) chan string {
	t.Helper()
	urls := make(chan string, 4)
	for range cap(urls) {
		urls <- pgtest.NewDatabase(t)
	}
	return urls
}

// yard puts the world into a database of the pool and a folder.
func (w world) yard(t *testing.T, pool chan string) *yard {
	t.Helper()
	folder := t.TempDir()
	y := &yard{T: t, url: <-pool, folder: folder, log: &bytes.Buffer{}, config: configOf(folder)}
	t.Cleanup(func() { pool <- y.url })
	y.exec("DROP TABLE IF EXISTS flyway_schema_history")
	for name, text := range w.files {
		if dir, _, ok := strings.Cut(name, "/"); ok {
			if err := os.MkdirAll(y.folder+"/"+dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		y.write(name, text)
	}
	y.exec(w.insert())
	y.config.Flyway.OutOfOrder = w.outOfOrder
	if w.outOfOrder {
		y.config.Flyway.Environment["FLYWAY_OUT_OF_ORDER"] = "true"
	}
	y.config.Flyway.Placeholders = w.placeholders
	return y
}

// opinion is what Flyway says of a database: its info, and what validate finds.
type opinion struct {
	states  []string          // version or description, state
	invalid map[string]string // version or description → message
	valid   bool
}

// ask has Flyway say it, in one start of its command line.
func (y *yard) ask() opinion {
	y.Helper()
	i, err := installation()
	if err != nil {
		y.Fatal(err)
	}
	u, _ := url.Parse(y.url)
	password, _ := u.User.Password()
	settings := map[string]string{"FLYWAY_PLACEHOLDERS_PORT": u.Port(), "FLYWAY_PLACEHOLDERS_DSN": y.dsn()}
	for name, value := range y.config.Flyway.Environment {
		settings[name] = value
	}
	for name, value := range y.config.Flyway.Placeholders {
		settings["FLYWAY_PLACEHOLDERS_"+strings.ToUpper(name)] = value
	}
	cmd, err := i.Build(flyway.Command{
		Verb: "validate", Args: []string{"info"}, URL: "jdbc:postgresql://" + u.Host + u.Path + "?sslmode=disable",
		User: u.User.Username(), Password: password, Locations: y.config.Locations, Settings: settings,
		TempDir: y.TempDir(),
	})
	if err != nil {
		y.Fatal(err)
	}
	out, err := cmd.Output()
	var answer struct {
		IndividualResults []struct {
			Operation  string             `json:"operation"`
			Migrations []flyway.Migration `json:"migrations"`
			Valid      *bool              `json:"validationSuccessful"`
			Invalid    []flyway.Invalid   `json:"invalidMigrations"`
		} `json:"individualResults"`
	}
	if json.Unmarshal(out, &answer) != nil || len(answer.IndividualResults) != 2 {
		y.Fatalf("flyway info validate: %v\n%s", err, out)
	}
	o := opinion{invalid: map[string]string{}}
	for _, m := range answer.IndividualResults[0].Migrations {
		o.states = append(o.states, key(m.Version, m.Description)+" "+m.State)
	}
	o.valid = *answer.IndividualResults[1].Valid
	for _, bad := range answer.IndividualResults[1].Invalid {
		o.invalid[key(bad.Version, bad.Description)] = bad.ErrorDetails.ErrorMessage
	}
	return o
}

func (y *yard) dsn() string {
	u, _ := url.Parse(y.url)
	return fmt.Sprintf("%s port=%s dbname=%s user=%s", u.Hostname(), u.Port(), strings.TrimPrefix(u.Path, "/"),
		u.User.Username())
}

func key(version, description string) string {
	if version == "" {
		return "R " + description
	}
	return version
}

// refusesMigrate reports whether Flyway's migrate would stop at its validation:
// at everything that validate finds but what is only to be applied.
func (o opinion) refusesMigrate() bool {
	for _, message := range o.invalid {
		if !strings.Contains(message, "un migrate") { // run, Run
			return true
		}
	}
	return false
}

// throughSlipway are the worlds in which settings, files or callbacks have a part that Slipway hands to Flyway's
// command line. What is pending there is applied by a run of Slipway's, elsewhere by the core.
var throughSlipway = regexp.MustCompile(
	"allowed|placeholder|no_history|callback|transactional|subfolder|_on$|JDBC_known")

// agree holds Slipway against Flyway: info, validate, and whether migrate
// goes. What is pending is applied only where the world says so.
func (y *yard) agree(w world) {
	y.Helper()
	var c *core
	if !y.forTheCommandLine() {
		c = y.sameCore()
	}
	var theirs opinion
	if c == nil {
		theirs = y.ask()
	} else {
		theirs = c.opinion(y)
	}

	info := y.ok(migrator.Request{Command: "info"})
	var ours []string
	for _, s := range info.Scripts {
		ours = append(ours, key(s.Version, s.Description)+" "+s.State)
	}
	if !slices.Equal(ours, theirs.states) {
		y.Errorf("info:\nSlipway %q\nFlyway  %q\n%+v", ours, theirs.states, w)
	}
	validated := y.run(y.Context(), migrator.Request{Command: "validate"})
	stricter := ahead(info) || slices.ContainsFunc(validated.Problems, replaced)
	if validated.OK() != theirs.valid && !stricter {
		y.Errorf("validate: Slipway %s (%s %v), Flyway %t %v\n%+v", validated.Code, validated.Message,
			validated.Problems, theirs.valid, theirs.invalid, w)
	}
	if validated.Code == report.ValidationFailed {
		for _, p := range validated.Problems {
			found := replaced(p)
			for name := range theirs.invalid {
				found = found || name == p.Version || p.Version == "" && strings.HasPrefix(name, "R ")
			}
			if !found {
				y.Errorf("validate: Slipway finds %s, Flyway only %v\n%+v", p, theirs.invalid, w)
			}
		}
	}

	if pending := len(info.Pending); pending > 0 && !theirs.refusesMigrate() {
		if !w.carryOut {
			return
		}
		if c != nil && !stricter && !throughSlipway.MatchString(y.Name()) {
			y.equal("pending scripts that Flyway's core applied", c.ask(y.T, y.settings(), "migrate")[0],
				fmt.Sprint(pending))
			y.equal("left", scripts(y.ok(migrator.Request{Command: "info"}).Pending), "")
			return
		}
	}
	migrated := y.run(y.Context(), migrator.Request{Command: "migrate"})
	switch refused := migrated.Code == report.ValidationFailed || migrated.Code == report.PreviousFailed; {
	case theirs.refusesMigrate() && !refused:
		y.Errorf("migrate: Slipway %s, and Flyway would refuse it for %v\n%+v", migrated.Code, theirs.invalid, w)
	case !migrated.OK() && !refused:
		y.Errorf("migrate: %s %s %s\n%+v", migrated.Code, migrated.Message, migrated.Script, w)
	case migrated.OK() && len(migrated.Warnings) == 0 &&
		(len(migrated.Applied) != len(info.Pending) || len(migrated.Pending) > 0):
		y.Errorf("migrate: applied %v, pending were %v\n%+v", migrated.Applied, info.Pending, w)
	// a failed script that the release lacks counts as well
	case refused && !theirs.refusesMigrate() && !ahead(info) && !slices.ContainsFunc(migrated.Problems, replaced):
		y.Errorf("migrate: Slipway %s (%s %v), Flyway would go on: %v\n%+v", migrated.Code, migrated.Message,
			migrated.Problems, theirs.invalid, w)
	}
}

// ahead reports whether the history has what is newer than the release, where
// Slipway is stricter than Flyway.
func ahead(info *report.Report) bool {
	return slices.ContainsFunc(info.Scripts, func(s report.Script) bool { return strings.Contains(s.State, "Future") })
}

// replaced reports whether the problem is that a B script stands for scripts
// that the database lacks, where Slipway is stricter than Flyway, too.
func replaced(p report.Problem) bool {
	return strings.Contains(p.Reason, "it runs on new databases only")
}
