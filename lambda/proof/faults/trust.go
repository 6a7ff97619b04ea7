package main

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
	{"tls-verified", "a server with a certificate of the trusted authority for its host is taken, by Slipway and by Flyway", func(l *lab) {
		l.tls("127.0.0.1", time.Hour, nil)
		l.one()
		l.slow()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		sessions := l.ask("SELECT string_agg(DISTINCT split_part(application_name, '/', 1) || ' ' || ssl, ', ') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1", l.role)
		l.check(sessions == "slipway true, slipway-run true", "the sessions and their encryption: %s", sessions)
		l.saw("every session is encrypted")
		run.kill()
		l.nothingLeft()
		l.again("2")
	}},
	{"tls-wrong-authority", "refused: DATABASE_UNREACHABLE names PGSSLROOTCERT", func(l *lab) {
		l.tls("127.0.0.1", time.Hour, func() { newAuthority(l).write("authority.pem") })
		l.distrusted("not of a trusted authority", "PGSSLROOTCERT")
	}},
	{"tls-wrong-host", "refused: DATABASE_UNREACHABLE says that the certificate is for another host", func(l *lab) {
		l.tls("db.example.org", time.Hour, nil)
		l.distrusted("for another host")
	}},
	{"tls-expired", "refused: DATABASE_UNREACHABLE", func(l *lab) {
		l.tls("127.0.0.1", -time.Hour, nil)
		l.distrusted("certificate")
	}},
	{"tls-not-offered", "a server without TLS is refused", func(l *lab) {
		newAuthority(l).write("authority.pem")
		l.verify()
		l.distrusted("offers no TLS")
	}},
	{"tls-stripped-for-flyway", "Flyway checks the server itself: without TLS it gets no password either", func(l *lab) {
		l.tls("127.0.0.1", time.Hour, nil)
		l.one()
		before := l.look()
		passwords := make(chan []byte, 9)
		l.proxy(func(p *proxy, c net.Conn, n int) {
			if n == 1 {
				p.relay(c)
				return
			}
			if message := startup(c); message != nil { // says no to TLS
				passwords <- message
			}
		})
		o := l.run("migrate")
		l.answered(o, report.DatabaseUnreachable, before)
		l.check(len(passwords) == 0, "Flyway went on without TLS")
		l.direct()
		l.next("1")
	}},
	{"tls-authority-file-missing", "BAD_REQUEST names PGSSLROOTCERT", func(l *lab) {
		l.one()
		before := l.look()
		l.verify()
		o := l.run("migrate")
		l.contains(o.Message+o.Next, "PGSSLROOTCERT")
		l.answered(o, report.BadRequest, before)
	}},
	{"iam", "a token from the SDK is the password, of Slipway's session and of Flyway's; the secret is not read", func(l *lab) {
		tokens := l.iam()
		l.completes("2")
		l.check(len(tokens) >= 2, "%d tokens were taken", len(tokens))
		l.check(l.secrets.Reads(l.name) == 0, "the secret was read")
		l.saw("a server that takes only signed tokens for its host and user")
	}},
	{"iam-refused", "a token that the server does not take is ACCESS_DENIED at once", func(l *lab) {
		l.iam()
		l.env["PGUSER"] = l.role
		l.env["AWS_ACCESS_KEY_ID"] = "AKIASOMEBODY"
		before := l.look()
		o := l.run("migrate")
		l.atOnce(o)
		l.answered(o, report.AccessDenied, before)
		l.env["AWS_ACCESS_KEY_ID"] = "AKIAFAULTS"
		l.next("2")
	}},
	{"iam-without-credentials", "SECRET_UNREADABLE says that there is no token", func(l *lab) {
		l.iam()
		delete(l.env, "AWS_ACCESS_KEY_ID")
		before := l.look()
		o := l.run("migrate")
		l.contains(o.Message, "no IAM token")
		l.answered(o, report.SecretUnreadable, before)
		l.env["AWS_ACCESS_KEY_ID"] = "AKIAFAULTS"
		l.next("2")
	}},
}

// verify has the program check the server, against authority.pem.
func (l *lab) verify() {
	delete(l.env, "SLIPWAY_INSECURE_TLS")
	l.env["PGSSLROOTCERT"] = filepath.Join(l.dir, "authority.pem")
}

func (l *lab) distrusted(words ...string) {
	l.one()
	before := l.look()
	o := l.run("migrate")
	l.contains(o.Message+" "+o.Next, words...)
	l.answered(o, report.DatabaseUnreachable, before)
	l.saw("“%s”", words[0])
}

// tls gives the fault a server with a certificate for that host, and has the
// program verify it; after changes what it verifies with.
func (l *lab) tls(host string, valid time.Duration, after func()) {
	a := newAuthority(l)
	a.write("authority.pem")
	certificate, key := a.issue(host, valid)
	l.ownServer(map[string]string{"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key})
	l.verify()
	if after != nil {
		after()
	}
}

// authority is a certificate authority of the fault's own.
type authority struct {
	l    *lab
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(l *lab) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	l.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	l.must(err)
	cert, err := x509.ParseCertificate(der)
	l.must(err)
	return &authority{l, cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a *authority) write(name string) {
	a.l.must(os.WriteFile(filepath.Join(a.l.dir, name), a.pem, 0o644))
}

// issue makes a certificate and its key, and answers their files.
func (a *authority) issue(host string, valid time.Duration) (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.l.must(err)
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
	a.l.must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	a.l.must(err)
	certificate, key = a.l.beside("server.pem"), a.l.beside("server.key")
	a.l.must(os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	a.l.must(os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	if isRoot() {
		a.l.must(os.Chown(key, postgres.Unprivileged, postgres.Unprivileged))
	}
	return certificate, key
}

// iam gives the fault a server that takes tokens of AKIAFAULTS for passwords,
// with version 2 pending, and answers the tokens that were taken. A proxy does
// what RDS does: it checks the token; PostgreSQL then checks it as the role's
// password.
func (l *lab) iam() (tokens chan string) {
	hba := l.beside("pg_hba.conf")
	l.must(os.WriteFile(hba, []byte("host all all 127.0.0.1/32 password\n"), 0o644))
	l.ownServer(map[string]string{"hba_file": hba})
	l.one()
	l.two()
	l.secrets.Set(l.name, l.secret("no password at all"))
	delete(l.env, "MASTER_SECRET_ARN")
	tokens = make(chan string, 100)
	l.proxy(func(p *proxy, c net.Conn, _ int) {
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
		if l.goodToken(token, p.port) {
			if l.server.CreateRole(l.ctx, l.role, token) == nil {
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
	l.env["SLIPWAY_IAM_AUTH"], l.env["PGUSER"], l.env["PGDATABASE"] = "true", l.role, l.database
	return tokens
}

var signature = regexp.MustCompile(`^[0-9a-f]{64}$`)

// goodToken checks what RDS checks, save the signature itself.
func (l *lab) goodToken(token string, port int) bool {
	u, err := url.Parse("https://" + token)
	if err != nil {
		return false
	}
	q := u.Query()
	return u.Host == net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) && q.Get("Action") == "connect" && q.Get("DBUser") == l.role &&
		strings.HasPrefix(q.Get("X-Amz-Credential"), "AKIAFAULTS/") && strings.HasSuffix(q.Get("X-Amz-Credential"), fmt.Sprintf("/%s/rds-db/aws4_request", l.env["AWS_REGION"])) &&
		q.Get("X-Amz-Expires") == "900" && signature.MatchString(q.Get("X-Amz-Signature"))
}
