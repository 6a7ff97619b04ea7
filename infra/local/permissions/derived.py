"""Calls that AWS's services make themselves, or that come with another call, and that the emulator does not make.

derived.json has them: a row is the event it comes with, who calls, what, the condition keys, and the page of AWS's
documentation that says so. {names} are facts of the event; a row whose facts are not all there does not apply. With
"denied" the call has to be denied: that is what a Deny statement is for.
"""

import json
import re

from ministack.core.responses import get_account_id, get_region
from ministack.services import secretsmanager

from . import hook, policies
from .calls import Call
from .rows import ROWS

SERVICE = ".amazonaws.com"


def happened(event, **facts):
    """Makes the event's calls. Returns those that were decided otherwise than they have to be, as sentences."""
    facts = {"account": get_account_id(), "region": get_region(), **{k: v for k, v in facts.items() if v}}
    wrong = []
    for row in ROWS:
        needs = set(re.findall(r"\{(\w+)\}", json.dumps(row))) | set(row.get("if", "").split())
        if row["on"] != event or not needs <= facts.keys():
            continue
        for action in row["actions"]:
            call = made(row, action, facts)
            if (hook.judge(call) == "Allow") == call.denied:
                verb = "is" if call.denied else "is not"
                what = f"{action} on resource: {call.resource} ({row['row']})"
                wrong.append(f"{call.principal} {verb} authorized to perform: {what}")
    return wrong


def made(row, action, facts):
    def filled(text):
        return text.format(**facts)

    caller, resource = filled(row["by"]), filled(row["resource"])
    resource = policies.keys.get(resource, resource)
    context = {key: filled(value) for key, value in row.get("context", {}).items()}
    context = {**policies.owner(resource), **context}
    account = facts["account"]
    if not caller.endswith(SERVICE):
        account, name = policies.role_of(caller)
        context["aws:principalarn"] = policies.record(account, name).get("Arn", caller)
        caller = f"arn:aws:sts::{account}:assumed-role/{name}/slipway"
    if action == "sts:AssumeRole":
        found = [policies.left(policies.trust(resource))]
    elif caller.endswith(SERVICE):
        found = [policies.left(p) for p in [policies.of_resource(resource)] if p is not None]
    else:
        found = hook.applying(caller, action, resource, facts["region"])
    return Call(policies.name_of(caller), caller, account, action, resource, facts["region"], context, row["row"],
                row.get("denied", False), found)


def must(event, **facts):
    """The same where AWS's service fails with the call: the resource that CloudFormation makes fails."""
    if wrong := happened(event, **facts):
        raise ValueError("AccessDenied: " + "; ".join(wrong))


def secret_read(principal, arn, region):
    _, secret = secretsmanager._resolve(arn)
    key = (secret or {}).get("KmsKeyId") or ""
    if key and not key.startswith("arn:"):
        key = f"arn:aws:kms:{region}:{arn.split(':')[4]}:key/{key}"
    return happened("secret read", role=principal, secret=arn, key=key if ":alias/" not in key else "")
