package database

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/report"
)

func TestFailuresToConnect(t *testing.T) {
	target := Target{Host: "h", Port: 5432, Name: "shop", User: "app", Password: Password(hush)}
	server := func(code, message string) error {
		return fmt.Errorf("around: %w", &pgconn.PgError{Code: code, Message: message})
	}
	for name, c := range map[string]struct {
		err     error
		code    report.Code
		passing bool
		next    string
	}{
		"wrong password": {server("28P01", "password authentication failed"), report.AccessDenied, false,
			"Check the secret's username and password"},
		"role may not log in": {server("28000", "role is not permitted to log in"), report.AccessDenied, false,
			"Check the secret's username"},
		"no encryption": {server("28000", "no pg_hba.conf entry for host, no encryption"), report.AccessDenied,
			false, "pg_hba.conf"},
		"may not connect": {server("42501", "permission denied for database"), report.AccessDenied, false,
			"connect to this database"},
		"no such database": {server("3D000", "does not exist"), report.DatabaseMissing, false,
			"Create the database"},
		"starting up": {server("57P03", "the database system is starting up"), report.DatabaseUnreachable,
			true, "when the server takes connections"},
		"too many clients": {server("53300", "sorry, too many clients already"), report.DatabaseUnreachable, true,
			"when the server takes connections"},
		"unknown setting": {server("42704", "unrecognized configuration parameter"), report.DatabaseUnreachable,
			false, ""},
		"refused": {&net.OpError{Op: "dial", Err: errors.New("connection refused")},
			report.DatabaseUnreachable, true, "security groups"},
		"no such host": {&net.DNSError{Err: "no such host", Name: "h"}, report.DatabaseUnreachable, true,
			"Check host"},
		"unknown authority": {fmt.Errorf("tls: %w", x509.UnknownAuthorityError{}), report.DatabaseUnreachable, false,
			"PGSSLROOTCERT"},
		"another host's": {fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}),
			report.DatabaseUnreachable, false, "for another host"},
		"expired": {fmt.Errorf("tls: %w", x509.CertificateInvalidError{Reason: x509.Expired}),
			report.DatabaseUnreachable, false, "certificate"},
		"no TLS on the server": {errors.New("tls error: server refused TLS connection"), report.DatabaseUnreachable,
			false, "offers no TLS"},
		"cut off": {io.ErrUnexpectedEOF, report.DatabaseUnreachable, true, "Check host"},
	} {
		passing, err := target.classify(c.err)
		var f *report.Failure
		if !errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Code != c.code || passing != c.passing || !strings.Contains(f.NextStep, c.next) || f.NextStep == "" {
			t.Errorf("%s: %s passing=%t, next %q", name, f.Code, passing, f.NextStep)
		}
		if !strings.Contains(f.Message, "shop on h:5432 as app") || strings.Contains(f.Message, "hush") {
			t.Errorf("%s: %q", name, f.Message)
		}
	}
}

func TestLostConnectionsAreTold(t *testing.T) {
	for err, want := range map[error]bool{
		&pgconn.PgError{Code: "57P01"}: true, &pgconn.PgError{Code: "08006"}: true,
		&pgconn.PgError{Code: "42601"}: false,
		io.EOF:                         true, io.ErrUnexpectedEOF: true, errors.New("conn closed"): true,
		errors.New("syntax"): false,
		&net.OpError{Op: "read", Err: errors.New("reset")}: true,
	} {
		if got := IsConnectionError(fmt.Errorf("around: %w", err)); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}

func TestOnlyMissingRightsAreDenied(t *testing.T) {
	var f *report.Failure
	if err := Denied(&pgconn.PgError{Code: "42501", Message: "permission denied for schema public"}); !errors.As(err,
		&f) || f.Code != report.AccessDenied || f.SQLState != "42501" {
		t.Errorf("%v", err)
	}
	if err := Denied(io.EOF); err != io.EOF {
		t.Errorf("%v", err)
	}
}
