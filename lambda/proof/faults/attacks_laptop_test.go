//go:build faults

package faults

import (
	"net"
	"net/http"
	"strings"
	"time"
)

var attackLaptopFaults = []fault{
	{"attack-serve-from-elsewhere", "`slipway serve` listens on 127.0.0.1 alone: another address of the machine " +
		"refuses the connection", func(t *testbed) {
		t.one()
		if c, err := net.DialTimeout("tcp", "127.0.0.1:8080", time.Second); err == nil {
			c.Close()
			t.cannot("another program listens on port 8080")
		}
		e := &endpoint{process: t.launch(nil, "serve", "--json")}
		e.awaitURL()
		defer e.stop()
		t.check(strings.HasPrefix(e.url, "http://127.0.0.1:8080/"), "it listens on %s", e.url)
		for _, address := range otherAddresses() {
			if c, err := net.DialTimeout("tcp", net.JoinHostPort(address, "8080"), time.Second); err == nil {
				c.Close()
				t.fail("%s:8080 takes connections", address)
			}
		}
		t.saw("only 127.0.0.1 takes connections")
	}},
	{"attack-serve-from-a-page", "a web page that posts to `slipway serve` is refused, and nothing runs",
		func(t *testbed) {
			t.one()
			before := t.look()
			e := t.serve()
			defer e.stop()
			request, err := http.NewRequestWithContext(t.ctx, http.MethodPost, e.url,
				strings.NewReader(`{"command":"migrate"}`))
			t.must(err)
			request.Header.Set("Content-Type", "text/plain") // a browser asks nobody before it sends this
			request.Header.Set("Origin", "https://attacker.example")
			response, err := http.DefaultClient.Do(request)
			t.must(err)
			response.Body.Close()
			t.check(response.StatusCode == http.StatusForbidden, "it answered %s", response.Status)
			t.unchanged(before)
			t.saw("%s", response.Status)
		}},
}

// otherAddresses are addresses of this machine besides 127.0.0.1.
func otherAddresses() []string {
	addresses := []string{"127.0.0.2"}
	found, _ := net.InterfaceAddrs()
	for _, a := range found {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && !ip.IP.IsLinkLocalUnicast() {
			addresses = append(addresses, ip.IP.String())
		}
	}
	return addresses
}
