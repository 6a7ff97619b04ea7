"""Starts the AWS emulator that infra/local deploys to: ministack, taught what these stacks need and it lacks.

The patches replace functions that are private to ministack, so its version is pinned (requirements.txt) and checked here.
Each says what happens without it. What the emulator cannot show at all is in README.md.

Read from the environment, all set by the Go program beside this file:
  GATEWAY_PORT            where AWS's API answers, on 127.0.0.1 and on LOCAL_BRIDGE
  LOCAL_BRIDGE            this machine's address as containers see it
  LOCAL_SERVERS           folder of the PostgreSQL servers that play Aurora: a file by port, with a superuser's connection string
  LOCAL_DATABASE_HOST     host name of every cluster's endpoint; containers resolve it to LOCAL_BRIDGE
  LOCAL_REPOSITORIES      folder of CodeCommit's repositories: account/region/name.git
  LOCAL_PIPELINES         folder of CodePipeline's pipelines: account/region/name.json, the properties of each
  LOCAL_CA                PEM file of the authority that signed that server's certificate
  LOCAL_RIE               AWS's runtime interface emulator, a Linux binary
  LOCAL_EVENTS            file that gets one JSON line for each call of an image function
  LOCAL_PERMISSIONS       file that gets one JSON line for each call that policies were asked about
  LOCAL_IDLE              folder of the functions that are idle, see idle.py

It ends, and removes its containers, when its standard input does: it never outlives the program that started it.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import uuid

PINNED = "1.5.33"
if (found := importlib.metadata.version("ministack")) != PINNED:
    raise SystemExit(f"emulator.py patches ministack {PINNED}, not {found}")

# Read when ministack is imported. Without it a second emulator on this machine fails to open the port of an IoT broker.
os.environ["IOT_MTLS_ENABLED"] = "0"
# Without it every call is allowed, and functions have no session of their role.
os.environ["AUTH"] = "true"

import psycopg2
from hypercorn.asyncio import serve
from hypercorn.config import Config
from psycopg2 import sql

import idle  # noqa: F401 – teaches the emulator what it says
import ministack.app as app
from ministack.core.responses import error_response_json, get_account_id, get_region, set_request_account_id, set_request_region
from ministack.services import ecr, lambda_svc, rds, secretsmanager
from ministack.services.cloudformation import provisioners
from permissions import deployment, hook, service

PORT = os.environ["GATEWAY_PORT"]
BRIDGE = os.environ["LOCAL_BRIDGE"]
DATABASE = os.environ["LOCAL_DATABASE_HOST"]
handlers = provisioners._RESOURCE_HANDLERS


# --- CloudFormation ---------------------------------------------------------------------------------------------------

def record(prefix, attribute=None):
    """Handlers of a type whose resources are a name and nothing else: nothing here acts on them."""
    def create(logical_id, props, stack_name):
        name = f"{prefix}-{uuid.uuid4().hex[:17]}"
        return name, {attribute: name} if attribute else {}
    return {"create": create, "update": lambda name, *_: (name, {attribute: name} if attribute else {}), "delete": lambda *_: None}


# Without these the deployment is refused before it starts: "Unrecognized resource types".
for kind, handler in {
    "AWS::EC2::SecurityGroupIngress": record("sgr", "Id"),
    "AWS::EC2::SecurityGroupEgress": record("sgr", "Id"),
    "AWS::EC2::NatGateway": record("nat", "NatGatewayId"),
    "AWS::EC2::EIP": record("eipalloc", "AllocationId"),
    "AWS::EC2::FlowLog": record("fl", "Id"),
    "AWS::SecretsManager::RotationSchedule": record("rotation"),
}.items():
    handlers.setdefault(kind, handler)


def with_attributes(kind, attributes):
    """Adds attributes, made from the properties, to those that creating or updating a resource of the type answers."""
    create, update = handlers[kind]["create"], handlers[kind]["update"]

    def created(logical_id, props, stack_name):
        name, known = create(logical_id, props, stack_name)
        return name, {**known, **attributes(name, props)}

    def updated(name, old, new, *rest):
        name, known = update(name, old, new, *rest)
        return name, {**known, **attributes(name, new)}

    handlers[kind] = {**handlers[kind], "create": created, "update": updated}


# Without it Fn::GetAtt Vpc.CidrBlock, in the endpoint's security group, fails the stack.
with_attributes("AWS::EC2::VPC", lambda _, props: {"CidrBlock": props.get("CidrBlock", "10.0.0.0/16")})
# Without it the function's address of Secrets Manager, the first of DnsEntries, fails the stack.
with_attributes("AWS::EC2::VPCEndpoint", lambda name, props: {"DnsEntries": [f"Z0:{name}.secretsmanager.vpce.amazonaws.com"]})


# --- The pipeline -----------------------------------------------------------------------------------------------------

def place(variable, name):
    """Where a thing of that name lies, in a folder of the account and region that ask."""
    return pathlib.Path(os.environ[variable], get_account_id(), get_region(), name)


def repository(logical_id, props, stack_name):
    """A repository of CodeCommit is a bare one of git's. One that another stack left has the name, as on AWS."""
    name = props["RepositoryName"]
    if place("LOCAL_REPOSITORIES", f"{name}.git").exists():
        raise ValueError(f"Repository named {name} already exists (Service: AWSCodeCommit; Error Code: RepositoryNameExistsException)")
    subprocess.run(["git", "init", "--quiet", "--bare", place("LOCAL_REPOSITORIES", f"{name}.git")], check=True)
    return str(uuid.uuid4()), repository_attributes(props)


def repository_attributes(props):
    name, region = props["RepositoryName"], get_region()
    return {
        "Name": name, "Arn": f"arn:aws:codecommit:{region}:{get_account_id()}:{name}",
        "CloneUrlHttp": f"https://git-codecommit.{region}.amazonaws.com/v1/repos/{name}", "CloneUrlSsh": f"ssh://git-codecommit.{region}.amazonaws.com/v1/repos/{name}",
    }


def pipeline(name, props):
    """A pipeline is its properties, written down: a test plays it."""
    file = place("LOCAL_PIPELINES", f"{name}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(props), encoding="utf-8")
    return name, {"Version": "1"}


def pipeline_name(logical_id, props, stack_name):
    return props.get("Name") or f"{stack_name}-{logical_id}"


handlers.setdefault("AWS::CodeCommit::Repository", {
    "create": repository, "update": lambda name, _old, props, *_: (name, repository_attributes(props)),
    "delete": lambda _name, props, *_: shutil.rmtree(place("LOCAL_REPOSITORIES", f"{props['RepositoryName']}.git"), ignore_errors=True),
})
handlers.setdefault("AWS::CodePipeline::Pipeline", {
    "create": lambda logical_id, props, stack_name: pipeline(pipeline_name(logical_id, props, stack_name), props),
    "update": lambda name, _old, props, *_: pipeline(name, props), "delete": lambda *_: None,
})


# --- Aurora -----------------------------------------------------------------------------------------------------------

def cluster(name, props):
    """Makes a cluster's role and database on the local PostgreSQL and lets its endpoint lead there.

    Without it a cluster is an entry in a list and its endpoint a name that nobody resolves. The role owns its database
    and is no superuser, as on RDS.
    """
    entry = rds._clusters[name]
    entry["Endpoint"] = entry["ReaderEndpoint"] = DATABASE
    entry["Port"] = port = int(props["Port"])
    user, password, database = props.get("MasterUsername", "postgres"), props.get("MasterUserPassword"), props.get("DatabaseName")
    attributes = {}
    if provisioners._cfn_bool(props.get("ManageMasterUserPassword", False)):
        secret = managed_secret(name, user, (props.get("MasterUserSecret") or {}).get("KmsKeyId", ""))
        password, attributes["MasterUserSecret.SecretArn"] = secret["password"], secret["arn"]
    server = pathlib.Path(os.environ["LOCAL_SERVERS"], str(port)).read_text(encoding="utf-8")
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
        verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
        cursor.execute(sql.SQL("{} ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}").format(verb, sql.Identifier(user), sql.Literal(password)))
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database or "postgres"])
        if not cursor.fetchone():
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(user)))
    return {**attributes, "Endpoint.Address": DATABASE, "Endpoint.Port": str(port), "ReadEndpoint.Address": DATABASE}


def managed_secret(name, user, key):
    """The secret that RDS itself keeps where ManageMasterUserPassword is set: username and password, nothing else."""
    title, password = f"rds!{name}", uuid.uuid4().hex
    _, found = secretsmanager._resolve(title)
    if not found:
        value = json.dumps({"username": user, "password": password})
        answer = secretsmanager._create_secret({"Name": title, "SecretString": value, **({"KmsKeyId": key} if key else {})})
        return {"arn": json.loads(answer[2])["ARN"], "password": password}
    current = next(v["SecretString"] for v in found["Versions"].values() if "AWSCURRENT" in v.get("Stages", []))
    return {"arn": found["ARN"], "password": json.loads(current)["password"]}


delete_entry = handlers["AWS::RDS::DBCluster"]["delete"]


def without_database(name, props, *rest):
    """Without it the next cluster would find the data of a deleted one, and a deployment to it nothing to do.

    The secret that RDS keeps goes with the cluster, too: the next one is encrypted with another key."""
    delete_entry(name, props, *rest)
    secretsmanager._delete_secret({"SecretId": f"rds!{name}", "ForceDeleteWithoutRecovery": True})
    port, database = int(props["Port"]), props.get("DatabaseName")
    # The cluster that takes this one's place is on the same server.
    taken = any((int(c.get("Port", 0)), c.get("DatabaseName")) == (port, database) for c in rds._clusters.values())
    if taken or not database:
        return
    server = pathlib.Path(os.environ["LOCAL_SERVERS"], str(port)).read_text(encoding="utf-8")
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


with_attributes("AWS::RDS::DBCluster", cluster)
handlers["AWS::RDS::DBCluster"]["delete"] = without_database


# --- The registry of images -------------------------------------------------------------------------------------------

# ministack serves ECR's registry at its own port; without this, images would be sent to and fetched from AWS.
REGISTRY = f"localhost:{PORT}"
ecr._repo_uri = lambda name: f"{REGISTRY}/{name}"

get_token = ecr._get_authorization_token


def token_for_this_registry(data):
    status, headers, body = get_token(data)
    answer = json.loads(body)
    answer["authorizationData"][0]["proxyEndpoint"] = f"http://{REGISTRY}"
    return status, headers, json.dumps(answer).encode()


ecr._get_authorization_token = token_for_this_registry

select_scope = ecr._select_registry_request_scope


def scope_of_the_repository(name, headers, query):
    """Docker's requests carry no account. Without it only the repositories of the emulator's own can be pushed to."""
    select_scope(name, headers, query)
    for (account, region, known), _ in ecr._repositories.all_items():
        if known == name and name not in ecr._repositories:
            set_request_account_id(account)
            set_request_region(region)


ecr._select_registry_request_scope = scope_of_the_repository

describe_images = ecr._describe_images


def describe_images_that_exist(data):
    """Without it the CDK takes every image for present and never sends one."""
    name, asked = data.get("repositoryName", ""), data.get("imageIds") or []
    if name in ecr._repositories and not all(ecr._find_image(name, each) for each in asked):
        return error_response_json("ImageNotFoundException", f"The image requested does not exist in '{name}'", 400)
    return describe_images(data)


ecr._describe_images = describe_images_that_exist


# --- Lambda -----------------------------------------------------------------------------------------------------------

starting = threading.local()
spawn, invoke, flags = lambda_svc._spawn_lambda_container, lambda_svc._invoke_rie, lambda_svc._parse_docker_flags
lambda_svc.LAMBDA_DOCKER_FLAGS = " ".join([
    "--read-only --tmpfs /tmp:mode=1777,size=512m",
    f"-v {os.environ['LOCAL_CA']}:/local/ca.pem:ro -e PGSSLROOTCERT=/local/ca.pem",
    f"-v {os.environ['LOCAL_RIE']}:/local/aws-lambda-rie:ro",
    # The name of the VPC's endpoint, which the function is given, exists in the VPC only.
    f"-e AWS_ENDPOINT_URL_SECRETS_MANAGER=http://host.docker.internal:{PORT}",
    f"--add-host {DATABASE}:{BRIDGE} --add-host host.docker.internal:{BRIDGE}",
])


def spawn_like_lambda(config, code, **options):
    """An image function as Lambda runs it: behind AWS's runtime emulator, a user of its own, nothing but /tmp writable,
    its memory and the share of a processor that comes with it. Without it, any image passes that runs as root here."""
    starting.config = config
    image = re.sub(r"^\d{12}\.dkr\.ecr\.[^/]+/", f"{REGISTRY}/", config.get("ImageUri", ""))
    return spawn({**config, "ImageUri": image}, code, **options)


def flags_like_lambda(text):
    config, memory = starting.config, int(starting.config.get("MemorySize", 128))
    return {
        **flags(text), "user": "993:990", "mem_limit": f"{memory}m", "nano_cpus": int(memory / 1769 * 1e9) or 1,
        "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"],
        "entrypoint": ["/local/aws-lambda-rie", *(config.get("ImageConfig") or {}).get("EntryPoint", ["/usr/local/bin/slipway"])],
    }


def invoke_and_note(container, event, timeout, request_id):
    """Notes each call in LOCAL_EVENTS: it is how a test knows that CloudFormation called the function, or did not."""
    result = invoke(container, event, timeout, request_id)
    with open(os.environ["LOCAL_EVENTS"], "a", encoding="utf-8") as notes:
        line = {"event": event, "answer": result.get("body"), "failed": bool(result.get("error")), "log": result.get("log", "")}
        notes.write(json.dumps(line) + "\n")
    return result


lambda_svc._spawn_lambda_container, lambda_svc._invoke_rie, lambda_svc._parse_docker_flags = spawn_like_lambda, invoke_and_note, flags_like_lambda


# --- Start ------------------------------------------------------------------------------------------------------------

hook.install()
deployment.install()


def end_with_input():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    config = Config()
    # ministack's own start binds one address; containers need the bridge's, the CDK and Docker this machine's own.
    # (Docker Desktop's containers reach 127.0.0.1 by the name host-gateway.)
    config.bind = [f"127.0.0.1:{PORT}"] + ([f"{BRIDGE}:{PORT}"] if BRIDGE != "host-gateway" else [])
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(service.serving(app.app), config))
