"""What the tests tell: they play CodePipeline and CodeBuild, which the emulator has not.

  POST /_local/permissions/assume    {"service", "role"}: a session of a role that a service assumes
  POST /_local/permissions/happened  {"event", "account", "region", facts...}: calls of derived.json
  POST /_local/permissions/take      {"holder", "action"}: the role loses an action; {}: all are given back
"""

import json
import uuid

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import sts

from . import deployment, derived, hook, policies
from .calls import Call

PREFIX = "/_local/permissions/"


def assume(service, role):
    account, name = policies.role_of(role)
    call = Call(service, service, account, "sts:AssumeRole", role, "", {"aws:sourceaccount": account},
                policies=[policies.left(policies.trust(role))])
    if hook.judge(call) != "Allow":
        raise PermissionError(f"{service} is not authorized to perform: sts:AssumeRole on resource: {role}")
    key, token = "ASIA" + uuid.uuid4().hex[:16].upper(), uuid.uuid4().hex
    sts.register_session(key, {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{service.split('.')[0]}", "UserId": f"{name}:{service}",
        "SecretAccessKey": "local", "SessionToken": token, "AccountId": account, "PrincipalType": "AssumedRole",
        "SourceAccessKeyId": service,
    })
    return {"key": key, "token": token}


def happened(event, account, region, **facts):
    set_request_account_id(account)
    set_request_region(region)
    if "project" in facts:
        facts["logs"] = deployment.logs[facts["project"]]
    if wrong := derived.happened(event, **facts):
        raise PermissionError("; ".join(wrong))
    return {}


def take(holder="", action=""):
    if not holder:
        policies.taken.clear()
    else:
        policies.taken[holder, action] = True
    return {}


def serving(app):
    """The emulator with these requests in front of it."""
    async def served(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            return await app(scope, receive, send)
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            verb = {"assume": assume, "happened": happened, "take": take}[scope["path"][len(PREFIX):]]
            status, answer = 200, json.dumps(verb(**json.loads(body)))
        except PermissionError as e:
            status, answer = 403, str(e)
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": answer.encode()})
    return served
