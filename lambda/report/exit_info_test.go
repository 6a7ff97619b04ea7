package report

import "testing"

func TestInfoExitTellsWhatIsWrongBeforeWhatIsPending(t *testing.T) {
	pending, problem := []Script{{}}, []Problem{{Reason: "edited"}}
	for want, r := range map[int]Report{
		0: {Code: OK},
		1: {Code: OK, Pending: pending, Problems: problem},
		3: {Code: OK, Pending: pending},
		6: {Code: DatabaseUnreachable, Problems: problem},
	} {
		if got := r.InfoExit(); got != want {
			t.Errorf("%+v: %d, want %d", r, got, want)
		}
	}
}
