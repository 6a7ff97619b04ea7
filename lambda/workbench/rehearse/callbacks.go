package rehearse

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
)

// The callbacks report by NOTIFY, one JSON object a message. They create
// nothing in the database. Times are microseconds since 1970 by the server's
// clock. now() is when a transaction began: it is the same in both callbacks
// only when the script ran in one transaction with them. Of another script, all
// tables' files and row counters are reported; what it locked is free by then.
//
// The script runs in the same session and may want to look better than it is.
// So channel, messages and settings carry words that it can't know, the search
// path is pinned while a callback runs, and whether the script ran in one
// transaction is decided from the messages, not by a setting that it can reset.

// secrets are the words of one rehearsal.
type secrets struct{ channel, nonce, setting string }

func newSecrets() secrets {
	word := func() string { return strings.ToLower(rand.Text()) }
	return secrets{"slipway_rehearsal_" + word(), word(), "slipway_" + word()}
}

const (
	// DO is one statement, so that it holds outside a transaction as well.
	pin = `DO $slipway$ DECLARE path pg_catalog.text := pg_catalog.current_setting('search_path'); BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);`
	unpin  = "\tPERFORM set_config('search_path', path, true);\nEND $slipway$;"
	micros = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	begun  = `(extract(epoch FROM now()) * 1000000)::bigint`
)

const atBegin = `@pin
	PERFORM set_config('@setting.began', @begun::text, false);
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'begin', 'at', @micros, 'xact', @begun, 'pid', pg_backend_pid())::text);
@unpin
`

// atEnd is the callback behind each script. What the script deferred to its
// COMMIT happens first, so that it is measured too; where it fails, it is left
// to the COMMIT, whose error names what failed.
const atEnd = `DO $slipway$ BEGIN SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN OTHERS THEN NULL; END $slipway$;
@pin
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'end', 'at', @micros, 'xact', @begun, 'pid', pg_backend_pid())::text);
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'lock', 'oid', l.relation::bigint, 'mode', l.mode,
		'node', pg_relation_filenode(l.relation)::bigint, 'size', CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END)::text)
	FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
	WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'm', 'v', 'f'));
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'rows', 'oid', relid::bigint,
		'name', schemaname || '.' || relname, 'ins', n_tup_ins, 'upd', n_tup_upd, 'del', n_tup_del)::text)
	FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0;
@unpin
@flush@pin
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'count', 'oid', s.relid::bigint,
		'name', schemaname || '.' || relname, 'node', pg_relation_filenode(s.relid)::bigint, 'size', pg_relation_size(s.relid),
		'ins', s.n_tup_ins, 'upd', s.n_tup_upd, 'del', s.n_tup_del)::text)
	FROM pg_stat_user_tables s WHERE current_setting('@setting.began', true) IS DISTINCT FROM @begun::text;
	PERFORM pg_notify('@channel', json_build_object('nonce', '@nonce', 'k', 'done', 'at', @micros, 'pid', pg_backend_pid())::text);
@unpin
`

// flushCounters has the session write its counters out at once; servers before
// PostgreSQL 15 can't, and count late.
const flushCounters = "SELECT pg_catalog.pg_stat_force_next_flush();\n"

// callback is the ending of the callbacks' names. The description puts them
// behind callbacks of the release.
const callback = "__zz_slipway_rehearsal.sql"

// ownCallback reports whether a run names a callback of the rehearsal as the
// script that failed.
func ownCallback(script string) bool { return strings.HasSuffix(script, callback) }

// writeCallbacks lays out the callbacks for a server of that version, such as 170005.
func writeCallbacks(folder string, version int, s secrets) error {
	flush := ""
	if version >= 150000 {
		flush = flushCounters
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	words := strings.NewReplacer("@pin", pin, "@unpin", unpin, "@micros", micros, "@begun", begun, "@flush", flush,
		"@channel", s.channel, "@nonce", s.nonce, "@setting", s.setting)
	for name, sql := range map[string]string{"beforeEachMigrate": atBegin, "afterEachMigrate": atEnd} {
		path := filepath.Join(folder, name+callback)
		if err := os.WriteFile(path, []byte(words.Replace(sql)), 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(path+".conf", []byte("placeholderReplacement=false\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
