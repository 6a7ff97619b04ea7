//go:build faults

package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"slipway/lambda/report"
	"slipway/lambda/workbench/postgres"
)

var trustFaults = []fault{
	{"tls-verified", "a server with a certificate of the trusted authority for its host is taken, by Slipway and by " +
		"Flyway", func(t *testbed) {
		t.tls("127.0.0.1", time.Hour, nil)
		t.one()
		t.slow()
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		sessions := t.ask("SELECT string_agg(DISTINCT split_part(application_name, '/', 1) || ' ' || ssl, ', ') "+
			"FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1", t.role)
		t.check(sessions == "slipway true, slipway-run true", "the sessions and their encryption: %s", sessions)
		t.saw("every session is encrypted")
		run.kill()
		t.nothingLeft()
		t.again("2")
	}},
	{"tls-wrong-authority", "refused: DATABASE_UNREACHABLE names PGSSLROOTCERT", func(t *testbed) {
		t.tls("127.0.0.1", time.Hour, func() { newAuthority(t).write("authority.pem") })
		t.distrusted("not of a trusted authority", "PGSSLROOTCERT")
	}},
	{"tls-wrong-host", "refused: DATABASE_UNREACHABLE says that the certificate is for another host", func(t *testbed) {
		t.tls("db.example.org", time.Hour, nil)
		t.distrusted("for another host")
	}},
	{"tls-expired", "refused: DATABASE_UNREACHABLE", func(t *testbed) {
		t.tls("127.0.0.1", -time.Hour, nil)
		t.distrusted("certificate")
	}},
	{"tls-not-offered", "a server without TLS is refused", func(t *testbed) {
		newAuthority(t).write("authority.pem")
		t.verify()
		t.distrusted("offers no TLS")
	}},
	{"tls-stripped-for-flyway", "Flyway checks the server itself: without TLS it gets no password either",
		func(t *testbed) {
			t.tls("127.0.0.1", time.Hour, nil)
			t.one()
			before := t.look()
			passwords := make(chan []byte, 9)
			t.proxy(func(p *proxy, c net.Conn, n int) {
				if n == 1 {
					p.relay(c)
					return
				}
				if message := startup(c); message != nil { // says no to TLS
					passwords <- message
				}
			})
			o := t.run("migrate")
			t.answered(o, report.DatabaseUnreachable, before)
			t.check(len(passwords) == 0, "Flyway went on without TLS")
			t.direct()
			t.next("1")
		}},
	{"tls-authority-file-missing", "BAD_REQUEST names PGSSLROOTCERT", func(t *testbed) {
		t.one()
		before := t.look()
		t.verify()
		o := t.run("migrate")
		t.contains(o.Message+o.Next, "PGSSLROOTCERT")
		t.answered(o, report.BadRequest, before)
	}},
	{"iam", "a token from the SDK is the password, of Slipway's session and of Flyway's; the secret is not read",
		func(t *testbed) {
			tokens := t.iam()
			t.completes("2")
			t.check(len(tokens) >= 2, "%d tokens were taken", len(tokens))
			t.check(t.secrets.Reads(t.name) == 0, "the secret was read")
			t.saw("a server that takes only signed tokens for its host and user")
		}},
	{"iam-refused", "a token that the server does not take is ACCESS_DENIED at once", func(t *testbed) {
		t.iam()
		t.env["PGUSER"] = t.role
		t.env["AWS_ACCESS_KEY_ID"] = "AKIASOMEBODY"
		before := t.look()
		o := t.run("migrate")
		t.atOnce(o)
		t.answered(o, report.AccessDenied, before)
		t.env["AWS_ACCESS_KEY_ID"] = "AKIAFAULTS"
		t.next("2")
	}},
	{"iam-without-credentials", "SECRET_UNREADABLE says that there is no token", func(t *testbed) {
		t.iam()
		delete(t.env, "AWS_ACCESS_KEY_ID")
		before := t.look()
		o := t.run("migrate")
		t.contains(o.Message, "no IAM token")
		t.answered(o, report.SecretUnreadable, before)
		t.env["AWS_ACCESS_KEY_ID"] = "AKIAFAULTS"
		t.next("2")
	}},
}

// verify has the program check the server, against authority.pem.
func (t *testbed) verify() {
	delete(t.env, "SLIPWAY_INSECURE_TLS")
	t.env["PGSSLROOTCERT"] = filepath.Join(t.dir, "authority.pem")
}

func (t *testbed) distrusted(words ...string) {
	t.one()
	before := t.look()
	o := t.run("migrate")
	t.contains(o.Message+" "+o.Next, words...)
	t.answered(o, report.DatabaseUnreachable, before)
	t.saw("“%s”", words[0])
}

// tls gives the fault a server with a certificate for that host, and has the
// program verify it; after changes what it verifies with.
func (t *testbed) tls(host string, valid time.Duration, after func()) {
	a := newAuthority(t)
	a.write("authority.pem")
	certificate, key := a.issue(host, valid)
	t.ownServer(map[string]string{"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key})
	t.verify()
	if after != nil {
		after()
	}
}

// authority is a certificate authority of the fault's own.
type authority struct {
	t    *testbed
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testbed) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	t.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true,
		NotBefore:             time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	t.must(err)
	cert, err := x509.ParseCertificate(der)
	t.must(err)
	return &authority{t, cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) write(name string) {
	a.t.must(os.WriteFile(filepath.Join(a.t.dir, name), a.pem, 0o644))
}

// issue makes a certificate and its key, and returns their files.
func (a *authority) issue(host string, valid time.Duration) (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.t.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(valid),
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	a.t.must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	a.t.must(err)
	certificate, key = a.t.beside("server.pem"), a.t.beside("server.key")
	a.t.must(os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	a.t.must(os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	if isRoot() {
		a.t.must(os.Chown(key, postgres.Unprivileged, postgres.Unprivileged))
	}
	return certificate, key
}

// iam gives the fault a server that takes tokens of AKIAFAULTS for passwords,
// with version 2 pending, and returns the tokens that were taken. A proxy does
// what RDS does: it checks the token; PostgreSQL then checks it as the role's
// password.
func (t *testbed) iam() (tokens chan string) {
	hba := t.beside("pg_hba.conf")
	t.must(os.WriteFile(hba, []byte("host all all 127.0.0.1/32 password\n"), 0o644))
	t.ownServer(map[string]string{"hba_file": hba})
	t.one()
	t.two()
	t.secrets.Set(t.name, t.secret("no password at all"))
	delete(t.env, "MASTER_SECRET_ARN")
	tokens = make(chan string, 100)
	t.proxy(func(p *proxy, c net.Conn, _ int) {
		message := startup(c)
		if message == nil {
			return
		}
		// What the server will ask for anyway is asked for now, to see the
		// token before it does.
		_, _ = c.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3})
		head := make([]byte, 5)
		if _, err := io.ReadFull(c, head); err != nil || head[0] != 'p' {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		token := strings.TrimSuffix(string(body), "\x00")
		if t.goodToken(token, p.port) {
			if t.server.CreateRole(t.ctx, t.role, token) == nil {
				tokens <- token
			}
		}
		up, err := net.Dial("tcp", p.target)
		if err != nil {
			return
		}
		p.keep(up)
		_, _ = up.Write(message)
		if _, err := io.ReadFull(up, make([]byte, 9)); err != nil { // its own request
			return
		}
		_, _ = up.Write(append(head, body...))
		go func() {
			_, _ = io.Copy(up, c)
			up.Close()
		}()
		_, _ = io.Copy(c, up)
	})
	t.env["SLIPWAY_IAM_AUTH"], t.env["PGUSER"], t.env["PGDATABASE"] = "true", t.role, t.database
	return tokens
}

var signature = regexp.MustCompile(`^[0-9a-f]{64}$`)

// goodToken checks what RDS checks, save the signature itself.
func (t *testbed) goodToken(token string, port int) bool {
	u, err := url.Parse("https://" + token)
	if err != nil {
		return false
	}
	q := u.Query()
	return u.Host == net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) && q.Get("Action") == "connect" &&
		q.Get("DBUser") == t.role &&
		strings.HasPrefix(q.Get("X-Amz-Credential"), "AKIAFAULTS/") &&
		strings.HasSuffix(q.Get("X-Amz-Credential"), fmt.Sprintf("/%s/rds-db/aws4_request", t.env["AWS_REGION"])) &&
		q.Get("X-Amz-Expires") == "900" && signature.MatchString(q.Get("X-Amz-Signature"))
}
