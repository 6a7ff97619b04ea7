package script

import (
	"errors"
	"strings"
	"testing"
)

// What the history can't hold is refused before anything runs, to the character.
func TestNamesThatDoNotFitIntoTheHistory(t *testing.T) {
	deep := strings.Repeat(strings.Repeat("d", 200)+"/", 5)
	for name, want := range map[string]string{
		"V" + strings.Repeat("1", 50) + "__a.sql": "",
		"V" + strings.Repeat("1", 51) + "__a.sql": "the version has 51 characters, " +
			"and the history holds 50",
		"B" + strings.Repeat("1.", 25) + "1__a.sql":                              "the version has 51 characters",
		"U" + strings.Repeat("1", 51) + "__a.sql":                                "",
		"V1__" + strings.Repeat("x", 230) + ".sql":                               "",
		"V1__" + strings.Repeat("x", 196) + "\U0001F6A2\U0001F6A2\U0001F6A2.sql": "cut it inside of one",
		"V1__" + strings.Repeat("x", 195) + "\U0001F6A2\U0001F6A2\U0001F6A2.sql": "",
		"R__" + strings.Repeat("x", 200) + ".sql":                                "",
		"R__" + strings.Repeat("x", 201) + ".sql":                                "longer than 200 characters",
		deep + "V1__a.sql":        "its path has 1014 characters, and the history holds 1000",
		deep[:980] + "/V1__a.sql": "",
	} {
		_, err := Load(folder(t, map[string]string{"V0__first.sql": "SELECT 1;", name: "SELECT 1;"}))
		var bad *ReleaseError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case want != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}
