package rehearse

// The callbacks report on the channel slipway_rehearsal, one JSON object a
// message. They create nothing in the database. Times are microseconds since
// 1970 by the server's clock. now() is when a transaction began: it is the
// same in both callbacks only when the script ran in one transaction with
// them. Of another script, all tables' files and row counters are reported;
// what it locked is free by then.

const atBegin = `SELECT set_config('slipway_rehearsal.began', extract(epoch FROM now())::text, false);
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'begin', 'at', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)::text);
`

const inside = `current_setting('slipway_rehearsal.began', true) = extract(epoch FROM now())::text`

// atEnd is the callback behind each script. flush has the session write its
// counters out at once; servers before PostgreSQL 15 can't, and count late.
func atEnd(flush string) string {
	return `SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'end', 'at', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'inside', ` + inside + `)::text);
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'lock', 'oid', l.relation::bigint, 'mode', l.mode, 'node', pg_relation_filenode(l.relation)::bigint,
	'size', CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END)::text)
FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'm', 'v', 'f')) AND ` + inside + `;
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'rows', 'oid', relid::bigint, 'name', schemaname || '.' || relname,
	'ins', n_tup_ins, 'upd', n_tup_upd, 'del', n_tup_del)::text)
FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND ` + inside + `;
` + flush + `SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'count', 'oid', s.relid::bigint, 'name', schemaname || '.' || relname,
	'node', pg_relation_filenode(s.relid)::bigint, 'size', pg_relation_size(s.relid), 'ins', s.n_tup_ins, 'upd', s.n_tup_upd, 'del', s.n_tup_del)::text)
FROM pg_stat_user_tables s WHERE NOT ` + inside + `;
SELECT pg_notify('slipway_rehearsal', '{"k":"done"}');
`
}

const flushCounters = "SELECT pg_stat_force_next_flush();\n"
