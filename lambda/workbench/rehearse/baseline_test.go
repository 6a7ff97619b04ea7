package rehearse

import (
	"slices"
	"strings"
	"testing"
)

// A B script is for new databases, and a rehearsal begins with the target branch's scripts.
func TestBaselineScriptThatCantBeRehearsedIsNamed(t *testing.T) {
	base := files{"V1__a.sql": "CREATE TABLE a (id int);"}
	work := files{"V1__a.sql": base["V1__a.sql"], "B1__all.sql": base["V1__a.sql"],
		"V2__b.sql": "CREATE TABLE b (id int);"}
	r, err := Run(t.Context(), changeOf(base, work), options(t))
	if err != nil {
		t.Fatal(err)
	}
	said := func(w string) bool { return strings.HasPrefix(w, "B1__all.sql was not run") }
	if !r.OK() || len(r.Scripts) != 1 || !slices.ContainsFunc(r.Warnings, said) {
		t.Errorf("%+v", r)
	}
	r = rehearsed(t, options(t), nil, work)
	if !r.OK() || len(r.Scripts) != 2 || r.Scripts[0].Script != "B1__all.sql" || len(r.Warnings) > 0 {
		t.Errorf("without scripts on the target branch: %+v", r)
	}
}
