package rehearse

import (
	"testing"
)

func TestProgramsAmongTheScriptsFailARehearsal(t *testing.T) {
	r, err := Run(t.Context(), changeOf(files{"V1__a.sql": "CREATE TABLE a (id int);"}, files{"V2__x.sh": "true"}),
		options(t))
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Failure; f == nil || f.Code != "BAD_RELEASE" || f.Script != "V2__x.sh" || f.Where != "the new scripts" {
		t.Errorf("%+v", f)
	}
}

func TestABranchMayRemoveWhatMakesTheTargetBranchNoRelease(t *testing.T) {
	base := files{"V1__a.sql": "CREATE TABLE a (id int);", "Thumbs.db": "x", "V2_x.sql": "SELECT 1;"}
	r, err := Run(t.Context(), changeOf(base, files{"Thumbs.db": "", "V2_x.sql": ""}), options(t))
	if err != nil || r.Failure != nil || r.TargetScripts != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
