package migrator

// advice is one row of the table below: what to do about an error of PostgreSQL.
type advice struct {
	state string // SQLSTATE, or the first characters of one
	// regular expression for PostgreSQL's text; "" takes any. Servers that speak another language match none
	about string
	when  func(*situation) bool
	// next is the next step. In it stand {script}, {conf}, {role}, {database}, {found}, {owner}, {setting}, {revert}
	// and the parts of about: {1}, {2}.
	next string
	// server: the throw-away server of a rehearsal lacks something, which says nothing about the script.
	server bool
}

func inside(s *situation) bool         { return !s.outside }
func throwAway(s *situation) bool      { return s.rehearsal == OnThrowAwayServer }
func found(s *situation) bool          { return s.found != "" }
func owned(s *situation) bool          { return s.owner != "" }
func throwAwayOwned(s *situation) bool { return throwAway(s) && owned(s) }
func atCommit(s *situation) bool       { return s.atCommit }
func set(s *situation) bool            { return s.setting != "" }
func ownSetting(s *situation) bool     { return s.ownSetting }

const (
	alone    = "Leave the statement alone in {script} and put executeInTransaction=false into {conf} beside it."
	byMaster = "Let a superuser do it; on RDS and Aurora the master user, or a role to which it granted rds_superuser."
	noFiles  = "Use COPY … FROM STDIN with the rows in the script, or on Aurora the extension aws_s3. " +
		"On a server that is not RDS, a superuser can grant it: "
	// A deployment fails at the same place, unless its server has the grant.
	memberThere = "The role that migrates a deployment needs it from the master user there: "
	memberHere  = "On the throw-away server nobody can grant it: rehearse on a copy of a database whose server has " +
		"the roles (COPY=postgres://…). For a role that the scripts create, write GRANT … TO CURRENT_USER; behind " +
		"CREATE ROLE."
	noRole = "Roles belong to the server, not to the database: let the master user CREATE ROLE {1}; on this " +
		"server first."
	noRoleHere = "Roles belong to the server, not to the database, and the throw-away server has none of yours: " +
		"name it with --roles {1}, or create it in an earlier script."
	rowsFirst = "Rows of this database break it: correct them first, in this script or in one before it."
)

// advices is the one place that knows a way on from an error of PostgreSQL. The first row that fits is taken.
var advices = []advice{
	// Connections that a script opens or ends.
	{state: "08", about: `client_encoding|DateStyle`,
		next: "Take the SET out of the script: with another client_encoding or DateStyle (not ISO) the driver " +
			"ends the session."},
	{state: "08", about: `could not establish connection|dblink|connection ".*" not available|could not connect to server`,
		next: "The script opens a connection of its own (dblink, postgres_fdw), and that failed: correct its " +
			"address or user, or see that its server takes it."},
	{state: "08", when: set, next: "The session was ended while others went on. {setting}"},
	{state: "08",
		next: "The session was ended while others went on: run it again, and if it ends at the same place, " +
			"look there for what ends a session."},
	{state: "28",
		next: "The script opens a connection of its own (dblink, postgres_fdw), and its user was refused: " +
			"correct user and password there."},

	// Values and rows.
	{state: "22023", about: `role "([^"]*)" does not exist`, when: throwAway, server: true, next: noRoleHere},
	{state: "22023", about: `role "([^"]*)" does not exist`, next: noRole},
	{state: "22001", next: "A value is longer than its column: widen the column, or shorten the value."},
	{state: "22003", next: "A number is out of its type's range: take a larger type, or correct the value."},
	{state: "22P02",
		next: "A text is no value of that type: correct it in the script, or, where it comes from rows, " +
			"correct those first (or convert with USING)."},
	{state: "22",
		next: "A value does not fit: correct it in the script, or, where it comes from rows of this database, " +
			"correct those first."},
	{state: "23502", about: `contains null values`,
		next: "Give the column a DEFAULT, or fill its rows (UPDATE) before NOT NULL is set."},
	{state: "23502", next: "Give the column a value, or a DEFAULT."},
	{state: "23503", when: atCommit,
		next: "Rows without the row that they refer to are left at the end: correct the script's rows. The " +
			"constraint is deferred, so no single statement is at fault."},
	{state: "23503", about: `update or delete on table`,
		next: "Other rows refer to these: delete or change those first, in the same script."},
	{state: "23503",
		next: rowsFirst + " ADD CONSTRAINT … NOT VALID takes old rows as they are, VALIDATE CONSTRAINT in a later " +
			"script checks them."},
	{state: "23505", about: `could not create unique index`,
		next: "Remove the duplicates (the detail names one) before the index is made."},
	{state: "23505",
		next: "A row with that key is there: change the key, use INSERT … ON CONFLICT, or set a sequence that " +
			"lags behind (setval)."},
	{state: "23514", about: `no partition of relation "([^"]*)" found`,
		next: "Make the partition of {1} that takes the row, or a DEFAULT one, before rows are inserted."},
	{state: "23514", about: `is violated by some row`,
		next: rowsFirst + " ADD CONSTRAINT … NOT VALID takes old rows as they are, VALIDATE CONSTRAINT in a later " +
			"script checks them."},
	{state: "23P01",
		next: "Two rows exclude each other: correct them before the constraint is made or the row is " +
			"inserted."},
	{state: "23", when: atCommit,
		next: "A deferred constraint was checked at the end, and its rows break it: correct the script's " +
			"rows."},
	{state: "23", next: rowsFirst},

	// Transactions.
	{state: "25001", about: `(?s)inside a transaction block.*Where: |cannot be executed from a function`,
		next: "Write the statement in a script of its own, not in a function, procedure or DO block, and put " +
			"executeInTransaction=false into the .conf file beside it."},
	{state: "25001", about: `cannot (?:run|be executed) (?:inside a transaction block|within a pipeline)`, when: inside,
		next: alone},
	{state: "25001", about: `inside a transaction block`,
		next: "A BEGIN of the script stands before the statement: move the statement out of that transaction."},
	{state: "25001", about: `must be called before any query`,
		next: "Put executeInTransaction=false into {conf}, and BEGIN ISOLATION LEVEL …; and COMMIT; around " +
			"the statements: a script's own transaction has begun before its first line."},
	{state: "25006", when: ownSetting,
		next: "The script makes its transaction read-only (READ ONLY, default_transaction_read_only): take " +
			"that out, or put it behind what writes."},
	{state: "25006", when: set, next: "{setting}"},
	{state: "25006",
		next: "The transaction is read-only, though the server and the role are not: look in callbacks " +
			"(afterConnect, beforeEachMigrate) for READ ONLY."},
	{state: "25P02",
		next: "A statement before this one failed and its error was passed over: look for it before this " +
			"line."},
	{state: "25P03", next: "{setting}"},
	{state: "25P04", next: "{setting}"},
	{state: "2D000", when: inside,
		next: "A procedure or DO block ends a transaction, which it can't inside the script's own: leave the " +
			"CALL or DO alone in {script} and put executeInTransaction=false into {conf} beside it."},
	{state: "2D000",
		next: "COMMIT and ROLLBACK work in a procedure or DO block that the script calls itself, not in a " +
			"function, nor in a block with EXCEPTION: move it there."},
	{state: "40P01",
		next: "It waited for others in a circle, and the server ended it: run it again; take tables in the " +
			"order in which the application takes them."},
	{state: "40", next: "Others changed the same rows at that time: run it again."},
	{state: "XX000", about: `tuple concurrently (updated|deleted)|could not open relation with OID`,
		next: "Another session changed the same object at that time: run it again."},
	{state: "57014", when: ownSetting,
		next: "The script sets statement_timeout itself: raise it there, or take it out."},
	{state: "57014", about: `statement timeout`, when: set, next: "{setting}"},
	{state: "57014", about: `statement timeout`,
		next: "Look in callbacks and functions for statement_timeout: a statement took longer than it."},
	{state: "57014", about: `user request`,
		next: "Somebody cancelled the statement (pg_cancel_backend): run it again when that is settled."},
	{state: "57014", when: set, next: "{setting}"},
	{state: "57014",
		next: "The statement was cancelled, by somebody or by statement_timeout: run it again when that is " +
			"settled."},
	{state: "57P01", when: ownSetting,
		next: "The script ends sessions (pg_terminate_backend), and its own was among them: leave that one " +
			"out (pid <> pg_backend_pid())."},
	{state: "57P05", next: "{setting}"},

	// Rights.
	{state: "42501", about: `(?:to|from) an external program`, next: noFiles +
		"GRANT pg_execute_server_program TO {role};"},
	{state: "42501", about: `COPY from a file|pg_read_server_files`, next: noFiles +
		"GRANT pg_read_server_files TO {role};"},
	{state: "42501", about: `COPY to a file|pg_write_server_files`, next: noFiles +
		"GRANT pg_write_server_files TO {role};"},
	{state: "42501", about: `ALTER SYSTEM`,
		next: "Set it in the parameter group; on a server that is not RDS, let a superuser do it."},
	{state: "42501", about: `REPLICATION attribute`,
		next: "Let a superuser do it; on RDS and Aurora create the role without REPLICATION and write " +
			"GRANT rds_replication TO it."},
	{state: "42501", about: `create subscription`,
		next: "Let the master user do it, or (from PostgreSQL 16 on) give {role} the right: " +
			"GRANT pg_create_subscription TO {role};"},
	{state: "42501", about: `(?i)superuser|event trigger`, when: throwAway, server: true,
		next: "The scripts run without a superuser's rights here. If they are your own and need them, use " +
			"--superuser; in the deployment the master user (rds_superuser) has to migrate."},
	{state: "42501", about: `CREATE privilege on current database`,
		next: "Grant it: GRANT CREATE ON DATABASE {database} TO {role};"},
	{state: "42501", about: `(?i)superuser|permission denied to (create|alter) event trigger`, next: byMaster},
	{state: "42501", about: `system trigger`,
		next: "Write DISABLE TRIGGER USER instead of ALL: triggers of foreign keys are for superusers."},
	{state: "42501", about: `row-level security`,
		next: "Policies of the table apply to {role}: run as the table's owner, or let the master user ALTER " +
			"ROLE {role} BYPASSRLS."},
	{state: "42501", about: `(?:SET ROLE|must be member of role|denied to set role) "([^"]*)"`, when: throwAway, server: true,
		next: memberThere + "GRANT {1} TO it. " + memberHere},
	{state: "42501", about: `change default privileges`, when: throwAwayOwned,
		next: memberThere + "GRANT {owner} TO it. " + memberHere},
	{state: "42501", about: `denied to grant role "([^"]*)"`, when: throwAway, server: true,
		next: memberThere + "GRANT {1} TO it WITH ADMIN OPTION. " + memberHere},
	{state: "42501", about: `(?:must be able to SET ROLE|must be member of role|permission denied to set role) "([^"]*)"`,
		next: "Grant it, by the master user: GRANT {1} TO {role};"},
	{state: "42501", about: `permission denied to grant role "([^"]*)"`,
		next: "Grant it, by the master user: GRANT {1} TO {role} WITH ADMIN OPTION;"},
	{state: "42501", about: `change default privileges|owner of (?:all|objects)`, when: owned,
		next: "Grant it, by the master user: GRANT {owner} TO {role};"},
	{state: "42501", about: `permission denied to create role|to alter role|to drop role`,
		next: "Let the master user do it, or give {role} the right: ALTER ROLE {role} CREATEROLE;"},
	{state: "42501", about: `permission denied to create database`,
		next: "Let the master user do it, or give {role} the right: ALTER ROLE {role} CREATEDB;"},
	{state: "42501", about: `permission denied to set parameter "([^"]*)"`,
		next: "Set {1} in the parameter group, or let the master user grant it: GRANT SET ON PARAMETER {1} TO " +
			"{role};"},
	{state: "42501", about: `permission denied for (?:language|foreign-data wrapper|foreign server)`,
		next: "Let the master user grant it: GRANT USAGE ON … TO {role};"},
	{state: "42501", about: `permission denied for schema (\S+)`,
		next: "Grant it, by the schema's owner: GRANT USAGE, CREATE ON SCHEMA {1} TO {role};"},
	{state: "42501", about: `permission denied for database`,
		next: "Grant it, by the database's owner: GRANT CREATE ON DATABASE {database} TO {role};"},
	{state: "42501", about: `permission denied for (table|view|materialized view|sequence|function|procedure) (\S+)`,
		when: owned,
		next: "{owner} owns it: let that role grant it (GRANT … ON {2} TO {role};), or make {role} a member: " +
			"GRANT {owner} TO {role};"},
	{state: "42501", about: `must be owner of`, when: owned,
		next: "{owner} owns it: GRANT {owner} TO {role}; (by the master user), or migrate as {owner}."},
	{state: "42501", next: "Grant {role} what the message names, or run the script as the owner of the object."},

	// Names.
	{state: "42704", about: `role "([^"]*)" does not exist`, when: throwAway, server: true, next: noRoleHere},
	{state: "42704", about: `role "([^"]*)" does not exist`, next: noRole},
	{state: "42P01", when: found,
		next: "There is {found}: write the name so, or create the table in an earlier script."},
	{state: "42883", when: found,
		next: "There is {found}: write its schema before the name, and cast the arguments to its types."},
	{state: "42704", when: found, next: "There is {found}: write the name so."},
	{state: "42704", about: `type "([^"]*)" does not exist`,
		next: "Create the type in an earlier script, or the extension that brings it (CREATE EXTENSION)."},
	{state: "42883",
		next: "No function has that name and those arguments: correct the call, cast the arguments, or create " +
			"the extension that brings it."},
	{state: "3D000",
		next: "The database has another name here ({database}): write current_database() or " +
			"${flyway:database} for it."},
	{state: "3F000", about: `schema "([^"]*)" does not exist`,
		next: "Create it in an earlier script: CREATE SCHEMA {1};"},
	{state: "3F000",
		next: "No schema of the search path exists: write the schema before the name, or create it in an " +
			"earlier script."},
	{state: "42P06",
		next: existsAlready}, {state: "42P07", next: existsAlready}, {state: "42701", next: existsAlready},
	{state: "42710",
		next: existsAlready}, {state: "42723", next: existsAlready}, {state: "42P04", next: existsAlready},
	{state: "2BP01",
		next: "Other objects need it (the detail lists them): drop or change those first in the script; " +
			"CASCADE drops all of them with it."},

	// What can't be done so, or not now.
	{state: "0A000", about: `cannot create index on partitioned table "([^"]*)" concurrently`,
		next: "Make it in steps, each in a script of its own: CREATE INDEX … ON ONLY {1}; then CREATE INDEX " +
			"CONCURRENTLY on each partition; then ALTER INDEX … ATTACH PARTITION … for each."},
	{state: "0A000", about: `cannot drop partitioned index`,
		next: "Drop it without CONCURRENTLY: partitioned indexes know no other way."},
	{state: "0A000", about: `extension "([^"]*)" is not available`, when: throwAway, server: true,
		next: "The throw-away server does not have the extension {1}: rehearse on a copy of a database that " +
			"has it (COPY=postgres://…)."},
	{state: "58P01", about: `extension`, when: throwAway, server: true,
		next: "The throw-away server does not have the extension: rehearse on a copy of a database that has " +
			"the extension (COPY=postgres://…)."},
	{state: "0A000", about: `extension "([^"]*)" is not available`,
		next: "This server does not offer the extension {1}: SELECT name FROM pg_available_extensions lists " +
			"what it does. On RDS that depends on its version."},
	{state: "0A000", about: `cannot alter type of a column used by`,
		next: "Drop the view or rule that uses the column (the detail names it) before, and create it again " +
			"behind, in the same script."},
	{state: "0A000", about: `materialized view is not populated`,
		next: "REFRESH it once without CONCURRENTLY first."},
	{state: "55006", about: `"([^"]*)" because it has pending trigger events`,
		next: "Write SET CONSTRAINTS ALL IMMEDIATE; between the change of rows and the ALTER TABLE of {1}, or " +
			"put the two into two scripts."},
	{state: "55006", about: `being used by active queries in this session`,
		next: "A loop or cursor of the same DO block or function still reads the table: end it before the " +
			"table is changed."},
	{state: "55006", about: `being accessed by other users`,
		next: "Other sessions use it: end them first (pg_stat_activity names them), or write DROP DATABASE … " +
			"WITH (FORCE)."},
	{state: "55006", next: "Something still uses the object: end that first, then run it again."},
	{state: "55P02",
		next: "The setting takes effect at a start of the server only: set it in the parameter group and " +
			"restart."},
	{state: "55P03", about: `could not obtain lock`,
		next: "Somebody else has the lock, and the script does not wait (NOWAIT): run it again when it is " +
			"free, or leave NOWAIT out."},
	{state: "55P04",
		next: "A new enum value can be used from the next transaction on: put the ALTER TYPE … ADD VALUE into " +
			"an earlier script of its own."},
	{state: "55000", about: `partition "([^"]*)" (?:already pending|with an incomplete) detach`,
		next: "A DETACH PARTITION … CONCURRENTLY was cut off: end it with ALTER TABLE … DETACH PARTITION {1} " +
			"FINALIZE; in a script of its own, with executeInTransaction=false in the .conf file beside it."},
	{state: "55000", about: `is not yet defined in this session`,
		next: "Call nextval() in the same script before, or take the key with INSERT … RETURNING: each script " +
			"has a session state of its own."},
	{state: "55000", about: `has not been populated`, next: "REFRESH MATERIALIZED VIEW before it is read."},
	{state: "55000", about: `concurrently`,
		next: "REFRESH … CONCURRENTLY needs a unique index on plain columns, without WHERE, and a view that " +
			"is populated: make the index first, or leave CONCURRENTLY out."},
	{state: "55000", about: `prepared transactions are disabled`,
		next: "Take PREPARE TRANSACTION out: a script's transaction ends with its entry in the history."},
	{state: "53100",
		next: "Make room on the server's disk (on Aurora temporary files lie on the instance: a larger class " +
			"has more), or work in smaller parts."},
	{state: "53200", about: `shared memory`,
		next: "The script locks too many objects in one transaction: split it, or raise " +
			"max_locks_per_transaction (parameter group, restart)."},
	{state: "53200",
		next: "The server ran out of memory: work in smaller parts, or take a larger instance class."},
	{state: "53400",
		next: "A limit of the configuration was reached (temp_file_limit, say): raise it for the role, or " +
			"work in smaller parts."},
	{state: "54001", next: "The statement nests too deep: split it; max_stack_depth limits that."},
	{state: "54",
		next: "A limit of PostgreSQL itself was reached (columns, row size, index entry): make the object or " +
			"the value smaller."},
	{state: "58",
		next: "The server met an error of its operating system: look into its log, and at its disk, before " +
			"you run it again."},
	{state: "XX001", next: damaged}, {state: "XX002", next: damaged},
	{state: "XX", next: "PostgreSQL met an error of its own: look into the server's log before you run it again."},
	{state: "P0001",
		next: "The error was raised on purpose (RAISE, by the script or a trigger): do what the message asks " +
			"for."},
}

const (
	existsAlready = "It exists already, made by hand or by another tool: compare, then drop it or take the " +
		"statement out of the script."
	damaged = "Data or an index is damaged: REINDEX what the message names, or restore, before you run it again."
)
