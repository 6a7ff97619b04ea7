//go:build faults

package faults

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// overNetwork starts a migrate in a network namespace of the fault's own, waits
// until its slow script runs, and returns how to cut the network: as when the
// host of a sandbox goes away, no socket is closed.
func (t *testbed) overNetwork(args ...string) (run *process, cut func()) {
	if !isRoot() {
		t.cannot("it needs root to make a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.cannot("it needs the command ip (Debian: iproute2)")
	}
	space := fmt.Sprintf("slipway-%d-%d", os.Getpid(), t.number)
	link := fmt.Sprintf("sw%d", os.Getpid()%100000) + string(rune('a'+t.number%26))
	subnet := fmt.Sprintf("10.213.%d.", t.number%256)
	host, guest := subnet+"1", subnet+"2"
	t.ip("netns", "add", space)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	t.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", link).Run() })
	t.ip("addr", "add", host+"/24", "dev", link)
	t.ip("link", "set", link, "up")
	t.ip("-n", space, "addr", "add", guest+"/24", "dev", "eth0")
	t.ip("-n", space, "link", "set", "eth0", "up")
	t.ip("-n", space, "link", "set", "lo", "up")

	// A server that hears the guest itself: with a relay between, it would
	// never notice.
	hba := t.beside("pg_hba.conf")
	t.must(os.WriteFile(hba, []byte("host all all 0.0.0.0/0 scram-sha-256\n"), 0o644))
	t.ownServer(map[string]string{"listen_addresses": "127.0.0.1," + host, "hba_file": hba})
	t.env["PGHOST"] = host
	// The secret, though, may come over a relay.
	endpoint, err := url.Parse(t.secrets.URL)
	t.must(err)
	relay, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	t.must(err)
	t.Cleanup(func() { relay.Close() })
	go relayAll(relay, endpoint.Host)
	former := t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
	t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://" +
		net.JoinHostPort(host, strconv.Itoa(relay.Addr().(*net.TCPAddr).Port))

	t.one()
	t.slow()
	run = t.launch([]string{"ip", "netns", "exec", space}, append([]string{"migrate", "--json"}, args...)...)
	t.awaitStatement("%pg_sleep%")
	t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = former
	t.direct()
	return run, func() { t.ip("-n", space, "link", "set", "eth0", "down") }
}

func (t *testbed) ip(args ...string) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil && strings.Contains(string(out), "not permitted") {
		t.cannot("no network namespace can be made here: %s", strings.TrimSpace(string(out)))
	}
	if err != nil {
		t.fail("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func relayAll(l net.Listener, target string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			up, err := net.Dial("tcp", target)
			if err != nil {
				return
			}
			defer up.Close()
			go func() {
				_, _ = io.Copy(up, c)
				up.Close()
			}()
			_, _ = io.Copy(c, up)
		}()
	}
}
