"""From the log of calls: per role, which statements were used and by how many calls, and which never were.

  python -m permissions.report LOG REASONS [--whole]

Prints the table, and then a line "problem: …" for each:
- a call that was decided otherwise than it has to be;
- with --whole, which says that all deployments have run: an action of a statement that no call needed and that REASONS
  does not explain; a reason that explains nothing any more; a row of derived.json that never happened.

That a call needs an action is tried: the statement loses it, and the calls are decided anew. If nothing changes, the
action was not needed, even where it was used.
"""

import collections
import fnmatch
import json
import pathlib
import sys

from . import calls
from .rows import ROWS


def read(path):
    """The calls with how often each came, and all statements of all policies."""
    documents, counted, made = {}, collections.Counter(), {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "digest" in record:
            documents[record["digest"]] = record["document"]
            continue
        if record["taken"]:
            continue  # the tests took something away, and look at what came of it themselves
        fields = record["call"]
        fields["policies"] = [
            calls.Policy(p["holder"], p["kind"], p["owner"], documents[p["digest"]]) for p in fields["policies"]]
        call = calls.Call(**fields)
        made[call.key()] = call, record["decision"]
        counted[call.key()] += 1
    return [(call, decision, counted[key]) for key, (call, decision) in made.items()]


def used(log):
    """How many calls each statement spoke about, and which actions something depends on: by holder and statement."""
    count, needed = collections.Counter(), {}
    for call, _, times in log:
        for policy in call.policies:
            for name, statement in calls.names(policy.document):
                for pattern in calls.actions(statement):
                    needed.setdefault((policy.holder, name), {}).setdefault(pattern, False)
        allowed = calls.decide(call) == "Allow"
        for holder, name, pattern in calls.matched(call):
            count[holder, name] += times
            if not needed[holder, name][pattern]:
                less = calls.decide(calls.without(call, holder, name, pattern))
                needed[holder, name][pattern] = (less == "Allow") != allowed
    return count, needed


def wrong(log):
    for call, decision, times in log:
        if (decision == "Allow") == call.denied:
            verb = "was allowed" if call.denied else "was denied"
            row = f", {call.row}" if call.row else ""
            yield f"{call.caller} {verb}: {call.action} on {call.resource} ({times} calls{row})"


def unexplained(needed, reasons):
    """What no call needs and nothing explains, and the reasons that explain nothing."""
    live = set()
    for (holder, name), actions in sorted(needed.items()):
        left = []
        for action in (a for a, is_needed in actions.items() if not is_needed):
            fitting = [(i, p) for i, r in enumerate(reasons) if fnmatch.fnmatchcase(holder, r["holder"])
                       and fnmatch.fnmatchcase(name, r.get("statement", "*"))
                       for p in r["actions"] if fnmatch.fnmatchcase(action, p)]
            live.update(fitting)
            if not fitting:
                left.append(action)
        if left:
            yield f"{holder}: no call needs {', '.join(left)} of \"{name}\": remove it, or say why in unused.json"
    for i, reason in enumerate(reasons):
        for pattern in reason["actions"]:
            if (i, pattern) not in live:
                yield f"unused.json explains {pattern} of {reason['holder']}, and there is no such unused action"


def table(count, needed, out):
    last = None
    for holder, name in sorted(needed):
        if holder != last:
            print(f"\n{holder}", file=out)
        last = holder
        spare = [a for a, is_needed in needed[holder, name].items() if not is_needed]
        note = f"   not needed: {', '.join(spare)}" if spare and len(spare) < len(needed[holder, name]) else ""
        times = count[holder, name]
        print(f"  {times or 'never':>6}  {short(name)}{short(note) if times else ''}", file=out)


def short(text):
    """AWS's own policies name thousands of actions."""
    return text if len(text) <= 400 else text[:400] + "…"


def main(path, reasons, whole):
    log = read(path)
    count, needed = used(log)
    roles = {call.caller for call, _, _ in log}
    denied = sum(call.denied for call, _, _ in log)
    total = sum(times for _, _, times in log)
    print(f"permissions: {total} calls of {len(roles)} roles and services, {len(log)} of them different,"
          f" {denied} that have to be denied")
    table(count, needed, sys.stdout)
    problems = list(wrong(log))
    if whole:
        problems += unexplained(needed, json.loads(pathlib.Path(reasons).read_text(encoding="utf-8")))
        happened = {call.row for call, _, _ in log}
        problems += [f"derived.json: \"{row['row']}\" never happened" for row in ROWS if row["row"] not in happened]
    for problem in problems:
        print("problem:", problem)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--whole" in sys.argv)
