package database

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestJDBCURLNamesTheDatabase(t *testing.T) {
	target := Target{Host: "db.example.com", Port: 5433, Name: "shop", User: "app", Password: Password(hush),
		TLS: TLS{RootCert: "/opt/ca.pem"}}
	got := target.JDBCURL("slipway/1",
		map[string]string{"lock_timeout": "5000", "client_connection_check_interval": "1000"})
	want := "jdbc:postgresql://db.example.com:5433/shop?ApplicationName=slipway%2F1&connectTimeout=10" +
		"&options=-c%20client_connection_check_interval%3D1000%20-c%20lock_timeout%3D5000&sslmode=verify-full&sslrootcert=%2Fopt%2Fca.pem&tcpKeepAlive=true"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, secret := range []string{"hush", "app", "user", "password"} {
		if strings.Contains(strings.ReplaceAll(got, "ApplicationName", ""), secret) {
			t.Errorf("%s is in %s", secret, got)
		}
	}
}

func TestJDBCURLWithoutTLSOnlyWhenAsked(t *testing.T) {
	target := Target{Host: "localhost", Port: 5432, Name: "d", TLS: TLS{Insecure: true, RootCert: "/ca.pem"}}
	if got := target.JDBCURL("a", nil); !strings.Contains(got, "sslmode=prefer") || strings.Contains(got, "options") ||
		strings.Contains(got, "sslrootcert") {
		t.Error(got)
	}
	target.TLS.Insecure = false
	if got := target.JDBCURL("a", nil); !strings.Contains(got, "sslmode=verify-full") {
		t.Error(got)
	}
}

func TestAwkwardNamesComeBackFromTheURL(t *testing.T) {
	for _, name := range []string{"shop", "Shop-1", "a b", "a+b", "a/b", "a?b=c&d", "a#b", "a%20b", "größe", "😀",
		`a"b\c'd`, "a@b:c", "${x}"} {
		target := Target{Host: "::1", Port: 5432, Name: name, TLS: TLS{RootCert: "/ca"}}
		text := target.JDBCURL("app", nil)
		if strings.ContainsAny(text, " +\"\\") {
			t.Errorf("%q: not encoded: %s", name, text)
		}
		back, err := ParseJDBCURL(text, false)
		if err != nil || back.Name != name || back.Host != "::1" || back.Port != 5432 {
			t.Errorf("%q came back as %+v, %v", name, back, err)
		}
	}
}

func TestSessionSettingsAreEscaped(t *testing.T) {
	if got, want := options(map[string]string{"b": `x y\z`, "a": "1"}), `-c a=1 -c b=x\ y\\z`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if options(nil) != "" {
		t.Error("settings out of nothing")
	}
}

func TestJDBCURLsThatMayBeGiven(t *testing.T) {
	for text, want := range map[string]Target{
		"jdbc:postgresql://h:5433/d":          {Host: "h", Port: 5433, Name: "d"},
		"jdbc:postgresql://h/d":               {Host: "h", Port: 5432, Name: "d"},
		"jdbc:postgresql://[::1]:1/a%2Fb%20c": {Host: "::1", Port: 1, Name: "a/b c"},
		"jdbc:postgresql://h/d?sslmode=verify-full&ssl=true&sslrootcert=/x&tcpKeepAlive=true": {Host: "h",
			Port: 5432, Name: "d"},
		"jdbc:postgresql://h/d?ApplicationName=x&connectTimeout=1&loginTimeout=2&targetServerType=primary": {Host: "h",
			Port: 5432, Name: "d"},
		"jdbc:postgresql://h/d?sslmode=require": {Host: "h", Port: 5432, Name: "d"},
	} {
		got, err := ParseJDBCURL(text, false)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestJDBCURLsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                          "should look like",
		"postgresql://h/d":                                          "should look like",
		"jdbc:mysql://h/d":                                          "should look like",
		"jdbc:postgresql:d":                                         "should look like",
		"jdbc:postgresql://h:port/d":                                "should look like",
		"jdbc:postgresql://h:0/d":                                   "no port number",
		"jdbc:postgresql://h:99999/d":                               "no port number",
		"jdbc:postgresql:///d":                                      "one host and one database",
		"jdbc:postgresql://h":                                       "one host and one database",
		"jdbc:postgresql://h/":                                      "one host and one database",
		"jdbc:postgresql://h1,h2/d":                                 "one host and one database",
		"jdbc:postgresql://u:hush@h/d":                              "credentials",
		"jdbc:postgresql://hush@h/d":                                "credentials",
		"jdbc:postgresql://h/d?user=u":                              "parameter user is not allowed",
		"jdbc:postgresql://h/d?password=hush":                       "parameter password is not allowed",
		"jdbc:postgresql://h/d?sslpassword=hush":                    "parameter sslpassword is not allowed",
		"jdbc:postgresql://h/d?sslfactory=org.x.NonValidating":      "parameter sslfactory is not allowed",
		"jdbc:postgresql://h/d?sslhostnameverifier=x":               "parameter sslhostnameverifier is not allowed",
		"jdbc:postgresql://h/d?socketFactory=x":                     "parameter socketFactory is not allowed",
		"jdbc:postgresql://h/d?options=-c%20lock_timeout=0":         "parameter options is not allowed",
		"jdbc:postgresql://h/d?currentSchema=x":                     "parameter currentSchema is not allowed",
		"jdbc:postgresql://h/d?socketTimeout=1":                     "parameter socketTimeout is not allowed",
		"jdbc:postgresql://h/d?sslmode=disable":                     "sslmode=disable weakens TLS",
		"jdbc:postgresql://h/d?sslmode=allow":                       "weakens TLS",
		"jdbc:postgresql://h/d?sslmode=prefer":                      "weakens TLS",
		"jdbc:postgresql://h/d?sslmode=verify-full&sslmode=disable": "weakens TLS",
		"jdbc:postgresql://h/d?ssl=false":                           "ssl=false weakens TLS",
		"jdbc:postgresql://h/d?sslmode=verify-full;password=hush":   "should look like",
		"jdbc:postgresql://h/d?%zz":                                 "should look like",
	} {
		got, err := ParseJDBCURL(text, false)
		if err == nil {
			t.Errorf("%s was taken: %+v", text, got)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseJDBCURL("jdbc:postgresql://h/d?sslmode=disable", true); err != nil {
		t.Errorf("insecure on purpose: %v", err)
	}
	if _, err := ParseJDBCURL("jdbc:postgresql://h/d?password=x", true); err == nil {
		t.Error("credentials in the URL of a local server")
	}
}

func FuzzParseJDBCURL(f *testing.F) {
	f.Add("jdbc:postgresql://h:5433/d?sslmode=require")
	f.Add("jdbc:postgresql://[::1]/a%2Fb?x=y")
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseJDBCURL(text, false)
		if err != nil {
			return
		}
		if target.Host == "" || target.Name == "" || target.Port < 1 || target.Port > 65535 {
			t.Errorf("%q: %+v", text, target)
		}
		rest, _ := strings.CutPrefix(target.JDBCURL("a", nil), "jdbc:")
		if u, err := url.Parse(rest); err != nil || u.User != nil {
			t.Errorf("%q gives %q: %v", text, rest, err)
		}
	})
}

func TestDSNIsWhatScriptsExpect(t *testing.T) {
	target := Target{Host: "h", Port: 5432, Name: "d", User: "u", Password: Password(hush)}
	if got := target.DSN(); got != "h port=5432 dbname=d user=u" {
		t.Error(got)
	}
}

func TestPortsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "0", "65536", "-1", "x", "1.5", " 1", "5432x", "99999999999999999999"} {
		if n, err := ParsePort(text); err == nil {
			t.Errorf("%q is port %d", text, n)
		}
	}
	if n, err := ParsePort("65535"); n != 65535 || err != nil {
		t.Error(n, err)
	}
}

func TestOwnSessionKeepsAwkwardNames(t *testing.T) {
	t.Setenv("PGPASSWORD", "from outside")
	t.Setenv("PGSSLMODE", "disable")
	target := Target{Host: "h.example.com", Port: 5433, Name: `d'\ b`, User: "u\n'\\ü", Password: Password(hush),
		TLS: TLS{Insecure: true}}
	c, err := target.config("slipway-run/1")
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != target.Host || c.Port != 5433 || c.Database != target.Name || c.User != target.User ||
		c.Password != hush {
		t.Errorf("%+v", c)
	}
	if c.RuntimeParams["application_name"] != "slipway-run/1" ||
		c.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol {
		t.Errorf("%v %v", c.RuntimeParams, c.DefaultQueryExecMode)
	}
	target.TLS = TLS{RootCert: "/no/such/file.pem"}
	if _, err := target.config("x"); err == nil || !strings.Contains(err.Error(), "BAD_REQUEST") {
		t.Errorf("a root certificate that is not there: %v", err)
	}
}
