package database

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSixteenth(t *testing.T) {
	for _, c := range []struct {
		whole string
		want  []string
	}{
		{"10.0.0.0/16", []string{"10.0.0.0/20", "10.0.16.0/20"}},
		{"192.168.7.0/24", []string{"192.168.7.0/28", "192.168.7.16/28", "192.168.7.32/28"}},
		{"172.31.240.0/20", []string{"172.31.240.0/24", "172.31.241.0/24", "172.31.242.0/24"}},
	} {
		for i, want := range c.want {
			if got := sixteenth(netip.MustParsePrefix(c.whole), i); got != want {
				t.Errorf("%s: part %d is %s, not %s", c.whole, i, got, want)
			}
		}
	}
}

// A zone keeps its place, and so its addresses, in whatever order the zones are
// named, and whichever join it.
func TestPlacesOfZones(t *testing.T) {
	a, b := place{"eu-central-1a", 0}, place{"eu-central-1b", 1}
	c, f := place{"eu-central-1c", 2}, place{"eu-central-1f", 5}
	for _, given := range []struct {
		zones []string
		want  []place
	}{
		{nil, []place{{"", 0}, {"", 1}}},
		{[]string{a.name, b.name}, []place{a, b}},
		{[]string{b.name, a.name}, []place{a, b}},
		{[]string{c.name, a.name}, []place{a, c}},
		{[]string{c.name, b.name, a.name}, []place{a, b, c}},
		{[]string{f.name, c.name}, []place{c, f}},
	} {
		if got := places(given.zones, 2); !slices.Equal(got, given.want) {
			t.Errorf("%v: %v, not %v", given.zones, got, given.want)
		}
	}
}
