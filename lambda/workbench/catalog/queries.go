package catalog

// with are the schemas that count, and the relations in them.
const with = `WITH mine AS (
	SELECT oid, nspname, quote_ident(nspname) AS schema, nspowner, nspacl FROM pg_namespace
	WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
), outside AS ( -- what extensions brought
	SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rel AS (
	SELECT c.*, n.schema, n.schema || '.' || quote_ident(c.relname) AS name
	FROM pg_class c JOIN mine n ON n.oid = c.relnamespace
	WHERE c.relname <> ALL (coalesce($1::text[], '{}')) AND n.nspname || '.' || c.relname <> ALL (coalesce($1::text[], '{}'))
	AND NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid)
), settings AS (SELECT $2::boolean AS ordered)
`

// queries answer one column of text each. Names of constraints and indexes
// count, as scripts use them; those that PostgreSQL makes for NOT NULL do not,
// for it made none before version 18.
var queries = []string{
	// schemas
	`SELECT 'schema ' || schema || coalesce(' privileges ' || nspacl::text, '') FROM mine`,
	// extensions
	`SELECT 'extension ' || quote_ident(extname) || ' ' || extversion || ' in ' || n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'`,
	// tables, views, sequences
	`SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' END
		|| ' ' || name || CASE relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END
		|| coalesce(' with ' || array_to_string(reloptions, ', '), '')
		|| CASE WHEN relrowsecurity THEN ' row security' ELSE '' END || CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END
		|| CASE WHEN relreplident <> 'd' AND relkind IN ('r', 'p') THEN ' replica identity ' || relreplident::text ELSE '' END
		|| coalesce(' partition by ' || pg_get_partkeydef(oid), '') || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
		|| coalesce((SELECT ' inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rel.oid), '')
		|| coalesce(' tablespace ' || (SELECT spcname FROM pg_tablespace t WHERE t.oid = reltablespace), '')
		|| CASE WHEN relkind IN ('v', 'm') THEN ' as ' || pg_get_viewdef(oid) ELSE '' END
	FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f')`,
	`SELECT 'sequence ' || name || format(' %s start %s min %s max %s by %s%s', format_type(s.seqtypid, NULL), seqstart, seqmin, seqmax, seqincrement, CASE WHEN seqcycle THEN ' cycle' ELSE '' END)
		|| coalesce((SELECT ' owned by ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
			WHERE d.classid = 'pg_class'::regclass AND d.objid = rel.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0), '')
	FROM rel JOIN pg_sequence s ON seqrelid = oid`,
	// columns
	`SELECT 'column ' || name || '.' || quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
		|| CASE WHEN ordered THEN ' #' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum) ELSE '' END
		|| CASE WHEN attnotnull THEN ' not null' ELSE '' END
		|| CASE WHEN attidentity <> '' THEN ' identity ' || attidentity::text ELSE '' END
		|| CASE WHEN attgenerated <> '' THEN ' generated ' || attgenerated::text ELSE '' END
		|| coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
		|| CASE WHEN attcollation <> t.typcollation THEN ' collate ' || attcollation::regcollation::text ELSE '' END
		|| CASE WHEN attstorage <> t.typstorage THEN ' storage ' || attstorage::text ELSE '' END
		|| CASE WHEN attstattarget > 0 THEN ' statistics ' || attstattarget ELSE '' END
		|| coalesce(' options ' || attoptions::text, '')
	FROM settings, rel JOIN pg_attribute a ON attrelid = rel.oid JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
	WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f', 'c')`,
	// constraints
	`SELECT 'constraint ' || coalesce(name, contypid::regtype::text) || ' ' || quote_ident(conname) || ' ' || pg_get_constraintdef(k.oid)
	FROM pg_constraint k JOIN mine ON mine.oid = connamespace LEFT JOIN rel ON rel.oid = conrelid
	WHERE (conrelid = 0 OR rel.oid IS NOT NULL) AND contype NOT IN ('t', 'n') AND NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_constraint'::regclass AND o.objid = k.oid)`,
	// indexes
	`SELECT 'index on ' || rel.name || ' ' || pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' invalid' END
		|| CASE WHEN indisclustered THEN ' clustered' ELSE '' END || CASE WHEN indisreplident THEN ' replica identity' ELSE '' END
	FROM pg_index JOIN rel ON rel.oid = indrelid`,
	`SELECT 'statistics ' || pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s JOIN rel ON rel.oid = stxrelid`,
	// rules, triggers, policies
	`SELECT 'rule on ' || name || ' ' || pg_get_ruledef(w.oid) FROM pg_rewrite w JOIN rel ON rel.oid = ev_class WHERE rulename <> '_RETURN'`,
	`SELECT 'trigger on ' || name || ' ' || pg_get_triggerdef(g.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || tgenabled::text END
	FROM pg_trigger g JOIN rel ON rel.oid = tgrelid WHERE NOT tgisinternal`,
	`SELECT 'policy on ' || name || ' ' || quote_ident(polname) || ' ' || polcmd::text || CASE WHEN polpermissive THEN '' ELSE ' restrictive' END
		|| ' to ' || array(SELECT CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END FROM unnest(polroles) r ORDER BY 1)::text
		|| coalesce(' using ' || pg_get_expr(polqual, polrelid), '') || coalesce(' check ' || pg_get_expr(polwithcheck, polrelid), '')
	FROM pg_policy JOIN rel ON rel.oid = polrelid`,
	// types
	`SELECT CASE typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' WHEN 'r' THEN 'range ' ELSE 'type ' END || schema || '.' || quote_ident(typname)
		|| CASE typtype WHEN 'e' THEN ' ' || array(SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)::text
			WHEN 'd' THEN ' ' || format_type(typbasetype, typtypmod) || CASE WHEN typnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || typdefault, '')
			WHEN 'r' THEN coalesce((SELECT ' of ' || format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid), '') ELSE '' END
	FROM pg_type t JOIN mine ON mine.oid = typnamespace
	WHERE (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND c.relkind = 'c'))
	AND NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_type'::regclass AND o.objid = t.oid)`,
	// functions, operators, casts, event triggers, publications
	`SELECT CASE prokind WHEN 'a' THEN 'aggregate ' || p.oid::regprocedure::text || ' ' || (SELECT concat_ws(' ', aggtransfn, aggfinalfn, format_type(aggtranstype, NULL), agginitval) FROM pg_aggregate WHERE aggfnoid = p.oid)
		ELSE 'function ' || pg_get_functiondef(p.oid) END
	FROM pg_proc p JOIN mine ON mine.oid = pronamespace WHERE NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid)`,
	`SELECT 'operator ' || o.oid::regoperator::text || ' ' || oprcode::text FROM pg_operator o JOIN mine ON mine.oid = oprnamespace
	WHERE NOT EXISTS (SELECT FROM outside x WHERE x.classid = 'pg_operator'::regclass AND x.objid = o.oid)`,
	`SELECT 'cast ' || format_type(castsource, NULL) || ' to ' || format_type(casttarget, NULL) || ' ' || castcontext::text || castmethod::text || coalesce(' ' || nullif(castfunc, 0)::regprocedure::text, '')
	FROM pg_cast c WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM outside x WHERE x.classid = 'pg_cast'::regclass AND x.objid = c.oid)`,
	`SELECT 'collation ' || schema || '.' || quote_ident(collname) || ' ' || concat_ws(' ', collprovider, collcollate) FROM pg_collation JOIN mine ON mine.oid = collnamespace`,
	`SELECT 'event trigger ' || quote_ident(evtname) || ' ' || evtevent || ' ' || evtfoid::regprocedure::text || ' ' || evtenabled::text FROM pg_event_trigger`,
	`SELECT 'publication ' || quote_ident(pubname) || CASE WHEN puballtables THEN ' all tables' ELSE '' END || concat_ws(' ', '', pubinsert, pubupdate, pubdelete, pubtruncate)
		|| coalesce(' ' || (SELECT string_agg(prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = p.oid), '') FROM pg_publication p`,
	`SELECT 'text search configuration ' || schema || '.' || quote_ident(cfgname) FROM pg_ts_config JOIN mine ON mine.oid = cfgnamespace`,
	`SELECT 'foreign server ' || quote_ident(srvname) FROM pg_foreign_server`,
	// privileges: the default of the owner alone is the same as none
	`SELECT 'privilege on ' || name || ' ' || a::text FROM rel, unnest(relacl) a WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT a::text LIKE pg_get_userbyid(relowner) || '=%'`,
	`SELECT 'privilege on ' || name || '.' || quote_ident(attname) || ' ' || a::text FROM rel JOIN pg_attribute ON attrelid = rel.oid, unnest(attacl) a WHERE NOT attisdropped`,
	`SELECT 'privilege on ' || p.oid::regprocedure::text || ' ' || a::text FROM pg_proc p JOIN mine ON mine.oid = pronamespace, unnest(proacl) a
	WHERE NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid) AND NOT a::text LIKE pg_get_userbyid(proowner) || '=%' AND NOT a::text LIKE '=X/%'`,
	`SELECT 'no privilege of public on ' || p.oid::regprocedure FROM pg_proc p JOIN mine ON mine.oid = pronamespace
	WHERE NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid) AND proacl IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(proacl) a WHERE a::text LIKE '=X%')`,
	`SELECT 'privilege on type ' || t.oid::regtype::text || ' ' || a::text FROM pg_type t JOIN mine ON mine.oid = typnamespace, unnest(typacl) a`,
	`SELECT 'default privileges of ' || defaclrole::regrole::text || coalesce(' in ' || schema, '') || ' ' || defaclobjtype::text || ' ' || a::text FROM pg_default_acl LEFT JOIN mine ON mine.oid = defaclnamespace, unnest(defaclacl) a`,
	// owners that are not the role that looks
	`SELECT 'owner of ' || name || ' ' || pg_get_userbyid(relowner) FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_get_userbyid(relowner) <> current_user`,
	`SELECT 'owner of ' || p.oid::regprocedure::text || ' ' || pg_get_userbyid(proowner) FROM pg_proc p JOIN mine ON mine.oid = pronamespace
	WHERE pg_get_userbyid(proowner) <> current_user AND NOT EXISTS (SELECT FROM outside o WHERE o.classid = 'pg_proc'::regclass AND o.objid = p.oid)`,
	// comments
	`SELECT 'comment on ' || identity || ' ' || quote_literal(description) FROM (
		SELECT i.type || ' ' || i.identity AS identity, d.description, d.classoid, d.objoid FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
		WHERE d.objoid >= 16384 AND i.schema IS DISTINCT FROM 'pg_catalog' AND i.type <> 'extension'
	) x WHERE NOT EXISTS (SELECT FROM outside o WHERE o.classid = x.classoid AND o.objid = x.objoid)
	AND NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.classoid = 'pg_class'::regclass AND c.oid = x.objoid AND NOT EXISTS (SELECT FROM rel WHERE rel.oid = c.oid))`,
}
