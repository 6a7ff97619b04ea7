package migrator

// The two callbacks of clean sessions. Both run in the session of the scripts,
// in the state that others left it in, so each name of theirs is qualified until
// the search path is pinned. They need no right that not everybody has.
//
// There is none before a script: it would come after BEGIN, where it is too late
// for default_transaction_read_only, and would make a script's own
// SET TRANSACTION fail, which has to come first.

// afterConnectSQL keeps how the session is before the first script, with what
// an afterConnect of the release has set. A prepared statement holds it, for
// RESET ALL takes settings away. Settings with a dot are in no catalog.
const afterConnectSQL = `DO $@tag$
DECLARE
	path pg_catalog.text := pg_catalog.current_setting('search_path');
	state pg_catalog.jsonb;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
	SELECT jsonb_build_object(
		'user', current_user, 'path', path,
		'settings', (SELECT coalesce(jsonb_object_agg(name, setting), '{}') FROM pg_settings
			WHERE source = 'session' AND name NOT IN ('search_path', 'application_name')),
		'custom', (SELECT coalesce(jsonb_object_agg(name, current_setting(name, true)), '{}') FROM unnest(@callbackCustom) AS name
			WHERE current_setting(name, true) IS NOT NULL))
		INTO state;
	EXECUTE format('PREPARE @state AS SELECT %L::pg_catalog.text', state);
	PERFORM set_config('search_path', path, false);
END
$@tag$;
`

// afterEachSQL takes back what a script did to the session, tells it, and limits
// the waits for locks of the next script. Deferred constraints come first, for
// they are the script's, with its role and its path.
// The callback itself must not fall to a statement_timeout that the script left.
const afterEachSQL = `SELECT pg_catalog.set_config('slipway.statement_timeout', s.setting, false)
FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout';
RESET statement_timeout;
DO $@tag$
DECLARE
	path pg_catalog.text := pg_catalog.current_setting('search_path');
	path_set pg_catalog.bool := (SELECT s.source OPERATOR(pg_catalog.=) 'session' FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) 'search_path');
	limit_left pg_catalog.text := pg_catalog.current_setting('slipway.statement_timeout', true);
	by_now pg_catalog.text := current_user;
	logged_in pg_catalog.text := session_user;
	state pg_catalog.jsonb;
	done pg_catalog.int8;
	at pg_catalog.int8; -- which of the pending scripts this is
	adopted pg_catalog.bool;
	behind pg_catalog.text[] := '{}';
	released pg_catalog.bool;
	r pg_catalog.record;
BEGIN
	BEGIN
		SET CONSTRAINTS ALL IMMEDIATE;
	EXCEPTION WHEN OTHERS THEN
		RETURN; -- it fails again at the commit, which says so better
	END;
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
	IF EXISTS (SELECT FROM pg_prepared_statements WHERE name = '@state' AND from_sql) THEN
		EXECUTE 'EXECUTE @state' INTO state;
	END IF;
	RESET SESSION AUTHORIZATION;
	RESET ROLE;
	SELECT count(*) FILTER (WHERE type NOT IN ('BASELINE', 'SCHEMA', 'DELETE')), coalesce(bool_or(type = 'BASELINE'), false)
		INTO done, adopted FROM @history WHERE installed_rank > @rank;
	at := done + CASE WHEN adopted THEN @adopted ELSE 0 END;

	behind := behind || ARRAY(SELECT 'setting ' || name FROM pg_settings WHERE source = 'session'
		AND name NOT IN ('search_path', 'statement_timeout', 'application_name', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
		AND setting IS DISTINCT FROM coalesce(state->'settings'->>name, CASE WHEN name = 'lock_timeout' THEN CASE WHEN at = ANY (@outside) THEN '0' ELSE '@limit' END END)
		ORDER BY name);
	IF limit_left <> coalesce(state->'settings'->>'statement_timeout', (SELECT reset_val FROM pg_settings WHERE name = 'statement_timeout')) THEN
		behind := behind || 'setting statement_timeout'::text;
	END IF;
	IF path_set AND path IS DISTINCT FROM state->>'path' THEN
		behind := behind || 'setting search_path'::text;
	END IF;
	behind := behind || ARRAY(SELECT 'setting ' || name FROM unnest(@custom) AS name
		WHERE nullif(current_setting(name, true), '') IS DISTINCT FROM nullif(state->'custom'->>name, '') ORDER BY name);
	IF logged_in <> session_user THEN
		behind := behind || 'session authorization'::text;
	ELSIF by_now <> coalesce(state->>'user', session_user::text) THEN
		behind := behind || 'role'::text;
	END IF;
	behind := behind || ARRAY(SELECT 'temporary table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'p', 'v') ORDER BY relname);
	behind := behind || ARRAY(SELECT 'listen ' || c FROM pg_listening_channels() AS c ORDER BY c);

	SET client_min_messages = error;
	FOR r IN SELECT DISTINCT classid::bigint AS high, objid::bigint AS low, objsubid FROM pg_locks
		WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted LOOP
		released := false;
		IF r.objsubid = 1 AND (r.high << 32) | r.low <> @lock THEN
			r.low := (r.high << 32) | r.low;
			WHILE pg_advisory_unlock(r.low) OR pg_advisory_unlock_shared(r.low) LOOP
				released := true;
			END LOOP;
		ELSIF r.objsubid = 2 THEN
			r.high := r.high - CASE WHEN r.high > 2147483647 THEN 4294967296 ELSE 0 END;
			r.low := r.low - CASE WHEN r.low > 2147483647 THEN 4294967296 ELSE 0 END;
			WHILE pg_advisory_unlock(r.high::int, r.low::int) OR pg_advisory_unlock_shared(r.high::int, r.low::int) LOOP
				released := true;
			END LOOP;
		END IF;
		IF released THEN
			behind := behind || 'advisory lock'::text;
		END IF;
	END LOOP;
	IF NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
		AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = @lock) THEN
		PERFORM pg_try_advisory_lock(@lock);
		behind := behind || 'Flyway''s own lock'::text;
	END IF;
	FOR r IN SELECT name FROM pg_cursors WHERE is_holdable LOOP
		EXECUTE format('CLOSE %I', r.name);
		behind := behind || ('cursor ' || r.name);
	END LOOP;
	FOR r IN SELECT name FROM pg_prepared_statements WHERE from_sql AND name <> '@state' LOOP
		EXECUTE format('DEALLOCATE %I', r.name);
		behind := behind || ('prepared statement ' || r.name);
	END LOOP;
	UNLISTEN *;
	IF pg_my_temp_schema() <> 0 THEN
		DISCARD TEMP;
	END IF;
	IF behind <> '{}' THEN
		PERFORM pg_notify('@channel', json_build_object('rank', @rank, 'script', done, 'left', behind[1:50])::text);
	END IF;

	RESET ALL;
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
	PERFORM set_config(key, value, false) FROM jsonb_each_text(coalesce(state->'settings', '{}') || coalesce(state->'custom', '{}'));
	IF state->'settings'->>'lock_timeout' IS NULL AND @limit > 0 THEN
		PERFORM set_config('lock_timeout', CASE WHEN at + 1 = ANY (@outside) THEN '0' ELSE '@limit' END, false);
	END IF;
	PERFORM set_config('application_name', '@application', false);
	PERFORM set_config('search_path', coalesce(state->>'path', current_setting('search_path')), false);
END
$@tag$;
`
