"""The policies that stacks deployed. Roles' own are the emulator's IAM; those of resources are kept here as the
templates had them, whichever account asks."""

import json

from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from .calls import ENDPOINT, IDENTITY, KEY, RESOURCE, TRUST, Policy, actions, less, names, statements
from .holders import holder

stacks = {}     # (account, name of a role) -> (stack, logical ID)
resources = {}  # ARN of a resource -> its Policy
endpoints = {}  # (account, region, stack) -> the Policy of the stack's endpoint for Secrets Manager
keys = {}       # ARN of a key's alias -> ARN of the key
taken = {}      # (holder, action) -> True: see service.py


def role_of(principal):
    """(account, name) of the role behind the ARN of a role or of one of its sessions."""
    parts = principal.split(":")
    return parts[4], parts[5].split("/")[1] if ":assumed-role/" in principal else principal.rsplit("/", 1)[-1]


def name_of(principal):
    if principal.endswith(":root"):
        return "administrator"
    if ":" not in principal:
        return principal  # a service
    role = role_of(principal)
    return holder(*stacks[role]) if role in stacks else "other/" + role[1]


def record(account, name):
    return iam._roles.get_scoped(account, None, name) or {}


def parsed(document):
    return json.loads(document) if isinstance(document, str) else document


def identity(principal):
    """The policies of the role behind a principal."""
    account, name = role_of(principal)
    role, mine = record(account, name), name_of(principal)
    documents = list((role.get("InlinePolicies") or {}).values())
    documents += [evaluator._resolve_managed_policy_document(arn, account) for arn in role.get("AttachedPolicies", [])]
    # One document, so that statements of the same actions are counted through.
    return Policy(mine, IDENTITY, account, {"Statement": [s for d in documents if d for s in statements(parsed(d))]})


def left(policy):
    """The policy without what a test has taken away."""
    for holder, action in taken:
        if holder == policy.holder:
            for name, statement in names(policy.document):
                if action in actions(statement):
                    policy = less(policy, name, action)
    return policy


def trust(role_arn):
    account, name = role_of(role_arn)
    document = parsed(record(account, name).get("AssumeRolePolicyDocument", "{}"))
    return Policy(name_of(role_arn), TRUST, account, document)


def of_resource(arn):
    """The policy of the bucket, key, topic or repository that an ARN names or lies in, or None."""
    return resources.get(arn) or resources.get(arn.split("/", 1)[0] if arn.startswith("arn:aws:s3:::") else arn)


def owner(arn):
    """Condition keys for the owner of a bucket, whose ARN names none."""
    bucket = of_resource(arn) if arn.startswith("arn:aws:s3:::") else None
    return {"aws:resourceaccount": bucket.owner, "s3:resourceaccount": bucket.owner} if bucket else {}


def keep(arn, stack, logical_id, document, kind=RESOURCE):
    resources[arn] = Policy(holder(stack, logical_id), kind, get_account_id(), parsed(document))


# What a stack makes or changes, by type. Each is called with the stack's name, the logical ID, the physical one and the
# properties, as CloudFormation resolved them.

def role(stack, logical_id, name, props):
    stacks[get_account_id(), name] = stack, logical_id


def bucket_policy(stack, logical_id, name, props):
    keep("arn:aws:s3:::" + props["Bucket"], stack, logical_id, props["PolicyDocument"])


def topic_policy(stack, logical_id, name, props):
    for topic in props["Topics"]:
        keep(topic, stack, logical_id, props["PolicyDocument"])


def key(stack, logical_id, name, props):
    arn = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{name.rsplit('/', 1)[-1]}"
    keep(arn, stack, logical_id, props["KeyPolicy"], KEY)


def alias(stack, logical_id, name, props):
    target = props["TargetKeyId"].rsplit("/", 1)[-1]
    where = f"arn:aws:kms:{get_region()}:{get_account_id()}:"
    keys[where + props["AliasName"]] = where + "key/" + target


def repository(stack, logical_id, name, props):
    if "RepositoryPolicyText" in props:
        arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{name}"
        keep(arn, stack, logical_id, props["RepositoryPolicyText"])


def endpoint(stack, logical_id, name, props):
    if "PolicyDocument" in props and props["ServiceName"].endswith(".secretsmanager"):
        policy = Policy(holder(stack, logical_id), ENDPOINT, get_account_id(), parsed(props["PolicyDocument"]))
        endpoints[get_account_id(), get_region(), stack] = policy


def on_the_way(principal, action, region):
    """The policy of the endpoint that a function's call of Secrets Manager goes through, or None."""
    where = stacks.get(role_of(principal))
    if where is None or not action.startswith("secretsmanager:"):
        return None
    return endpoints.get((role_of(principal)[0], region, where[0]))


kinds = {
    "AWS::IAM::Role": role, "AWS::S3::BucketPolicy": bucket_policy, "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::KMS::Key": key, "AWS::KMS::Alias": alias,
    "AWS::ECR::Repository": repository, "AWS::EC2::VPCEndpoint": endpoint,
}
