package script

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestVersionsInOrder(t *testing.T) {
	ascending := []string{
		"0", "0.0.1", "0.1", "1", "1.0.1", "1.1", "1.2", "1.10", "1.10.1", "2", "10", "99",
		"20240131", "20240131.1", "99999999999999999999", "100000000000000000000", strings.Repeat("9", 300), "1" +
			strings.Repeat("0", 300),
	}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := MustVersion(a).Compare(MustVersion(b)); got != want {
				t.Errorf("%s against %s: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestVersionsThatAreTheSame(t *testing.T) {
	for _, same := range [][]string{
		{"1", "1.0", "01", "1.0.0", "001.00", "1_0"},
		{"0", "00", "0.0", "0_0_0"},
		{"1.2", "1_2", "1.02", "01.2.0"},
		{"1.0.3", "1.00.3"},
	} {
		for _, a := range same {
			for _, b := range same {
				va, vb := MustVersion(a), MustVersion(b)
				if va.Compare(vb) != 0 || va.Key() != vb.Key() {
					t.Errorf("%s and %s: compare %d, keys %q and %q", a, b, va.Compare(vb), va.Key(), vb.Key())
				}
			}
		}
	}
}

func TestVersionKeepsItsZerosInPrint(t *testing.T) {
	for text, want := range map[string]string{"01_0": "01.0", "1.0": "1.0", "20240131": "20240131", "0": "0"} {
		if got := MustVersion(text).String(); got != want {
			t.Errorf("%s prints as %q, want %q", text, got, want)
		}
	}
}

func TestVersionOfAnEmptySchemaIsBelowAll(t *testing.T) {
	var none Version
	zero := MustVersion("0")
	if !none.IsZero() || zero.IsZero() || none.Compare(zero) != -1 || zero.Compare(none) != 1 ||
		none.Compare(Version{}) != 0 {
		t.Error("the version of an empty schema is not below version 0")
	}
	if none.String() != "" || Highest().Compare(none) != 0 {
		t.Error("the highest of no versions is not the empty one")
	}
	if got := Highest(MustVersion("1.9"), none, MustVersion("1.10"), zero); got.String() != "1.10" {
		t.Errorf("highest is %s", got)
	}
}

func TestTextsThatAreNoVersion(t *testing.T) {
	for _, text := range []string{"", " ", "x", "1.", ".1", "1..2", "1__2", "1._2", "-1", "+1", "1 ", "1a", "1.a", "v1",
		"٣", "1\n", "latest", "current", "next", "1,2", "1e3", "0x1"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("%q was taken for version %s", text, v)
		} else if !strings.Contains(err.Error(), "should look like") {
			t.Errorf("%q: the error does not say what a version looks like: %v", text, err)
		}
	}
}

func TestVersionOrderIsTotal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() Version {
		parts := make([]string, 1+r.IntN(4))
		for i := range parts {
			parts[i] = strings.Repeat("0", r.IntN(2)) + []string{"0", "1", "2", "10", "18446744073709551616"}[r.IntN(5)]
		}
		return MustVersion(strings.Join(parts, "."))
	}
	for range 5000 {
		vs := []Version{random(), random(), random()}
		slices.SortFunc(vs, Version.Compare)
		if vs[0].Compare(vs[2]) > 0 || vs[0].Compare(vs[1]) != -vs[1].Compare(vs[0]) {
			t.Fatalf("no order among %v", vs)
		}
		if (vs[0].Compare(vs[1]) == 0) != (vs[0].Key() == vs[1].Key()) {
			t.Fatalf("%s and %s: order and key differ", vs[0], vs[1])
		}
	}
}

func TestMustVersionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a bad version")
		}
	}()
	MustVersion("one")
}
