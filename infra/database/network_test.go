package database

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSixteenths(t *testing.T) {
	for _, c := range []struct {
		whole string
		n     int
		want  []string
	}{
		{"10.0.0.0/16", 2, []string{"10.0.0.0/20", "10.0.16.0/20"}},
		{"192.168.7.0/24", 3, []string{"192.168.7.0/28", "192.168.7.16/28", "192.168.7.32/28"}},
		{"172.31.240.0/20", 3, []string{"172.31.240.0/24", "172.31.241.0/24", "172.31.242.0/24"}},
	} {
		if got := sixteenths(netip.MustParsePrefix(c.whole), c.n); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", c.whole, got, c.want)
		}
	}
}
