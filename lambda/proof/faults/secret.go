package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"slipway/lambda/report"
)

var secretFaults = []fault{
	{"secret-rotated", "rotated between read and connect: read once more, tried once more, completes", func(l *lab) {
		l.migrated()
		l.two()
		l.env["MASTER_SECRET_ARN"] = l.secrets.Rotate(l.name, l.secret("the former one"), l.secret(l.password))
		l.completes("2")
		l.check(l.secrets.Reads(l.name) == 2, "the secret was read %d times", l.secrets.Reads(l.name))
		l.saw("2 reads of the secret")
	}},
	{"secret-rotated-before-flyway", "rotated between Slipway's session and Flyway's: Flyway is started once more with the new password", func(l *lab) {
		l.migrated()
		l.two()
		l.rotateBefore(3) // Slipway's own session asks for TLS first
		o := l.completes("2")
		l.check(strings.Count(o.log, "starting Flyway") == 2, "Flyway was started %d times", strings.Count(o.log, "starting Flyway"))
		l.saw("Flyway started twice")
	}},
	{"secret-rotated-and-lost", "a password that stays wrong for Flyway is ACCESS_DENIED after one more try", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		l.proxy(func(p *proxy, c net.Conn, n int) {
			if n == 3 {
				_ = l.server.CreateRole(l.ctx, l.role, "a third one")
				l.secrets.Set(l.name, l.secret("a second one"))
			}
			p.relay(c)
		})
		o := l.run("migrate")
		l.check(o.Code == report.AccessDenied && o.exit == 6, "%s: %s", o.Code, o.Message)
		l.check(strings.Count(o.log, "starting Flyway") == 2, "Flyway was started %d times", strings.Count(o.log, "starting Flyway"))
		l.unchanged(before)
		l.saw("ACCESS_DENIED, exit 6, Flyway started twice")
		l.must(l.server.CreateRole(l.ctx, l.role, l.password))
		l.setSecret(l.password)
		l.direct()
		l.next("2")
	}},
	{"secret-without-password", "SECRET_UNREADABLE names the key that is missing", func(l *lab) {
		l.unreadable(l.secrets.Set(l.name, `{"username":"x"}`), "has no password")
	}},
	{"secret-without-username", "SECRET_UNREADABLE names the key that is missing", func(l *lab) {
		l.unreadable(l.secrets.Set(l.name, `{"password":"x"}`), "has no username")
	}},
	{"secret-without-host", "as RDS manages them: BAD_REQUEST names PGHOST; with PGHOST and PGDATABASE it completes", func(l *lab) {
		l.one()
		l.env["MASTER_SECRET_ARN"] = l.secrets.Set(l.name, fmt.Sprintf(`{"username":%q,"password":%q}`, l.role, l.password))
		before := l.look()
		o := l.run("migrate")
		l.contains(o.Message, "not set")
		l.answered(o, report.BadRequest, before)
		l.env["PGHOST"], l.env["PGPORT"], l.env["PGDATABASE"] = "127.0.0.1", fmt.Sprint(l.server.Port), l.database
		l.completes("1")
	}},
	{"secret-not-json", "SECRET_UNREADABLE says so and does not quote the secret", func(l *lab) {
		o := l.unreadable(l.secrets.Set(l.name, "hush hush"), "is not a JSON object")
		l.check(!strings.Contains(o.Message+o.log, "hush"), "the secret is quoted: %s", o.Message)
	}},
	{"secret-binary", "SECRET_UNREADABLE says that it is binary", func(l *lab) {
		l.unreadable(l.secrets.SetBinary(l.name, []byte("{}")), "is binary")
	}},
	{"secret-denied", "SECRET_UNREADABLE names the permission", func(l *lab) {
		o := l.unreadable(l.secrets.Fail(l.name, "AccessDeniedException"), "was denied")
		l.contains(o.Next, "secretsmanager:GetSecretValue", "kms:Decrypt")
	}},
	{"secret-missing", "SECRET_UNREADABLE names the ARN", func(l *lab) {
		l.unreadable("arn:aws:secretsmanager:eu-central-1:000000000000:secret:gone-AbCdEf", "there is no secret")
	}},
	{"secret-undecryptable", "SECRET_UNREADABLE names the key's permission", func(l *lab) {
		o := l.unreadable(l.secrets.Fail(l.name, "DecryptionFailure"), "could not be decrypted")
		l.contains(o.Next, "kms:Decrypt")
	}},
	{"secret-throttled", "throttling is tried again by the SDK; the run completes", func(l *lab) {
		l.migrated()
		l.two()
		l.env["MASTER_SECRET_ARN"] = l.secrets.FailThen(l.name, "ThrottlingException", 2, l.secret(l.password))
		l.completes("2")
		l.check(l.secrets.Reads(l.name) == 3, "%d reads", l.secrets.Reads(l.name))
		l.saw("3 reads of the secret")
	}},
	{"secret-throttled-for-ever", "SECRET_UNREADABLE says that it was throttled", func(l *lab) {
		l.unreadable(l.secrets.Fail(l.name, "ThrottlingException"), "throttled")
	}},
	{"secret-endpoint-refused", "SECRET_UNREADABLE: the subnets do not reach Secrets Manager", func(l *lab) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		l.must(err)
		listener.Close()
		former := l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
		l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://" + listener.Addr().String()
		l.later(func() { l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = former })
		o := l.denied("could not be asked")
		l.contains(o.Next, "subnets")
	}},
	{"secret-endpoint-silent", "SECRET_UNREADABLE before the limit: an endpoint whose security group drops packets", func(l *lab) {
		l.limit = 6 * time.Second
		l.env["MASTER_SECRET_ARN"] = l.secrets.Hang(l.name)
		o := l.denied("did not answer in time", "--timeout", "6s")
		l.contains(o.Next, "security group")
	}},
	{"secret-not-set", "BAD_REQUEST names MASTER_SECRET_ARN", func(l *lab) {
		l.one()
		before := l.look()
		arn := l.env["MASTER_SECRET_ARN"]
		delete(l.env, "MASTER_SECRET_ARN")
		o := l.run("migrate")
		l.contains(o.Message, "MASTER_SECRET_ARN")
		l.answered(o, report.BadRequest, before)
		l.env["MASTER_SECRET_ARN"] = arn
		l.next("1")
	}},
	{"secret-never-shown", "a script that raises the password does not bring it into report or log", func(l *lab) {
		l.migrated()
		l.script("V2__tell.sql", "DO $$ BEGIN RAISE EXCEPTION 'it is %', '"+strings.ReplaceAll(l.password, "'", "''")+"'; END $$;")
		l.env["SLIPWAY_DEBUG"] = "true"
		before := l.look()
		o := l.run("migrate")
		l.contains(o.Message, "it is ****")
		l.answered(o, report.MigrationFailed, before)
		l.saw("asterisks in its place")
	}},
}

// rotateBefore has the password change, on the server and in the secret, just
// before that connection is passed on.
func (l *lab) rotateBefore(connection int) {
	rotated := l.password + "2"
	l.proxy(func(p *proxy, c net.Conn, n int) {
		if n == connection {
			_ = l.server.CreateRole(l.ctx, l.role, rotated)
			l.secrets.Set(l.name, l.secret(rotated))
		}
		p.relay(c)
	})
}

// unreadable runs migrate with that secret.
func (l *lab) unreadable(arn, words string) *outcome {
	l.env["MASTER_SECRET_ARN"] = arn
	return l.denied(words)
}

func (l *lab) denied(words string, args ...string) *outcome {
	l.one()
	before := l.look()
	o := l.run(append([]string{"migrate"}, args...)...)
	l.contains(o.Message, words)
	l.answered(o, report.SecretUnreadable, before)
	l.saw("“%s”", words)
	return o
}
