package rehearse

// The callbacks report on the channel slipway_rehearsal, one JSON object a
// message. They create nothing in the database. Times are microseconds since
// 1970 by the server's clock. now() is when the transaction began: it equals
// statement_timestamp() only outside a transaction block, where each statement
// is a transaction of its own.

// counters reports files and row counters of all tables, for scripts outside
// a transaction: those inside one report only what they touched.
const counters = `
SELECT pg_stat_force_next_flush();
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'count', 'oid', s.relid::bigint, 'node', pg_relation_filenode(s.relid)::bigint,
	'ins', s.n_tup_ins, 'upd', s.n_tup_upd, 'del', s.n_tup_del)::text)
FROM pg_stat_user_tables s WHERE now() = statement_timestamp();
`

const atBegin = `SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'begin', 'at', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'pid', pg_backend_pid())::text);
` + counters

const atEnd = `SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'end', 'at', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)::text);
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'lock', 'oid', l.relation::bigint, 'mode', l.mode, 'node', pg_relation_filenode(l.relation)::bigint,
	'size', CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END)::text)
FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'm', 'v', 'f')) AND now() <> statement_timestamp();
SELECT pg_notify('slipway_rehearsal', json_build_object('k', 'rows', 'oid', relid::bigint, 'name', schemaname || '.' || relname,
	'ins', n_tup_ins, 'upd', n_tup_upd, 'del', n_tup_del)::text)
FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND now() <> statement_timestamp();
` + counters + `SELECT pg_notify('slipway_rehearsal', '{"k":"done"}');
`
