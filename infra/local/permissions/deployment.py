"""What CloudFormation does in the name of a stack's execution role, and the policies that come and go with it."""

from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc
from ministack.services.cloudformation import engine, handlers, helpers, stacks

from . import derived, policies

execution = {}  # (account, region, stack) -> ARN of the role that CloudFormation was given
functions = {}  # ARN of a function -> facts of its invocations
logs = {}       # ARN of a build's project -> name of its log group


def role_of(stack):
    return execution.get((get_account_id(), get_region(), stack), "")


def with_role(operation):
    """A stack's operation that names a role: its caller has to be allowed to pass it. The role stays the stack's."""
    def operated(params):
        role, stack = helpers._p(params, "RoleARN"), helpers._p(params, "StackName").split("/")[-2:][0]
        caller = evaluator.caller_arn()
        if role and ":assumed-role/" in caller:
            url = helpers._p(params, "TemplateURL")
            template = "arn:aws:s3:::" + url.split("?")[0].split("/", 3)[-1] if url else ""
            if wrong := derived.happened("stack", caller=caller, execution=role, template=template):
                return helpers._error("AccessDenied", "; ".join(wrong), 403)
        if role:
            execution[get_account_id(), get_region(), stack] = role
        return operation(params)
    return operated


def listed(kind, props):
    """The CDK's bootstrap without policies for the execution role gives it AdministratorAccess. Without this it
    has none: the emulator takes an empty parameter that is a list for one that is set."""
    if kind == "AWS::IAM::Role" and props.get("ManagedPolicyArns") == [""]:
        return {**props, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}
    return props


def provision(create):
    def provisioned(kind, logical_id, props, stack):
        props = listed(kind, props)
        before(kind, stack, props)
        name, attributes = create(kind, logical_id, props, stack)
        after(kind, stack, logical_id, name, props)
        return name, attributes
    return provisioned


def change(update):
    def updated(kind, physical_id, old, new, stack, logical_id=None, *rest):
        if old == new:
            return update(kind, physical_id, old, new, stack, logical_id, *rest)
        old, new = listed(kind, old), listed(kind, new)
        before(kind, stack, new)
        name, attributes = update(kind, physical_id, old, new, stack, logical_id, *rest)
        after(kind, stack, logical_id, name, new)
        return name, attributes
    return updated


# Where a type's properties name a role that a service is to have.
PASSED = {
    "AWS::Lambda::Function": ("lambda", lambda p: [p["Role"]]),
    "AWS::CodeBuild::Project": ("codebuild", lambda p: [p["ServiceRole"]]),
    "AWS::CodePipeline::Pipeline": ("codepipeline", lambda p: [p["RoleArn"]]),
    "AWS::EC2::FlowLog": ("vpc-flow-logs", lambda p: [p.get("DeliverLogsPermissionArn")]),
    "AWS::Events::Rule": ("events", lambda p: [t.get("RoleArn") for t in p.get("Targets", [])]),
}


def before(kind, stack, props):
    """What the execution role needs so that the resource can be made."""
    role = role_of(stack)
    if not role:
        return
    service, passed = PASSED.get(kind, ("", lambda _: []))
    for each in filter(None, passed(props)):
        derived.must("resource", execution=role, role=each, service=service + derived.SERVICE)
    code = props.get("Code") or {} if kind == "AWS::Lambda::Function" else {}
    if "S3Bucket" in code:
        derived.must("resource", execution=role, code=f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")
    if kind.startswith("Custom::"):
        derived.must("resource", execution=role, token=props["ServiceToken"])


def after(kind, stack, logical_id, name, props):
    """What its service does with it, and the policies that it is or has."""
    if kind in policies.kinds:
        policies.kinds[kind](stack, logical_id, name, props)
    if kind in BEGUN:
        BEGUN[kind](stack, name, props)


def function(stack, name, props):
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    image, repository = (props.get("Code") or {}).get("ImageUri", ""), ""
    if image:
        path = image.split("/", 1)[1].split("@")[0].split(":")[0]
        repository = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{path}"
    functions[arn] = {
        "role": props["Role"], "logs": (props.get("LoggingConfig") or {}).get("LogGroup", f"/aws/lambda/{name}"),
        "tracing": (props.get("TracingConfig") or {}).get("Mode") == "Active",
    }
    derived.must("function", function=arn, role=props["Role"], vpc="VpcConfig" in props, repository=repository)


def alarm(stack, name, props):
    arn = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"
    for topic in props.get("AlarmActions", []):
        at_the_end(stack, "alarm", topic=topic, alarm=arn)


def rule(stack, name, props):
    for target in props.get("Targets", []):
        if ":sns:" in target["Arn"]:
            at_the_end(stack, "rule", topic=target["Arn"])
        elif target.get("RoleArn"):
            at_the_end(stack, "rule", role=target["RoleArn"], pipeline=target["Arn"])


def flow_log(stack, name, props):
    group = props.get("LogGroupName") or props.get("LogDestination", "").split("log-group:")[-1]
    at_the_end(stack, "flow log", role=props.get("DeliverLogsPermissionArn"), logs=group)


def topic_policy(stack, name, props):
    for topic in props["Topics"]:
        at_the_end(stack, "topic", execution=role_of(stack), topic=topic)


def bucket_policy(stack, name, props):
    at_the_end(stack, "bucket", execution=role_of(stack), bucket=props["Bucket"])


def build(stack, name, props):
    """The emulator forgets where a build's logs go."""
    group = ((props.get("LogsConfig") or {}).get("CloudWatchLogs") or {}).get("GroupName", f"/aws/codebuild/{name}")
    logs[f"arn:aws:codebuild:{get_region()}:{get_account_id()}:project/{name}"] = group


BEGUN = {
    "AWS::CodeBuild::Project": build,
    "AWS::Lambda::Function": function, "AWS::CloudWatch::Alarm": alarm, "AWS::Events::Rule": rule,
    "AWS::EC2::FlowLog": flow_log, "AWS::SNS::TopicPolicy": topic_policy, "AWS::S3::BucketPolicy": bucket_policy,
}

waiting = {}  # (account, region, stack) -> events whose policies may come after their resource in the template


def at_the_end(stack, event, **facts):
    waiting.setdefault((get_account_id(), get_region(), stack), []).append((event, facts))


def told(add_event):
    """When a stack is complete, all its policies are there."""
    def added(stack_id, stack, logical_id, kind, status, *rest, **more):
        if kind == "AWS::CloudFormation::Stack" and not status.endswith("_IN_PROGRESS"):
            events = waiting.pop((get_account_id(), get_region(), stack), [])
            for event, facts in events if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else []:
                derived.happened(event, **facts)
        return add_event(stack_id, stack, logical_id, kind, status, *rest, **more)
    return added


def output_read(resolve):
    """CloudFormation reads another stack's output with the execution role."""
    def resolved(value, *rest):
        if isinstance(value, dict) and isinstance(spec := value.get("Fn::GetStackOutput"), dict):
            arn = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{spec['StackName']}/*"
            derived.must("output", execution=role_of(rest[-2]), stack=arn)
        return resolve(value, *rest)
    return resolved


def invoked(dispatch):
    def dispatched(func, config, *rest):
        derived.happened("invocation", **functions.get(config.get("FunctionArn"), {}))
        return dispatch(func, config, *rest)
    return dispatched


def install():
    for operation in ("CreateStack", "UpdateStack", "CreateChangeSet", "DeleteStack"):
        handlers._ACTION_HANDLERS[operation] = with_role(handlers._ACTION_HANDLERS[operation])
    stacks._provision_resource = provision(stacks._provision_resource)
    stacks._update_resource = change(stacks._update_resource)
    stacks._add_event = told(stacks._add_event)
    engine._resolve_refs = output_read(engine._resolve_refs)
    lambda_svc._execute_function_dispatch = invoked(lambda_svc._execute_function_dispatch)
