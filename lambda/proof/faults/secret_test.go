//go:build faults

package faults

import (
	"fmt"
	"net"
	"strings"
	"time"

	"slipway/lambda/report"
)

var secretFaults = []fault{
	{"secret-rotated", "rotated between read and connect: read once more, tried once more, completes",
		func(t *testbed) {
			t.migrated()
			t.two()
			t.env["MASTER_SECRET_ARN"] = t.secrets.Rotate(t.name, t.secret("the former one"), t.secret(t.password))
			t.completes("2")
			t.check(t.secrets.Reads(t.name) == 2, "the secret was read %d times", t.secrets.Reads(t.name))
			t.saw("2 reads of the secret")
		}},
	{"secret-rotated-before-flyway", "rotated between Slipway's session and Flyway's: Flyway is started once more " +
		"with the new password", func(t *testbed) {
		t.migrated()
		t.two()
		t.rotateBefore(3) // Slipway's own session asks for TLS first
		o := t.completes("2")
		t.check(strings.Count(o.log, "starting Flyway") == 2, "Flyway was started %d times",
			strings.Count(o.log, "starting Flyway"))
		t.saw("Flyway started twice")
	}},
	{"secret-rotated-and-lost", "a password that stays wrong for Flyway is ACCESS_DENIED after one more try",
		func(t *testbed) {
			t.migrated()
			t.two()
			before := t.look()
			t.proxy(func(p *proxy, c net.Conn, n int) {
				if n == 3 {
					_ = t.server.CreateRole(t.ctx, t.role, "a third one")
					t.secrets.Set(t.name, t.secret("a second one"))
				}
				p.relay(c)
			})
			o := t.run("migrate")
			t.check(o.Code == report.AccessDenied && o.exit == 6, "%s: %s", o.Code, o.Message)
			t.check(strings.Count(o.log, "starting Flyway") == 2, "Flyway was started %d times",
				strings.Count(o.log, "starting Flyway"))
			t.unchanged(before)
			t.saw("ACCESS_DENIED, exit 6, Flyway started twice")
			t.must(t.server.CreateRole(t.ctx, t.role, t.password))
			t.setSecret(t.password)
			t.direct()
			t.next("2")
		}},
	{"secret-without-password", "SECRET_UNREADABLE names the key that is missing", func(t *testbed) {
		t.unreadable(t.secrets.Set(t.name, `{"username":"x"}`), "has no password")
	}},
	{"secret-without-username", "SECRET_UNREADABLE names the key that is missing", func(t *testbed) {
		t.unreadable(t.secrets.Set(t.name, `{"password":"x"}`), "has no username")
	}},
	{"secret-without-host", "as RDS manages them: BAD_REQUEST names PGHOST; with PGHOST and PGDATABASE it completes",
		func(t *testbed) {
			t.one()
			t.env["MASTER_SECRET_ARN"] = t.secrets.Set(t.name,
				fmt.Sprintf(`{"username":%q,"password":%q}`, t.role, t.password))
			before := t.look()
			o := t.run("migrate")
			t.contains(o.Message, "not set")
			t.answered(o, report.BadRequest, before)
			t.env["PGHOST"], t.env["PGPORT"], t.env["PGDATABASE"] = "127.0.0.1", fmt.Sprint(t.server.Port), t.database
			t.completes("1")
		}},
	{"secret-not-json", "SECRET_UNREADABLE says so and does not quote the secret", func(t *testbed) {
		o := t.unreadable(t.secrets.Set(t.name, "hush hush"), "is not a JSON object")
		t.check(!strings.Contains(o.Message+o.log, "hush"), "the secret is quoted: %s", o.Message)
	}},
	{"secret-binary", "SECRET_UNREADABLE says that it is binary", func(t *testbed) {
		t.unreadable(t.secrets.SetBinary(t.name, []byte("{}")), "is binary")
	}},
	{"secret-denied", "SECRET_UNREADABLE names the permission", func(t *testbed) {
		o := t.unreadable(t.secrets.Fail(t.name, "AccessDeniedException"), "was denied")
		t.contains(o.Next, "secretsmanager:GetSecretValue", "kms:Decrypt")
	}},
	{"secret-missing", "SECRET_UNREADABLE names the ARN", func(t *testbed) {
		t.unreadable("arn:aws:secretsmanager:eu-central-1:000000000000:secret:gone-AbCdEf", "there is no secret")
	}},
	{"secret-undecryptable", "SECRET_UNREADABLE names the key's permission", func(t *testbed) {
		o := t.unreadable(t.secrets.Fail(t.name, "DecryptionFailure"), "could not be decrypted")
		t.contains(o.Next, "kms:Decrypt")
	}},
	{"secret-throttled", "throttling is tried again by the SDK; the run completes", func(t *testbed) {
		t.migrated()
		t.two()
		t.env["MASTER_SECRET_ARN"] = t.secrets.FailThen(t.name, "ThrottlingException", 2, t.secret(t.password))
		t.completes("2")
		t.check(t.secrets.Reads(t.name) == 3, "%d reads", t.secrets.Reads(t.name))
		t.saw("3 reads of the secret")
	}},
	{"secret-throttled-for-ever", "SECRET_UNREADABLE says that it was throttled", func(t *testbed) {
		t.unreadable(t.secrets.Fail(t.name, "ThrottlingException"), "throttled")
	}},
	{"secret-endpoint-refused", "SECRET_UNREADABLE: the subnets do not reach Secrets Manager", func(t *testbed) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		t.must(err)
		listener.Close()
		former := t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
		t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://" + listener.Addr().String()
		t.Cleanup(func() { t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = former })
		o := t.denied("could not be asked")
		t.contains(o.Next, "subnets")
	}},
	{"secret-endpoint-silent", "SECRET_UNREADABLE before the limit: an endpoint whose security group drops packets",
		func(t *testbed) {
			t.limit = 6 * time.Second
			t.env["MASTER_SECRET_ARN"] = t.secrets.Hang(t.name)
			o := t.denied("did not answer in time", "--timeout", "6s")
			t.contains(o.Next, "security group")
		}},
	{"secret-not-set", "BAD_REQUEST names MASTER_SECRET_ARN", func(t *testbed) {
		t.one()
		before := t.look()
		arn := t.env["MASTER_SECRET_ARN"]
		delete(t.env, "MASTER_SECRET_ARN")
		o := t.run("migrate")
		t.contains(o.Message, "MASTER_SECRET_ARN")
		t.answered(o, report.BadRequest, before)
		t.env["MASTER_SECRET_ARN"] = arn
		t.next("1")
	}},
	{"secret-never-shown", "a script that raises the password does not bring it into report or log", func(t *testbed) {
		t.migrated()
		t.script("V2__tell.sql", "DO $$ BEGIN RAISE EXCEPTION 'it is %', '"+strings.ReplaceAll(t.password, "'", "''")+
			"'; END $$;")
		t.env["SLIPWAY_DEBUG"] = "true"
		before := t.look()
		o := t.run("migrate")
		t.contains(o.Message, "it is ****")
		t.answered(o, report.MigrationFailed, before)
		t.saw("asterisks in its place")
	}},
}

// rotateBefore has the password change, on the server and in the secret, just
// before that connection is passed on.
func (t *testbed) rotateBefore(connection int) {
	rotated := t.password + "2"
	t.proxy(func(p *proxy, c net.Conn, n int) {
		if n == connection {
			_ = t.server.CreateRole(t.ctx, t.role, rotated)
			t.secrets.Set(t.name, t.secret(rotated))
		}
		p.relay(c)
	})
}

// unreadable runs migrate with that secret.
func (t *testbed) unreadable(arn, words string) *outcome {
	t.env["MASTER_SECRET_ARN"] = arn
	return t.denied(words)
}

func (t *testbed) denied(words string, args ...string) *outcome {
	t.one()
	before := t.look()
	o := t.run(append([]string{"migrate"}, args...)...)
	t.contains(o.Message, words)
	t.answered(o, report.SecretUnreadable, before)
	t.saw("“%s”", words)
	return o
}
