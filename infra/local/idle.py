"""Functions that were idle for weeks: ministack's are always ready, Lambda's become Inactive.

A test writes the file LOCAL_IDLE/<function>, with the seconds that it takes to bring the function back. The first call is
then refused, as AWS documents it, and makes the function Pending; calls are refused until it is Active again. GetFunction
tells its state, and brings nothing back. CDK's framework waits for the function with the SDK's waiter, which ministack's own
client for node only pretends to be: here it asks, with the framework's rights.
See https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html.
"""

import json
import os
import pathlib
import time

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

folder = pathlib.Path(os.environ["LOCAL_IDLE"])
pending = {}  # functions that are brought back, with the time at which each is Active
invoke, get_function = lambda_svc._invoke, lambda_svc._get_function


def state(name):
    if (folder / name).exists():
        return "Inactive"
    return "Pending" if pending.get(name, 0) > time.monotonic() else "Active"


def bring_back(name):
    file = folder / name
    seconds = float(file.read_text(encoding="utf-8"))
    file.unlink()
    pending[name] = time.monotonic() + seconds


async def invoke_unless_idle(name, *rest):
    match state(name):
        case "Inactive":
            bring_back(name)
            text = "The operation cannot be performed at this time. The function is currently in the following state: Inactive"
            return error_response_json("ResourceConflictException", text, 409)
        case "Pending":
            text = "Lambda is initializing your function. It will be ready to invoke shortly."
            return error_response_json("CodeArtifactUserPendingException", text, 409)
    return await invoke(name, *rest)


def get_function_with_state(name, *rest):
    status, headers, body = get_function(name, *rest)
    if status == 200 and (now := state(name)) != "Active":
        found = json.loads(body)
        found["Configuration"] |= {"State": now, "StateReason": "The function is idle", "StateReasonCode": "Idle"}
        body = json.dumps(found).encode()
    return status, headers, body


lambda_svc._invoke, lambda_svc._get_function = invoke_unless_idle, get_function_with_state

PRETENDED = 'async function waitUntilFunctionActiveV2() { return { state: "SUCCESS" }; }'
WAITER = """
    function _getFunction(name) {
      const ep = new URL(process.env.AWS_ENDPOINT_URL || "http://127.0.0.1:4566");
      const path = "/2015-03-31/functions/" + encodeURIComponent(name);
      const headers = _signedHeaders("lambda", "GET", ep, path, "", {});
      return new Promise((resolve, reject) => http.get({ hostname: ep.hostname, port: ep.port, path, headers }, (res) => {
        const chunks = [];
        res.on("data", (c) => chunks.push(c));
        res.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          res.statusCode < 300 ? resolve(JSON.parse(text)) : reject(new Error(text));
        });
      }).on("error", reject));
    }
    async function waitUntilFunctionActiveV2(options, input) {
      for (const end = Date.now() + 1000 * options.maxWaitTime; Date.now() < end;) {
        const state = (await _getFunction(input.FunctionName)).Configuration.State;
        if (state === "Active") return { state: "SUCCESS" };
        if (state === "Failed") throw new Error("the function is Failed");
        await new Promise((done) => setTimeout(done, 1000));
      }
      throw new Error("the function did not become Active in " + options.maxWaitTime + " s");
    }"""

if PRETENDED not in lambda_runtime._NODEJS_WORKER_SCRIPT:
    raise SystemExit("ministack's waiter of Lambda for node is another one")
lambda_runtime._NODEJS_WORKER_SCRIPT = lambda_runtime._NODEJS_WORKER_SCRIPT.replace(PRETENDED, WAITER.strip())
