package rehearse

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/workbench/catalog"
	"slipway/lambda/workbench/change"
)

type rehearsal struct {
	Options
	change    *change.Change
	report    *Report
	stage     string // folder that holds the scripts of the moment
	callbacks string // folder of the callbacks that measure
	secrets   secrets
	until     time.Time // when the limit is over; zero for none
	db        *pgx.Conn
	first     map[int64]table // what there was before the first new script
}

// tree are the scripts of one step.
type tree change.Tree

// rewrite lays the tree out in place of what was there.
func (t tree) rewrite(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return change.Tree(t).Write(folder)
}

// migrations are the versioned and repeatable scripts of a tree.
func migrations(t change.Tree) []change.Entry {
	var list []change.Entry
	for _, e := range t.Sorted() {
		if e.Bad == nil && (e.Kind == script.Versioned || e.Kind == script.Repeatable) {
			list = append(list, e)
		}
	}
	return list
}

// step is a part of the new scripts that is run with one start of Flyway.
type step struct {
	tree   tree
	adds   []change.Entry // the new versioned scripts in it
	last   bool           // with the repeatable scripts
	before *look
}

// steps cuts the new scripts: versioned ones one by one, or all at once when
// there are many, and then the repeatable ones with all else that the merge brings.
func (x *rehearsal) steps() []step {
	merged := x.change.Merged()
	known := map[string]bool{}
	for _, e := range x.change.Tip {
		known[e.Key()] = true
	}
	var versions []change.Entry
	for _, e := range migrations(merged) {
		if e.Kind == script.Versioned && !known[e.Key()] {
			versions = append(versions, e)
		}
	}
	for _, e := range merged.Sorted() {
		if e.Kind == script.Baseline && !known[e.Key()] && len(migrations(x.change.Tip)) > 0 {
			x.warn(e.Path + " was not run: Flyway runs it on new databases only, and this one has the target " +
				"branch's scripts")
		}
	}
	size := 1
	if len(versions) > stepLimit {
		size = len(versions)
	}
	var steps []step
	for from := 0; from < len(versions); from += size {
		steps = append(steps, step{tree: x.upTo(merged, versions[from+size:]), adds: versions[from : from+size]})
	}
	if len(steps) == 0 || differ(x.change.Tip, merged) {
		steps = append(steps, step{tree: tree(merged), last: true})
	}
	return steps
}

// upTo is the merged tree without the versions that come later, and with the
// target branch's repeatable scripts, as far as the merge keeps them.
func (x *rehearsal) upTo(merged change.Tree, later []change.Entry) tree {
	t := tree{}
	kept := map[string]bool{}
	for p, e := range merged {
		if e.Kind != script.Repeatable {
			t[p] = e
		}
		kept[e.Key()] = true
	}
	for p, e := range x.change.Tip {
		if e.Kind == script.Repeatable && kept[e.Key()] {
			t[p] = e
		}
	}
	for _, e := range later {
		delete(t, e.Path)
		delete(t, e.Path+".conf")
	}
	return t
}

// differ reports whether the repeatable scripts of two trees do.
func differ(a, b change.Tree) bool {
	list := func(t change.Tree) (s string) {
		for _, e := range t.Sorted() {
			if e.Kind == script.Repeatable {
				s += e.Path + "\x00" + string(e.Data) + "\x00"
			}
		}
		return s
	}
	return list(a) != list(b)
}

// migrate has the migrator carry out a request on these folders.
func (x *rehearsal) migrate(ctx context.Context, req migrator.Request, folders ...string) (*report.Report, error) {
	t := x.Target
	secret, err := json.Marshal(map[string]any{"username": t.User, "password": string(t.Password)})
	if err != nil {
		return nil, err
	}
	m := &migrator.Migrator{
		Config: migrator.Config{
			Locations: folders, Encoding: x.Encoding, SecretARN: "rehearsal", Override: t, Schema: x.Schema,
			Table:  x.Table,
			Flyway: x.Flyway, Baseline: x.Baseline, FastPath: true,
			Rehearsal: x.kind(), LockTimeout: x.LockTimeout, LockWait: 10 * time.Second, ConnectWait: 10 * time.Second,
		},
		Runner:  flyway.Runner{Installation: x.Installation},
		Secrets: inMemory(secret), Log: x.Log,
	}
	if !x.until.IsZero() {
		limited, cancel := context.WithDeadlineCause(ctx, x.until, migrator.ErrDeadline)
		defer cancel()
		ctx = limited
	}
	return m.Run(ctx, req)
}

func (x *rehearsal) kind() migrator.Rehearsal {
	if x.Restored {
		return migrator.OnCopy
	}
	return migrator.OnThrowAwayServer
}

// inMemory is a secret that needs no Secrets Manager.
type inMemory []byte

func (s inMemory) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
	...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	text := string(s)
	return &secretsmanager.GetSecretValueOutput{SecretString: &text}, nil
}

// connect opens a session of our own. Errors never hold the password.
func connect(ctx context.Context, t database.Target) (*pgx.Conn, error) {
	q := url.Values{"application_name": {"slipway-rehearsal"}, "sslmode": {"verify-full"}}
	if t.TLS.Insecure {
		q.Set("sslmode", "prefer")
	} else {
		q.Set("sslrootcert", t.TLS.RootCert)
	}
	u := url.URL{Scheme: "postgres", Host: t.Address(), Path: "/" + t.Name, RawQuery: q.Encode(),
		User: url.User(t.User)}
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, err
	}
	config.Password = string(t.Password)
	db, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return db, pinPath(ctx, db)
}

// pinPath keeps objects of the scripts from being taken for PostgreSQL's own.
func pinPath(ctx context.Context, db *pgx.Conn) error {
	_, err := db.Exec(ctx, "SET search_path = pg_catalog, pg_temp")
	return err
}

// look is the database at one moment: the schema as text, and as a model.
type look struct {
	text   string
	schema Schema
}

func (x *rehearsal) look(ctx context.Context) (*look, error) {
	text, err := catalog.Snapshot(ctx, x.db, catalog.Options{Ignore: []string{x.Table}})
	if err != nil {
		return nil, err
	}
	schema, err := readSchema(ctx, x.db, x.Table)
	return &look{text, schema}, err
}
