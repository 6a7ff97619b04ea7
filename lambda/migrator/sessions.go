package migrator

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/history"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// Clean sessions: all scripts of a start of Flyway run in one session, and each
// finds it as it would be if the script were the first. Flyway itself restores
// the role and the search path only. The transactional scripts, and only they,
// have a lock_timeout: with one set, CREATE INDEX CONCURRENTLY would die on any
// older snapshot and leave an invalid index.

// cleanSessions writes the callbacks that do it, and adds the settings of the
// first script to those of the session.
func (r *run) cleanSessions(settings map[string]string) error {
	if err := r.stage(); err != nil {
		return err
	}
	limit := r.Config.LockTimeout.Milliseconds()
	if pending := r.plan.Pending; limit > 0 && (len(pending) == 0 || !pending[0].NoTransaction) {
		settings["lock_timeout"] = fmt.Sprint(limit)
	}
	values, err := r.sessionValues(limit)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(r.staging.root, "slipway-")
	if err != nil {
		return fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
	}
	config, err := script.Encode(r.Config.Encoding, "placeholderReplacement=false\nencoding=UTF-8\n")
	if err != nil {
		return err
	}
	for event, sql := range map[string]string{"afterConnect": afterConnectSQL, "afterEachMigrate": afterEachSQL} {
		file := filepath.Join(folder, lastCallback(event, r.set.Callbacks))
		if err := writeNew(file, []byte(values.Replace(sql))); err != nil {
			return err
		}
		if err := writeNew(file+".conf", config); err != nil {
			return err
		}
	}
	r.staging.own = folder
	return nil
}

// lastCallback is the name of a callback that Flyway calls after all others of
// the event: it sorts them by description.
func lastCallback(event string, others []script.File) string {
	last, stem := []uint16{}, event+"__"
	for _, f := range others {
		units := utf16.Encode([]rune(f.Description)) // as Java compares
		if f.Event == event && slices.Compare(units, last) > 0 {
			last, stem = units, strings.TrimSuffix(path.Base(f.Script), ".sql")
		}
	}
	return stem + "~slipway.sql"
}

// sessionValues fills in the callbacks' SQL.
func (r *run) sessionValues(limit int64) (*strings.Replacer, error) {
	var outside []string
	adopted := 0 // how many of the pending scripts a baseline at the configured version would stand for
	baseline, _ := script.ParseVersion(r.Config.Baseline)
	for i, f := range r.plan.Pending {
		if f.NoTransaction {
			outside = append(outside, fmt.Sprint(i))
		}
		if f.Kind == script.Versioned && f.Version.Compare(baseline) <= 0 {
			adopted++
		}
	}
	ofCallbacks, err := customSettings(r.set.Callbacks)
	if err != nil {
		return nil, err
	}
	ofScripts, err := customSettings(r.plan.Pending)
	if err != nil {
		return nil, err
	}
	tag := "slipway_" + r.report.RunID
	return strings.NewReplacer(
		"@tag", tag, "@state", tag, "@channel", tag,
		"@history", r.session.Table.String(), "@rank", fmt.Sprint(history.LastRank(r.rows)),
		"@outside", "'{"+strings.Join(outside, ",")+"}'::int8[]", "@limit", fmt.Sprint(limit), "@adopted",
		fmt.Sprint(adopted),
		"@callbackCustom", textArray(ofCallbacks), "@custom", textArray(ofScripts),
		"@lock", fmt.Sprint(database.FlywayLock(r.session.Table)), "@application", r.session.Application(),
	), nil
}

func textArray(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return "ARRAY[" + strings.Join(quoted, ", ") + "]::text[]"
}

var setsCustom = lazyregexp.New(
	`(?i)\bSET\s+(?:SESSION\s+|LOCAL\s+)?((?:"?[a-z_][\w$]*"?\.)+"?[a-z_][\w$]*"?)\s*(?:=|TO\b)|\bset_config\s*\(\s*E?'([^']+\.[^']+)'`)

// customSettings are the names with a dot that scripts may set. No catalog
// lists them.
func customSettings(files []script.File) ([]string, error) {
	var names []string
	for _, f := range files {
		text, err := f.Text()
		if err != nil {
			return nil, notAsRead(f, err)
		}
		for _, m := range setsCustom().FindAllStringSubmatch(string(text), -1) {
			name := strings.ToLower(strings.ReplaceAll(cmp.Or(m[1], m[2]), `"`, ""))
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// leftBehind is what a callback tells of one script.
type leftBehind struct {
	Rank   int      `json:"rank"`   // of the history's last row when Flyway was started
	Script int      `json:"script"` // how many scripts it had applied since
	Left   []string `json:"left"`
}

// listen has the own session hear what scripts leave behind.
func (r *run) listen(ctx context.Context) error {
	_, err := session.Ask(r.session, func(c *database.Conn) (bool, error) {
		return true, c.Listen(ctx, "slipway_"+r.report.RunID)
	})
	return err
}

// warnOfSessions puts what scripts left behind into the report. The history has
// been read since, so that what was told has arrived.
func (r *run) warnOfSessions() {
	told, _ := session.Ask(r.session, func(c *database.Conn) ([]string, error) { return c.Heard(), nil })
	for _, payload := range told {
		var told leftBehind
		if json.Unmarshal([]byte(payload), &told) != nil {
			continue
		}
		var rows []history.Row
		for _, row := range r.rows {
			if row.Rank > told.Rank && !slices.Contains([]string{history.Baseline, history.Schema, history.Delete},
				row.Type) {
				rows = append(rows, row)
			}
		}
		if told.Script < 0 || told.Script >= len(rows) {
			continue
		}
		name := rows[told.Script].Script
		if left := r.notMeant(name, told.Left); len(left) > 0 {
			r.warn("%s ended with its session changed (%s): it was set back, so that the next script starts as in a "+
				"new session", name, strings.Join(left, ", "))
		}
	}
}

// notMeant leaves out what ends with the transaction anyway, and what a
// callback of the release sets before or after each script.
func (r *run) notMeant(name string, left []string) []string {
	text := ""
	callbacks := ""
	for _, f := range slices.Concat(r.set.Versioned, r.set.Baselines, r.set.Repeatable, r.set.Callbacks) {
		raw, err := f.Text()
		switch {
		case err != nil:
		case f.Kind == script.Callback && strings.Contains(f.Event, "EachMigrate"):
			callbacks += string(raw) + "\n"
		case f.Script == name && f.Kind != script.Callback:
			text = string(raw)
		}
	}
	return slices.DeleteFunc(slices.Clone(left), func(what string) bool {
		words := strings.Fields(what)
		word := regexp.QuoteMeta(words[len(words)-1])
		matches := func(pattern, text string) bool {
			ok, _ := regexp.MatchString(`(?is)`+strings.ReplaceAll(pattern, "NAME", word), text)
			return ok
		}
		local := matches(`\bSET\s+LOCAL\s+"?NAME\b|\bset_config\s*\(\s*'NAME'\s*,[^;]*\btrue\s*\)`, text)
		lasting := matches(`\bSET\s+(SESSION\s+)?"?NAME\b|\bset_config\s*\(\s*'NAME'\s*,[^;]*\bfalse\s*\)`, text)
		temporary := strings.HasPrefix(what, "temporary table ") &&
			matches(`\bTEMP(ORARY)?\b[^;]*\bNAME\b[^;]*\bON\s+COMMIT\s+DROP\b`, text)
		return local && !lasting || temporary || matches(`\bNAME\b`, callbacks)
	})
}
