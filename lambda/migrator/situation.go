package migrator

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// Rehearsal says whether a run is a rehearsal, so that its report speaks of
// what can be done about the branch, and not of a deployed database.
type Rehearsal int

// The kinds of rehearsal. The zero value is a run that is none.
const (
	NoRehearsal       Rehearsal = iota
	OnCopy                      // on a restored copy
	OnThrowAwayServer           // on a server with nothing in it but what PostgreSQL brings
)

// situation is what is known of an error of PostgreSQL in a script.
type situation struct {
	state      string // SQLSTATE
	message    string // all that PostgreSQL said
	script     string
	role       string
	database   string
	statement  string // at which it failed, placeholders replaced; "" where that is not known
	outside    bool   // the script ran outside a transaction
	atCommit   bool   // it failed at the end of the script's transaction
	ownSetting bool   // the script itself names what ended it
	rehearsal  Rehearsal
	found      string // objects of the name that was not found, in other schemas or spelt otherwise
	owner      string // of the object, quoted
	setting    string // the setting that ended it, and how to lift it
}

// advise returns the next step for the situation, "" where the table has none.
func (s *situation) advise() string {
	row, parts := s.row()
	if row == nil {
		return ""
	}
	values := []string{
		"{script}", s.script, "{conf}", s.script + ".conf", "{role}", quoteName(s.role), "{database}",
		quoteName(s.database),
		"{found}", s.found, "{owner}", s.owner, "{setting}", s.setting,
	}
	for i, part := range parts {
		if i > 0 {
			values = append(values, "{"+string(rune('0'+i))+"}", part)
		}
	}
	return strings.NewReplacer(values...).Replace(row.next)
}

func (s *situation) row() (*advice, []string) {
	for i := range advices {
		a := &advices[i]
		if !strings.HasPrefix(s.state, a.state) || a.when != nil && !a.when(s) {
			continue
		}
		if strings.Contains(a.next, "{setting}") && s.setting == "" {
			continue
		}
		if a.about == "" {
			return a, nil
		}
		if parts := regexp.MustCompile(a.about).FindStringSubmatch(s.message); parts != nil {
			return a, parts
		}
	}
	return nil, nil
}

// ServerLacks reports whether an error of a rehearsal on a throw-away server
// says nothing about the script: the server lacks a role, a right or an
// extension that the database of a deployment may have.
func ServerLacks(sqlState, message string) bool {
	s := situation{state: sqlState, message: message, rehearsal: OnThrowAwayServer}
	row, _ := s.row()
	return row != nil && row.server
}

var plainName = lazyregexp.New(`^[a-z_][a-z0-9_]*$`)

// quoteName writes a name as SQL takes it.
func quoteName(name string) string {
	if plainName().MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// limits are the settings by which a server ends a statement or a session, by SQLSTATE.
var limits = map[string][]string{
	"57014": {"statement_timeout"},
	"25P03": {"idle_in_transaction_session_timeout"},
	"25P04": {"transaction_timeout"},
	"57P05": {"idle_session_timeout"},
	"25006": {"default_transaction_read_only"},
	// The session is gone before the driver has read why.
	"08": {"transaction_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"},
}

// ends are what a script itself can name that ends its statement or session.
var ends = map[string]func() *regexp.Regexp{
	"57014": lazyregexp.New(`(?i)statement_timeout`),
	"25006": lazyregexp.New(`(?i)read\s+only|transaction_read_only`),
	"57P01": lazyregexp.New(`(?i)pg_terminate_backend`),
}

var (
	missing = lazyregexp.New(`(?:relation|table|view|sequence|index|function|procedure|type) "?([^"\s(]+)"?.*does not exist`)
	owning  = lazyregexp.New(`(?:must be owner of|permission denied for) (table|view|materialized view|foreign table|sequence|index|relation|schema|function|procedure|type) (\S+)`)
	forRole = lazyregexp.New(`(?is)\bFOR\s+(?:ROLE|USER)\s+("[^"]+"|\w+)`)
)

// examine asks the database about what the error names. text is the script's.
func (r *run) examine(s *situation, text string) {
	if own := ends[s.state]; own != nil {
		s.ownSetting = own().MatchString(text)
	}
	r.session.AskAtEnd(func(ctx context.Context, c *database.Conn) { s.ask(ctx, c) })
}

// ask asks about the limits, names and owners that the error is of.
func (s *situation) ask(ctx context.Context, c *database.Conn) {
	for state, names := range limits {
		if strings.HasPrefix(s.state, state) && !s.ownSetting {
			s.setting = s.limit(ctx, c, names)
		}
	}
	if m := missing().FindStringSubmatch(s.message); m != nil && strings.HasPrefix(s.state, "42") {
		name := m[1][strings.LastIndexByte(m[1], '.')+1:]
		s.found = strings.Join(c.Namesakes(ctx, name), ", ")
	}
	if m := owning().FindStringSubmatch(s.message); m != nil && s.state == "42501" {
		s.owner = quoteName(c.Owner(ctx, m[1], m[2]))
	} else if m := forRole().FindStringSubmatch(s.statement); m != nil && s.state == "42501" {
		s.owner = m[1]
	}
	if s.owner == `""` || s.owner == quoteName(s.role) {
		s.owner = ""
	}
}

// limit says which of these settings is in force for new sessions of the role, and how to lift it.
func (s *situation) limit(ctx context.Context, c *database.Conn, names []string) string {
	for _, name := range names {
		value, from := c.Setting(ctx, name)
		if value == "" || value == "0" || value == "off" {
			continue
		}
		off, before := "0", ""
		if value == "on" {
			off, before = "off", "SET "+name+" = off; then "
		}
		return fmt.Sprintf("%s is %s (%s): lift it for the migrating role: %sALTER ROLE %s IN DATABASE %s SET %s = %s;",
			name, value, from, before, quoteName(s.role), quoteName(s.database), name, off)
	}
	return ""
}

// scriptText is the text of a script of the release as it runs, and the part
// of it from that line on. "" where the release does not have it.
func (r *run) scriptText(name string, line int) (text, rest string) {
	for _, f := range slices.Concat(r.set.Versioned, r.set.Baselines, r.set.Repeatable, r.set.Callbacks) {
		if f.Script != name {
			continue
		}
		raw, err := f.Text()
		if err != nil {
			return "", ""
		}
		text = string(raw)
		if r.Config.Flyway.Replace && !f.LiteralPlaceholders {
			text, _ = script.Replace(text, r.Config.Flyway.Prefix, r.Config.Flyway.Suffix, r.placeholders())
		}
		break
	}
	return text, fromLine(text, line)
}

// fromLine is the text from that line on, counted from 1.
func fromLine(text string, line int) string {
	for ; line > 1 && text != ""; line-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// isReader reports whether the server takes no changes, or can't be asked any more.
func isReader(s *session.Session) bool {
	reader := true
	if s.Well() {
		s.AskAtEnd(func(ctx context.Context, c *database.Conn) { reader = c.InRecovery(ctx) })
	}
	return reader
}
