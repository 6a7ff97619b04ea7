// Package doctor says of each part of a deployed environment whether it is as
// it should be: credentials, bootstrap, stacks, functions, the way to the
// database, the database itself, its history, logs.
//
// It only reads, with the rights of the credentials at hand; what is in the
// database it asks the environment's inspector. It never says that something is
// right which it did not look at. What a next deployment would replace is its
// caller's to compare ([Options.Compare]).
package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"slipway/lambda/report"
	"slipway/lambda/workbench/deployed"
)

// State is what was found out about a part.
type State string

// The states, from good to bad; Unchecked is none of both.
const (
	OK        State = "ok"
	Warning   State = "warning"
	Wrong     State = "wrong"
	Unchecked State = "unchecked"
)

// Row is one part of an environment.
type Row struct {
	Part  string `json:"part"`
	State State  `json:"state"`
	Found string `json:"found"`
	Next  string `json:"next,omitempty"` // what to do about it; "" where nothing is to be done
}

// Diagnosis is what is known of an environment.
type Diagnosis struct {
	Environment string `json:"environment"`
	Rows        []Row  `json:"rows"`
}

// Options say what is looked at.
type Options struct {
	Environment deployed.Environment
	// Toolkit is the name of the stack that the CDK's bootstrap has made; "" for CDKToolkit.
	Toolkit string
	// Compare compares what is deployed with what would be; nil leaves it out.
	Compare func(context.Context) Row
	// Progress is told, as a sentence, that something takes long; nil for nobody.
	Progress func(string)
}

// The parts that depend on others, by the names that their rows have.
const (
	partInspector  = "inspector"
	partFunction   = "function"
	partAddress    = "address of the database"
	partEndpoint   = "endpoint of Secrets Manager"
	partLogs       = "log groups"
	partSecret     = "secret"
	partConnection = "connection"
	partDatabase   = "database"
	partRole       = "role"
	partHistory    = "history"
)

// exam is one examination.
type exam struct {
	Options
	reader
	findings
	account   string
	database  *stack // nil where it could not be read
	migration *stack
	secretARN string // "" where it is not known
}

// Examine looks at an environment. A failure to look at something is a row, too.
func Examine(ctx context.Context, o Options) Diagnosis {
	x := &exam{Options: o}
	if x.credentials(ctx) {
		x.bootstrap(ctx)
		x.stacks(ctx)
		x.inside(ctx)
		if o.Compare != nil {
			x.rows = append(x.rows, o.Compare(ctx))
		}
	}
	return Diagnosis{Environment: o.Environment.Name, Rows: x.rows}
}

// inside looks at what the migration's stack has made, and through it.
func (x *exam) inside(ctx context.Context) {
	if !x.migration.working() {
		for _, part := range []string{partFunction, partInspector, partEndpoint, partLogs, partSecret, partConnection,
			partHistory} {
			x.add(part, Unchecked, "the stack "+x.Environment.Stack()+" is not there, or could not be read", "")
		}
		return
	}
	x.functions(ctx)
	x.endpoint(ctx)
	x.logs(ctx)
	x.ask(ctx)
}

// findings are the rows so far.
type findings struct {
	rows []Row
}

func (f *findings) add(part string, state State, found, next string) {
	f.rows = append(f.rows, Row{part, state, report.Cut(found, longest), next})
}

// longest is what a row shows of others' texts, in bytes.
const longest = 500

// unread adds the row of a part that could not be looked at with that action.
func (f *findings) unread(part, action string, err error) {
	if denied(err) {
		f.add(part, Unchecked, "these credentials may not call "+action,
			"Allow "+action+" to them, or ask with others (AWS_PROFILE).")
		return
	}
	f.add(part, Unchecked, fmt.Sprintf("%s fails: %v", action, err), "Ask again; if it stays so, the message says why.")
}

// denied reports whether AWS refused a call because a right is missing.
func denied(err error) bool {
	code := codeOf(err)
	return strings.Contains(code, "AccessDenied") || strings.Contains(code, "UnauthorizedOperation")
}

// codeOf is AWS's code of an error, "" where it did not come from AWS.
func codeOf(err error) string {
	var failure smithy.APIError
	if errors.As(err, &failure) {
		return failure.ErrorCode()
	}
	return ""
}

// afterwards adds the rows of parts that can be looked at once something else is right.
func (f *findings) afterwards(why string, parts ...string) {
	for _, part := range parts {
		f.add(part, Unchecked, why, "")
	}
}
