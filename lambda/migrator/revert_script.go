package migrator

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/judge"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// step is one version to undo.
type step struct {
	row    history.Row
	undo   script.File
	text   string // the undo script as it runs, placeholders replaced
	lines  *sqltext.Lines
	pieces []piece
	// outside: the script can't run in a transaction, so its statements run one by one.
	outside bool
}

// piece is a part of a script that is sent at once; at is where in the text it begins.
type piece struct {
	database.Piece
	at int
}

var (
	plainBegin  = lazyregexp.New(`^(BEGIN( WORK| TRANSACTION)?|START TRANSACTION)$`)
	plainCommit = lazyregexp.New(`^(COMMIT|END)( WORK| TRANSACTION)?$`)
)

// prepare reads the undo script of a step and cuts it into what is sent. It
// returns what keeps it from being run.
func (r *run) prepare(s *step) ([]report.Problem, error) {
	raw, err := s.undo.Text()
	if err != nil {
		return nil, notAsRead(s.undo, err)
	}
	var problems []report.Problem
	fail := func(line int, format string, args ...any) {
		problems = append(problems, report.Problem{Script: s.undo.Script, Version: *s.row.Version, Line: line,
			Reason: fmt.Sprintf(format, args...)})
	}
	s.text = strings.TrimPrefix(string(raw), "\ufeff")
	if c := r.Config.Flyway; c.Replace && !s.undo.LiteralPlaceholders {
		var unknown []script.Placeholder
		s.text, unknown = script.Replace(s.text, c.Prefix, c.Suffix, r.undoPlaceholders(s.undo))
		for _, u := range unknown {
			if u.Name == "" {
				fail(u.Line, "a placeholder begins with %s and does not end", c.Prefix)
			} else {
				fail(u.Line, "the placeholder %s%s%s has no value", c.Prefix, u.Name, c.Suffix)
			}
		}
	}
	for _, finding := range judge.Script(s.undo, s.text, judge.Database{}) {
		fail(finding.Line, "%s: %s", finding.Reason, finding.Next)
	}
	s.lines = sqltext.NewLines(s.text)
	statements := sqltext.Split(s.text)
	if len(statements) == 0 {
		r.warn("%s holds no statement: version %s counts as reverted, and what it did stays", s.undo.Script,
			*s.row.Version)
	}
	outside := 0
	for _, st := range statements {
		if st.OutsideTransaction() {
			outside++
		}
	}
	s.outside = s.undo.Outside || outside > 0
	open := 0 // the line of a BEGIN that waits for its COMMIT
	for _, st := range statements {
		line := s.lines.Of(st.Start)
		switch head := st.Head; {
		case !s.undo.Outside && outside > 0 && !st.OutsideTransaction():
			fail(line, "can't run in one transaction with the rest of the script, some of which can't run in a "+
				"transaction at all: leave CONCURRENTLY out (a revert waits for a table lock no longer than "+
				"SLIPWAY_LOCK_TIMEOUT), or put executeInTransaction=false into %s.conf", path.Base(s.undo.Script))
		case !st.ControlsTransaction():
			s.add(st)
		case !s.outside && open == 0 && plainBegin().MatchString(head):
			open = line
		case !s.outside && open > 0 && plainCommit().MatchString(head):
			open = 0
		default:
			fail(line, "%s: an undo script runs in one transaction, together with its entry in the history, so it "+
				"can't end or begin one", head)
		}
	}
	if open > 0 {
		fail(open, "BEGIN without a COMMIT: an undo script runs in one transaction, so both can be left out")
	}
	return problems, nil
}

// add puts a statement into the pieces. Those that run in the transaction go
// together: PostgreSQL's own parser then tells them apart. COPY data goes
// alone. A BEGIN and COMMIT of the script itself is left out, for the
// transaction of the revert takes its place.
func (s *step) add(st sqltext.Statement) {
	p := piece{database.Piece{SQL: s.text[st.Start:st.End], Starts: []int{0}}, st.Start}
	if st.Copies() {
		p.Data = &st.Data
		s.pieces = append(s.pieces, p)
		return
	}
	n := len(s.pieces) - 1
	if n < 0 || s.outside || s.pieces[n].Data != nil || !onlySpace(s.text[s.pieces[n].end():st.Start]) {
		s.pieces = append(s.pieces, p)
		return
	}
	last := &s.pieces[n]
	last.Starts = append(last.Starts, st.Start-last.at)
	last.SQL = s.text[last.at:st.End]
}

// placeOf is where in the step's text an error of the piece is.
func (p piece) placeOf(e *database.PieceError) *place {
	found := place{p.at, p.at + e.At, p.end(), false}
	for _, start := range p.Starts {
		if start > e.At {
			found.end = p.at + start
			break
		}
		found.start = p.at + start
	}
	var pg *pgconn.PgError
	found.exact = errors.As(e, &pg) && pg.Position > 0
	return &found
}

func (p piece) end() int { return p.at + len(p.SQL) }

// onlySpace reports whether no statement stands there, only the semicolon of
// the one before and comments.
func onlySpace(between string) bool { return sqltext.Blank(between) }

// undoPlaceholders are the values for a script: the configured ones, and
// Flyway's own as far as they can be known outside Flyway.
func (r *run) undoPlaceholders(f script.File) map[string]string {
	values := maps.Clone(r.placeholders())
	maps.Copy(values, map[string]string{
		"flyway:defaultschema": r.session.Table.Schema,
		"flyway:user":          r.session.Target().User,
		"flyway:database":      r.session.Target().Name,
		"flyway:timestamp":     time.Now().UTC().Format(time.DateTime),
		"flyway:filename":      path.Base(f.Script),
		"flyway:table":         r.session.Table.Name,
		"flyway:environment":   "default",
	})
	return values
}
