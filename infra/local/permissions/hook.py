"""The emulator asks here before it serves a call. Each decision is noted, with all that led to it.

The account's own credentials, an administrator's, may do everything; whoever holds a role's session may do what its
policies say. Signatures are not checked.
"""

import hashlib
import json
import os
import threading
from dataclasses import asdict

from ministack.core import iam_actions, iam_evaluator as evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import sts

from . import derived, policies
from .calls import Call, decide

UNMAPPED = "unmapped:"
lock = threading.Lock()
written = set()


def note(call, decision):
    """Appends the call to the log. Documents are written once, and named by their digest."""
    line = asdict(call)
    with lock, open(os.environ["LOCAL_PERMISSIONS"], "a", encoding="utf-8") as log:
        for policy in line["policies"]:
            text = json.dumps(policy.pop("document"), sort_keys=True, default=str)
            policy["digest"] = digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            if digest not in written:
                written.add(digest)
                log.write(json.dumps({"digest": digest, "document": json.loads(text)}) + "\n")
        taken = [f"{holder} {action}" for holder, action in policies.taken]
        log.write(json.dumps({"call": line, "decision": decision, "taken": taken}, default=str) + "\n")


def judge(call):
    """Decides and notes. What is unmapped is refused, whatever the policies say."""
    decision = "Deny" if call.action.startswith(UNMAPPED) else decide(call)
    note(call, decision)
    return decision


def applying(principal, action, resource, region):
    """The policies that a role's call meets."""
    way = policies.on_the_way(principal, action, region)
    found = [policies.identity(principal), policies.of_resource(resource), way]
    return [policies.left(p) for p in found if p is not None]


def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
    principal = evaluator.resolve_principal(access_key or "", get_account_id())
    if isinstance(principal, evaluator.AuthError):
        return principal
    if principal.policies is None or action in evaluator._ALWAYS_ALLOWED_ACTIONS:
        return None
    arn, context = principal.arn, {**principal.keys, **(service_context or {})}
    account, role = policies.role_of(arn)
    context["aws:principalarn"] = policies.record(account, role).get("Arn", arn)
    if "SourceAccessKeyId" not in (sts._sessions.get(access_key) or {}):  # a function's own session
        context["lambda:sourcefunctionarn"] = f"arn:aws:lambda:{region}:{account}:function:{arn.rsplit('/', 1)[-1]}"
    if action.startswith("sts:AssumeRole") and ":role/" in resource_arn:
        for tag in policies.record(*policies.role_of(resource_arn)).get("Tags") or []:
            context[f"iam:resourcetag/{tag['Key']}".lower()] = tag["Value"]
    context.update(policies.owner(resource_arn))
    call = Call(policies.name_of(arn), arn, account, action, resource_arn, region, context,
                policies=applying(arn, action, resource_arn, region))
    decision = judge(call)
    if decision == "Allow" and action == "secretsmanager:GetSecretValue":
        if refused := derived.secret_read(arn, resource_arn, region):
            return evaluator.EvalResult("ImplicitDeny", arn, reason=refused[0])
    return None if decision == "Allow" else evaluator.EvalResult(decision, arn)


def trusted(document, caller_arn, context=None):
    """Whether a role may be assumed by who has asked. The document that the emulator hands over is the role's."""
    keys = {**context.principal_keys, **context.service_context}
    trust = policies.left(policies.trust(context.resource_arn))
    call = Call(policies.name_of(caller_arn), caller_arn, context.principal_account, context.action,
                context.resource_arn, context.region, keys, policies=[trust])
    if ":assumed-role/" in caller_arn:
        account, role = policies.role_of(caller_arn)
        call.context["aws:principalarn"] = policies.record(account, role).get("Arn", caller_arn)
    return judge(call) == "Allow"


def every_call_has_an_action(extract):
    def extracted(service, method, path, *rest):
        # Without it a call that the emulator can't map is allowed.
        return extract(service, method, path, *rest) or f"{UNMAPPED}{service} {method} {path}"
    return extracted


def named_repositories(extract):
    def extracted(service, method, path, headers, body, *rest):
        arn = extract(service, method, path, headers, body, *rest)
        # Without it DescribeRepositories of the CDK's one repository is a call about all.
        if service == "ecr" and arn == "*" and body:
            named = json.loads(body).get("repositoryNames") or []
            return f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{named[0]}" if named else arn
        return arn
    return extracted


def refusals_are_errors(script):
    """The node worker's own client of Lambda. Without it CDK's framework takes a refused call for an empty answer."""
    served = "            resolve({\n              StatusCode: res.statusCode,"
    if served not in script:
        raise SystemExit("ministack's client of Lambda for node is another one")
    refused = "            res.statusCode >= 300 ? reject(new Error(Buffer.concat(chunks).toString())) :\n"
    return script.replace(served, refused + served)


def install():
    lambda_runtime._NODEJS_WORKER_SCRIPT = refusals_are_errors(lambda_runtime._NODEJS_WORKER_SCRIPT)
    evaluator.authenticate = lambda *_: None
    evaluator.enforce, evaluator.evaluate_trust_policy = enforce, trusted
    iam_actions.extract_iam_action = every_call_has_an_action(iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = named_repositories(iam_actions.extract_resource_arn)
