"""One call, and whether the policies that apply to it allow it, by the emulator's evaluator."""

import copy
import re
from dataclasses import asdict, dataclass, field

from ministack.core import iam_evaluator as evaluator

# How a policy takes part in a decision:
IDENTITY = "identity"  # of the caller's role: must allow
RESOURCE = "resource"  # of the resource: may allow instead where caller and owner are one account, must across accounts
KEY = "key"            # of a KMS key: must allow, in its own account too
TRUST = "trust"        # of a role that is to be assumed: must allow
ENDPOINT = "endpoint"  # of the VPC endpoint on the way: must allow


@dataclass
class Policy:
    holder: str   # whose it is, as holders.py names it
    kind: str
    owner: str    # account
    document: dict


@dataclass
class Call:
    caller: str       # the role's name as holders.py has it, or the service's
    principal: str    # ARN of the session, or the service's name: lambda.amazonaws.com
    account: str      # the caller's
    action: str
    resource: str
    region: str
    context: dict = field(default_factory=dict)  # condition keys
    row: str = ""            # of derived.json, "" for a request that the emulator served
    denied: bool = False     # it has to be denied: what a Deny statement is for
    policies: list = field(default_factory=list)

    @property
    def service(self):
        """The name of the AWS service that calls, None for a role."""
        return self.principal if re.fullmatch(r"[\w.-]+\.amazonaws\.com", self.principal) else None

    def key(self):
        """What makes two calls the same one."""
        return repr(asdict(self))


def context_of(call):
    keys = {name.lower(): value for name, value in call.context.items()}
    keys.setdefault("aws:tagkeys", None)
    return evaluator.EvalContext(
        principal_arn=call.principal, principal_type="AssumedRole", principal_account=call.account, action=call.action,
        resource_arn=call.resource, region=call.region, source_ip="10.0.0.1",
        secure_transport=keys.get("aws:securetransport", "true") == "true", service_context=keys)


def decide(call):
    """'Allow', 'Deny' or 'ImplicitDeny'."""
    context = context_of(call)
    documents = [p.document for p in call.policies if p.kind == IDENTITY]
    result = evaluator.evaluate(context, [evaluator.parse_policy_document(d) for d in documents])
    for policy in call.policies:
        if policy.kind == IDENTITY:
            continue
        said = evaluator.evaluate_resource_policy(policy.document, context, service=call.service)
        if policy.kind in (TRUST, ENDPOINT) or call.service:
            # Nobody's own policy stands in for these; a service has none.
            if said.decision != "Allow":
                return said.decision
            if policy.kind != ENDPOINT:
                result = said
            continue
        result = evaluator.combine_resource_policy(
            result, context, policy.document, policy.owner, required=policy.kind == KEY)
    return result.decision


def statements(document):
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else found


def actions(statement):
    """The patterns of actions that a statement names; NotAction is one pattern for itself."""
    found = statement.get("Action")
    if found is None:
        return ["all but " + ", ".join(as_list(statement.get("NotAction", [])))]
    return as_list(found)


def as_list(value):
    return [value] if isinstance(value, str) else list(value)


def names(document):
    """The statements of a policy with a name each: effect, actions, and a number where those are there twice.

    Neither position nor resources are part of it, which differ between environments.
    """
    seen, out = {}, []
    for statement in statements(document):
        name = statement["Effect"].lower() + " " + ", ".join(sorted(actions(statement)))
        seen[name] = seen.get(name, 0) + 1
        out.append((name if seen[name] == 1 else f"{name} ({seen[name]})", statement))
    return out


def matched(call):
    """What speaks about the call: (holder, statement's name, pattern of the action)."""
    context, found = context_of(call), []
    for policy in call.policies:
        for name, statement in names(policy.document):
            one = {"Statement": [statement]}
            if policy.kind == IDENTITY:
                parsed = evaluator.parse_policy_document(one)
                hit = evaluator.evaluate(context, [parsed]).decision != "ImplicitDeny"
            else:
                said = evaluator.evaluate_resource_policy(one, context, service=call.service)
                hit = said.decision != "ImplicitDeny"
            if hit:
                found += [(policy.holder, name, pattern) for pattern in actions(statement)
                          if "Action" not in statement or evaluator.fnmatch_iam(call.action, pattern)]
    return found


def without(call, holder, name, pattern):
    """The same call where a statement lacks one action."""
    changed = copy.copy(call)
    changed.policies = [less(p, name, pattern) if p.holder == holder else p for p in call.policies]
    return changed


def less(policy, name, pattern):
    kept = []
    for other, statement in names(policy.document):
        if other == name:
            left = [a for a in actions(statement) if a != pattern]
            if not left:
                continue
            statement = {**statement, "Action": left}
        kept.append(statement)
    return Policy(policy.holder, policy.kind, policy.owner, {**policy.document, "Statement": kept})


resolve = evaluator._resolve_condition_key


def resolve_given(key, context):
    """Keys that the caller of the evaluator knows better: the role and not its session as aws:PrincipalArn, the
    owner of a bucket, whose ARN has no account."""
    given = context.service_context.get(key.lower())
    return resolve(key, context) if given is None else given


evaluator._resolve_condition_key = resolve_given
