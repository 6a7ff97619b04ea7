package check

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/change"
)

func TestFixAddsOnlyWhatIsMissing(t *testing.T) {
	base := files{"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "REINDEX TABLE CONCURRENTLY a;"}
	work := files{
		"V1__a.sql": base["V1__a.sql"], "V2__b.sql": base["V2__b.sql"],
		"V3__c.sql": "REINDEX TABLE CONCURRENTLY a;", "sub/V4__d.sql": "CLUSTER;\nREINDEX (CONCURRENTLY) TABLE a;",
		"V5__e.sql": "REINDEX TABLE CONCURRENTLY a;\nSELECT 1;", "V6__f.sql": "CLUSTER;",
		"V6__f.sql.conf": "encoding=UTF-8\n",
		"V7__g.sql":      "VACUUM a;", "U7__g.sql": "CLUSTER;", "R__h.sql": "SELECT 1;", "V8__i.sql": "-- nothing",
	}
	folder := changetest.Branch(t, base, work, nil)
	c, err := change.Find(context.Background(), folder, "")
	if err != nil {
		t.Fatal(err)
	}
	written, err := Fix(c, Options{})
	slices.Sort(written)
	if err != nil || !slices.Equal(written, []string{"V3__c.sql.conf", "sub/V4__d.sql.conf"}) {
		t.Fatal(written, err)
	}
	for _, name := range written {
		if text, err := os.ReadFile(filepath.Join(folder, name)); string(text) != "executeInTransaction=false\n" {
			t.Error(name, string(text), err)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "V6__f.sql.conf")); string(text) != work["V6__f.sql.conf"] {
		t.Error("a file that was there was changed")
	}
	if c, err = change.Find(context.Background(), folder, ""); err != nil {
		t.Fatal(err)
	}
	if written, err = Fix(c, Options{}); err != nil || len(written) > 0 {
		t.Error("a second time:", written, err)
	}
	if _, err := Fix(&change.Change{Folder: folder, Work: c.Work}, Options{}); !errors.Is(err, ErrNoTarget) {
		t.Error(err)
	}
}
