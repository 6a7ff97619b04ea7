package database

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Target is a database and how to get there.
type Target struct {
	Host     string
	Port     int // default 5432
	Name     string
	User     string
	Password Password
	TLS      TLS
}

// TLS says how far the server has to prove who it is.
type TLS struct {
	// Insecure takes TLS only where the server offers it and proves nothing
	// (sslmode=prefer). For local servers. Default: verify-full.
	Insecure bool
	// RootCert is the path of the PEM file with the trusted certificates.
	RootCert string
}

// DefaultPort is PostgreSQL's.
const DefaultPort = 5432

// ParsePort reads a TCP port.
func ParsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is no port number", text)
	}
	return n, nil
}

// harmless are the parameters of a JDBC URL that may stand in FLYWAY_URL:
// Slipway sets them itself, at least as strictly.
var harmless = []string{"ssl", "sslmode", "sslrootcert", "ApplicationName", "tcpKeepAlive", "connectTimeout",
	"loginTimeout", "targetServerType"}

// ParseJDBCURL reads jdbc:postgresql://host:port/name. Parameters that would
// weaken TLS or carry credentials are refused by name, insecure or not.
func ParseJDBCURL(text string, insecure bool) (Target, error) {
	rest, ok := strings.CutPrefix(text, "jdbc:postgresql://")
	if !ok {
		return Target{}, fmt.Errorf("it should look like jdbc:postgresql://host:5432/database")
	}
	u, err := url.Parse("postgresql://" + rest)
	if err != nil {
		return Target{}, fmt.Errorf("it should look like jdbc:postgresql://host:5432/database")
	}
	if u.User != nil {
		return Target{}, fmt.Errorf("it holds credentials: they belong in the secret")
	}
	t := Target{Host: u.Hostname(), Port: DefaultPort, Name: strings.TrimPrefix(u.Path, "/")}
	if t.Host == "" || t.Name == "" || strings.Contains(u.Host, ",") || strings.Contains(t.Host, ":") &&
		net.ParseIP(t.Host) == nil {
		return Target{}, fmt.Errorf("it should name one host and one database: jdbc:postgresql://host:5432/database")
	}
	if u.Port() != "" {
		if t.Port, err = ParsePort(u.Port()); err != nil {
			return Target{}, err
		}
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Target{}, fmt.Errorf("it should look like jdbc:postgresql://host:5432/database")
	}
	for key, values := range parameters {
		if !slices.Contains(harmless, key) {
			return Target{}, fmt.Errorf("parameter %s is not allowed in it", key)
		}
		if i := slices.IndexFunc(values, func(value string) bool { return weakens(key, value) }); i >= 0 && !insecure {
			return Target{}, fmt.Errorf("%s=%s weakens TLS: for a local server set SLIPWAY_INSECURE_TLS=true", key,
				values[i])
		}
	}
	return t, nil
}

func weakens(key, value string) bool {
	return key == "sslmode" && slices.Contains([]string{"disable", "allow", "prefer"}, value) || key == "ssl" &&
		value == "false"
}

// Address is host:port.
func (t Target) Address() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

// DSN is the form in which scripts get the database as ${dsn}, for dblink and
// the like: "<host> port=<port> dbname=<db> user=<user>".
func (t Target) DSN() string {
	return fmt.Sprintf("%s port=%d dbname=%s user=%s", t.Host, t.Port, t.Name, t.User)
}

// JDBCURL is the database for the PostgreSQL driver of Java, without
// credentials. application is the session's application_name and settings are
// server settings of the session, such as lock_timeout=5000.
func (t Target) JDBCURL(application string, settings map[string]string) string {
	q := url.Values{}
	q.Set("ApplicationName", application)
	q.Set("tcpKeepAlive", "true")
	q.Set("connectTimeout", "10")
	if t.TLS.Insecure {
		q.Set("sslmode", "prefer")
	} else {
		q.Set("sslmode", "verify-full")
		q.Set("sslrootcert", t.TLS.RootCert)
	}
	if o := options(settings); o != "" {
		q.Set("options", o)
	}
	// The driver decodes a plus as a space in parameters and in the name alike.
	encode := func(s string) string { return strings.ReplaceAll(s, "+", "%20") }
	return "jdbc:postgresql://" + t.Address() + "/" + encode(url.QueryEscape(t.Name)) + "?" + encode(q.Encode())
}

// options is the startup packet's options parameter.
func options(settings map[string]string) string {
	var words []string
	for name, value := range settings {
		value = strings.NewReplacer(`\`, `\\`, ` `, `\ `).Replace(value)
		words = append(words, "-c "+name+"="+value)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
