package main

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
// until its slow script runs, and answers how to cut the network: as when the
// host of a sandbox goes away, no socket is closed.
func (l *lab) overNetwork(args ...string) (run *process, cut func()) {
	if !isRoot() {
		l.cannot("it needs root to make a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		l.cannot("it needs the command ip (Debian: iproute2)")
	}
	space := fmt.Sprintf("slipway-%d-%d", os.Getpid(), l.number)
	link := fmt.Sprintf("sw%d", os.Getpid()%100000) + string(rune('a'+l.number%26))
	host, guest := fmt.Sprintf("10.213.%d.1", l.number), fmt.Sprintf("10.213.%d.2", l.number)
	l.ip("netns", "add", space)
	l.later(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	l.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
	l.later(func() { _ = exec.Command("ip", "link", "del", link).Run() })
	l.ip("addr", "add", host+"/24", "dev", link)
	l.ip("link", "set", link, "up")
	l.ip("-n", space, "addr", "add", guest+"/24", "dev", "eth0")
	l.ip("-n", space, "link", "set", "eth0", "up")
	l.ip("-n", space, "link", "set", "lo", "up")

	// A server that hears the guest itself: with a relay between, it would
	// never notice.
	hba := l.beside("pg_hba.conf")
	l.must(os.WriteFile(hba, []byte("host all all 0.0.0.0/0 scram-sha-256\n"), 0o644))
	l.ownServer(map[string]string{"listen_addresses": "127.0.0.1," + host, "hba_file": hba})
	l.env["PGHOST"] = host
	// The secret, though, may come over a relay.
	endpoint, err := url.Parse(l.secrets.URL)
	l.must(err)
	relay, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	l.must(err)
	l.later(func() { relay.Close() })
	go relayAll(relay, endpoint.Host)
	former := l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
	l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://" + net.JoinHostPort(host, strconv.Itoa(relay.Addr().(*net.TCPAddr).Port))

	l.one()
	l.slow()
	run = l.launch([]string{"ip", "netns", "exec", space}, append([]string{"migrate", "--json"}, args...)...)
	l.awaitStatement("%pg_sleep%")
	l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = former
	l.direct()
	return run, func() { l.ip("-n", space, "link", "set", "eth0", "down") }
}

func (l *lab) ip(args ...string) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil && strings.Contains(string(out), "not permitted") {
		l.cannot("no network namespace can be made here: %s", strings.TrimSpace(string(out)))
	}
	if err != nil {
		l.fail("ip %s: %v: %s", strings.Join(args, " "), err, out)
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
