package check

import (
	"slices"

	"slipway/lambda/judge"
)

// refusals are rules about what no deployment could run: a waiver would only
// move the failure there.
var refusals = []string{"version-collision", "bad-name", "bad-script", "no-scripts", "waiver-without-reason",
	string(judge.ReadOtherwise), string(judge.PsqlCommand), string(judge.CopyData), string(judge.Transaction),
	string(judge.BreaksSession), string(judge.NeedsConf), string(judge.HistoryTable),
	ReplacedDatabase, // cdk.json allows it, no script does
}

// Rules of the comparison of templates. Its findings are the caller's to add.
const (
	ReplacedDatabase = "replaced-database"
	DatabaseAtRisk   = "database-at-risk"
)

func waivable(rule string) bool { return !slices.Contains(refusals, rule) }

// turnedOff are rules of squawk that do not fit here:
//   - Slipway sets lock_timeout for each transactional script itself, and a
//     statement_timeout where the run has a limit;
//   - IF NOT EXISTS lets a script pass over an index that an earlier failure
//     left invalid, and a transactional script needs none: it is rolled back whole;
//   - which schema a name means is the business of the role's search_path;
//   - what a script does to its transaction is judged by this package itself.
var turnedOff = []string{
	"require-lock-timeout", "require-statement-timeout", "require-timeout-settings",
	"prefer-robust-stmts", "require-table-schema",
	"transaction-nesting", "ban-uncommitted-transaction",
}

// blocking are the rules about statements that lock a table for as long as it
// takes to read or rewrite it. On a table that the same branch creates, they
// are harmless: it is empty, and nobody knows it.
var blocking = []string{
	"require-concurrent-index-creation", "require-concurrent-index-deletion", "require-concurrent-reindex",
	"require-concurrent-partition-detach", "constraint-missing-not-valid", "adding-foreign-key-constraint",
	"disallowed-unique-constraint", "adding-serial-primary-key-field", "adding-not-nullable-field",
	"adding-required-field", "adding-field-with-default", "changing-column-type", "full-rewrite",
}

// breaking are the rules about what programs that still run would miss, and
// what can't be taken back.
var breaking = []string{
	"ban-drop-column", "ban-drop-table", "ban-drop-database", "ban-truncate-cascade", "renaming-column",
	"renaming-table",
}

// wrong are rules about scripts that PostgreSQL or Flyway refuse.
var wrong = []string{
	"syntax-error",
	"ban-concurrent-index-creation-in-transaction", "ban-duplicate-column-assignments",
}

// levelOf is the level of a rule of squawk. The rest is advice on style.
func levelOf(rule string) Level {
	if slices.Contains(blocking, rule) || slices.Contains(breaking, rule) || slices.Contains(wrong, rule) {
		return Error
	}
	return Warning
}

// sameThing are rules that repeat, more vaguely, what the other ones say of the
// same statement.
var sameThing = map[string][]string{
	"constraint-missing-not-valid": {"adding-foreign-key-constraint", "disallowed-unique-constraint",
		"adding-serial-primary-key-field"},
}

// Rules describes each rule of this package, for SARIF and the help.
var Rules = map[string]string{
	ReplacedDatabase: "A deployment would replace, delete or leave behind an environment's cluster, " +
		"instance, key, secret, VPC or subnet.",
	DatabaseAtRisk: "A change takes protection from an environment's database, or leaves it to itself.",
	"unseen-edit": "A script of the target branch was edited in a way that Flyway's checksum does not " +
		"see.",
	"version-collision": "Two scripts have one version (or two repeatable ones one description).",
	"version-not-above": "A new version is below one that the target branch has.",
	"edited-script":     "A versioned script that the target branch has was edited.",
	"edited-baseline":   "A baseline (B) script that the target branch has was edited: Flyway never notices.",
	"renamed-script":    "A versioned script that the target branch has got another description.",
	"deleted-script":    "A script that the target branch has is gone.",
	"bad-name": "The file's name is none of a script, its .conf or a text for people: Flyway skips " +
		"it in silence, or runs it as a program.",
	"bad-script":   "The file can't be read, decoded or configured.",
	"no-scripts":   "The folder holds no migration.",
	"full-rewrite": "VACUUM FULL and CLUSTER rewrite the table under an exclusive lock.",
	"several-statements": "A script outside a transaction has several statements: a failure leaves the first " +
		"ones applied.",
	"mixed-script": "Statements that can't run in a transaction stand beside others: Flyway refuses " +
		"the script.",
	"waiver-without-reason":     "A finding is waived without saying why.",
	string(judge.ReadOtherwise): "Flyway or its driver read the script otherwise than PostgreSQL does.",
	string(judge.PsqlCommand):   "A command of psql stands in the script, which is not SQL.",
	string(judge.CopyData):      "The data of a COPY do not end, or SQL stands on its line that would be lost.",
	string(judge.Transaction):   "The script ends the transaction in which it runs, or leaves one open.",
	string(judge.BreaksSession): "The statement would end the session of the migration, or its locks.",
	string(judge.NeedsConf):     "A statement can't run in a transaction, and no .conf file says so.",
	string(judge.HistoryTable):  "The script changes the table of the history.",
	"placeholder-kept":          "A configured placeholder is not replaced, for a part of its prefix stands before it.",
	"unused-waiver":             "A waiver has nothing to waive.",
}
