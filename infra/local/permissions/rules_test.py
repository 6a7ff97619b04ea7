"""What is allowed, denied and reported, without the emulator: python -m unittest permissions.rules_test"""

import json
import os
import pathlib
import tempfile
import unittest

os.environ["AUTH"] = "true"
os.environ["IOT_MTLS_ENABLED"] = "0"

from . import derived, hook, policies, report
from .calls import ENDPOINT, IDENTITY, KEY, RESOURCE, TRUST, Call, Policy, decide, matched, without
from .holders import holder

SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:s-AbCdEf"
ROLE = "arn:aws:iam::111122223333:role/slipway-dev-Role1ABCC5F0-X"
SESSION = "arn:aws:sts::111122223333:assumed-role/slipway-dev-Role1ABCC5F0-X/f"


def policy(kind, *statements, owner="111122223333", holder="environment/Role"):
    return Policy(holder, kind, owner, {"Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def call(action, *applying, resource=SECRET, principal=SESSION, **more):
    return Call("environment/Role", principal, "111122223333", action, resource, "eu-central-1",
                policies=list(applying), **more)


class Decisions(unittest.TestCase):
    def check(self, want, *args, **more):
        self.assertEqual(decide(call(*args, **more)), want)

    def test_identity(self):
        may = policy(IDENTITY, allow("secretsmanager:GetSecretValue", SECRET))
        self.check("Allow", "secretsmanager:GetSecretValue", may)
        self.check("ImplicitDeny", "secretsmanager:PutSecretValue", may)
        self.check("ImplicitDeny", "secretsmanager:GetSecretValue", may, resource=SECRET + "x")
        self.check("Deny", "secretsmanager:GetSecretValue", policy(
            IDENTITY, allow("*"), {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}))

    def test_endpoint_must_allow_the_role_and_not_its_session(self):
        may = policy(IDENTITY, allow("*"))
        for arn, want in ((ROLE, "Allow"), (ROLE + "2", "ImplicitDeny")):
            way = policy(ENDPOINT, allow("secretsmanager:GetSecretValue", SECRET, Principal={"AWS": "*"},
                                         Condition={"ArnEquals": {"aws:PrincipalArn": [arn]}}))
            self.check(want, "secretsmanager:GetSecretValue", may, way, context={"aws:PrincipalArn": ROLE})
        self.check("ImplicitDeny", "secretsmanager:DescribeSecret", may, way, context={"aws:PrincipalArn": ROLE})

    def test_endpoint_is_no_right(self):
        way = policy(ENDPOINT, allow("*", Principal={"AWS": "*"}))
        self.check("ImplicitDeny", "secretsmanager:GetSecretValue", policy(IDENTITY), way)

    def test_key_must_allow_in_its_own_account(self):
        may, key = policy(IDENTITY, allow("kms:Decrypt")), "arn:aws:kms:eu-central-1:111122223333:key/k"
        root = policy(KEY, allow("kms:*", Principal={"AWS": "arn:aws:iam::111122223333:root"}))
        self.check("Allow", "kms:Decrypt", may, root, resource=key)
        self.check("ImplicitDeny", "kms:Decrypt", policy(IDENTITY), root, resource=key)
        self.check("ImplicitDeny", "kms:Decrypt", may, policy(KEY), resource=key)

    def test_bucket_of_another_account_must_allow_as_well(self):
        bucket, may = "arn:aws:s3:::b/k", policy(IDENTITY, allow("s3:GetObject"))
        statement = allow("s3:GetObject*", "arn:aws:s3:::b/*", Principal={"AWS": ROLE})
        named = policy(RESOURCE, statement, owner="444455556666")
        self.check("Allow", "s3:GetObject", may, named, resource=bucket)
        self.check("ImplicitDeny", "s3:GetObject", policy(IDENTITY), named, resource=bucket)
        self.check("ImplicitDeny", "s3:GetObject", may, policy(RESOURCE, owner="444455556666"), resource=bucket)

    def test_service_in_trust(self):
        trust = policy(TRUST, {
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
        self.check("Allow", "sts:AssumeRole", trust, resource=ROLE, principal="lambda.amazonaws.com")
        self.check("ImplicitDeny", "sts:AssumeRole", trust, resource=ROLE, principal="codebuild.amazonaws.com")
        self.check("ImplicitDeny", "sts:AssumeRole", trust, resource=ROLE)
        self.check("ImplicitDeny", "sts:AssumeRole", trust, resource=ROLE, principal="arn:aws:iam::111122223333:root")

    def test_encryption_context(self):
        via = "secretsmanager.eu-central-1.amazonaws.com"
        given = {"kms:EncryptionContext:SecretARN": SECRET, "kms:ViaService": via}
        may = policy(IDENTITY, allow("kms:Decrypt", Condition={"StringEquals": given}))
        self.check("Allow", "kms:Decrypt", may, context=given)
        other = {**given, "kms:EncryptionContext:SecretARN": SECRET + "x"}
        self.check("ImplicitDeny", "kms:Decrypt", may, context=other)
        self.check("ImplicitDeny", "kms:Decrypt", may, context={"kms:ViaService": via})

    def test_one_action_less(self):
        may = policy(IDENTITY, allow(["secretsmanager:GetSecretValue", "logs:PutLogEvents"]))
        c = call("secretsmanager:GetSecretValue", may)
        (one,) = matched(c)
        self.assertEqual(one[2], "secretsmanager:GetSecretValue")
        self.assertEqual(decide(without(c, *one)), "ImplicitDeny")
        self.assertEqual(decide(c), "Allow")


class Hook(unittest.TestCase):
    def setUp(self):
        os.environ["LOCAL_PERMISSIONS"] = self.log = os.path.join(tempfile.mkdtemp(), "log.jsonl")
        hook.written.clear()

    def test_what_is_not_mapped_is_refused(self):
        extract = hook.every_call_has_an_action(lambda *_: None)
        action = extract("lambda", "GET", "/new", {}, b"", {})
        self.assertEqual(hook.judge(call(action, policy(IDENTITY, allow("*")))), "Deny")
        self.assertEqual(len(list(report.wrong(report.read(self.log)))), 1)

    def test_taken_away(self):
        policies.taken["environment/Role", "secretsmanager:GetSecretValue"] = True
        try:
            two = ["secretsmanager:GetSecretValue", "logs:PutLogEvents"]
            left = policies.left(policy(IDENTITY, allow(two)))
        finally:
            policies.taken.clear()
        self.assertEqual([s["Action"] for s in left.document["Statement"]], [["logs:PutLogEvents"]])

    def test_report(self):
        both = policy(IDENTITY, allow(["secretsmanager:GetSecretValue", "logs:PutLogEvents"]),
                      allow("secretsmanager:GetSecretValue"), allow("kms:Decrypt"))
        hook.judge(call("logs:PutLogEvents", both))
        hook.judge(call("logs:PutLogEvents", both))
        hook.judge(call("secretsmanager:GetSecretValue", both))
        log = report.read(self.log)
        count, needed = report.used(log)
        name = "allow logs:PutLogEvents, secretsmanager:GetSecretValue"
        self.assertEqual(count["environment/Role", name], 3)
        want = {"secretsmanager:GetSecretValue": False, "logs:PutLogEvents": True}
        self.assertEqual(needed["environment/Role", name], want)
        # Two that do for each other, and kms:Decrypt.
        self.assertEqual(len(list(report.unexplained(needed, []))), 3)
        explained = ["secretsmanager:*", "kms:Decrypt"]
        reasons = [{"holder": "environment/*", "actions": explained, "reason": "r"}]
        self.assertEqual(list(report.unexplained(needed, reasons)), [])
        reasons.append({"holder": "environment/Role", "actions": ["logs:PutLogEvents"], "reason": "stale"})
        (stale,) = report.unexplained(needed, reasons)
        self.assertIn("no such unused action", stale)

    def test_a_call_that_has_to_be_denied(self):
        hook.judge(call("s3:GetObject", policy(IDENTITY, allow("*")), denied=True))
        (problem,) = report.wrong(report.read(self.log))
        self.assertIn("was allowed", problem)


class Tables(unittest.TestCase):
    def test_rows_say_where_they_are_documented(self):
        for row in derived.ROWS:
            self.assertTrue(row["see"].startswith("https://docs.aws.amazon.com/"), row)
        self.assertEqual(len({row["row"] for row in derived.ROWS}), len(derived.ROWS))

    def test_reasons(self):
        for row in json.loads(pathlib.Path(__file__).with_name("unused.json").read_text(encoding="utf-8")):
            self.assertTrue(row["reason"].endswith("."), row)

    def test_names(self):
        self.assertEqual(holder("slipway-dev", "Role1ABCC5F0"), "environment/Role")
        self.assertEqual(holder("slipway-dev-database", "Key961B73FD"), "database/Key")
        self.assertEqual(holder("slipway-pipeline", "LinePipelineRole780743CC"), "pipeline/LinePipelineRole")


if __name__ == "__main__":
    unittest.main()
