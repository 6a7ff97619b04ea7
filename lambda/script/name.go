package script

import (
	"fmt"
	"strings"
	"unicode"
)

// Kind is what a file in a scripts folder is for.
type Kind string

// The kinds of files, by the first letters of their names.
const (
	Versioned  Kind = "versioned"  // V1.2__add_orders.sql: runs once
	Baseline   Kind = "baseline"   // B12__all.sql: stands for all versions up to 12 on a new database
	Repeatable Kind = "repeatable" // R__order_view.sql: runs again when its content changes
	Undo       Kind = "undo"       // U1.2__add_orders.sql: runs in a revert only
	Callback   Kind = "callback"   // beforeMigrate.sql, afterMigrate__grants.sql, …
	Config     Kind = "config"     // V1.2__add_orders.sql.conf: settings of one script
)

// callbackEvents are the names of Flyway 12.4's callback events
// (org.flywaydb.core.api.callback.Event).
var callbackEvents = map[string]bool{
	"beforeClean": true, "afterClean": true, "afterCleanError": true,
	"beforeMigrate": true, "beforeEachMigrate": true, "beforeEachMigrateStatement": true,
	"afterEachMigrateStatement": true, "afterEachMigrateStatementError": true,
	"afterEachMigrate": true, "afterEachMigrateError": true, "beforeRepeatables": true,
	"afterVersioned": true, "afterMigrateApplied": true, "afterMigrate": true, "afterMigrateError": true,
	"beforeUndo": true, "beforeEachUndo": true, "beforeEachUndoStatement": true,
	"afterEachUndoStatement": true, "afterEachUndoStatementError": true, "afterEachUndo": true,
	"afterEachUndoError": true, "afterUndo": true, "afterUndoError": true,
	"beforeValidate": true, "afterValidate": true, "afterValidateError": true,
	"beforeBaseline": true, "afterBaseline": true, "afterBaselineError": true,
	"beforeRepair": true, "afterRepair": true, "afterRepairError": true,
	"beforeInfo": true, "afterInfo": true, "afterInfoError": true,
	"afterMigrateOperationFinish": true, "afterInfoOperationFinish": true,
	"createSchema": true, "beforeCreateSchema": true, "beforeConnect": true, "afterConnect": true,
}

// Name is what a file's name says.
type Name struct {
	Kind        Kind
	Version     Version // of versioned, baseline and undo scripts
	Description string  // with spaces for underscores; may be empty for a versioned script
	Event       string  // of callbacks
}

const example = "V1.2__add_orders.sql, R__order_view.sql, U1.2__add_orders.sql or beforeMigrate.sql"

// ParseName reads the name of a file without its folder. Every .sql and
// .sql.conf file has to have a name that means something: Flyway skips the
// others in silence, so here they are an error that says what is wrong.
func ParseName(file string) (Name, error) {
	if i := strings.IndexFunc(file, unicode.IsControl); i >= 0 {
		return Name{}, fmt.Errorf("the name holds a control character")
	}
	if base, ok := strings.CutSuffix(file, ".conf"); ok {
		n, err := ParseName(base)
		if err != nil {
			return Name{}, err
		}
		n.Kind = Config
		return n, nil
	}
	stem, ok := strings.CutSuffix(file, ".sql")
	if !ok {
		return Name{}, fmt.Errorf("the name ends in %q; write .sql in lower case", file[max(0, len(file)-4):])
	}
	head, tail, separated := strings.Cut(stem, "__")
	description := strings.ReplaceAll(tail, "_", " ")
	if callbackEvents[head] {
		return Name{Kind: Callback, Event: head, Description: description}, nil
	}
	if head == "R" {
		if strings.TrimSpace(description) == "" {
			return Name{}, fmt.Errorf("a repeatable script needs a description: R__order_view.sql")
		}
		return Name{Kind: Repeatable, Description: description}, nil
	}
	kinds := map[byte]Kind{'V': Versioned, 'B': Baseline, 'U': Undo}
	if head == "" || kinds[head[0]] == "" {
		return Name{}, fmt.Errorf("not a migration's name: it should look like %s", example)
	}
	v, err := ParseVersion(head[1:])
	if err != nil {
		if !separated && strings.ContainsRune(head, '_') {
			return Name{}, fmt.Errorf("two underscores have to stand between version and description: it should "+
				"look like %s", example)
		}
		return Name{}, err
	}
	return Name{Kind: kinds[head[0]], Version: v, Description: description}, nil
}
