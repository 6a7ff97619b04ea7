"""Runs cfn-lint and checkov on the templates of a cloud assembly.

usage: check.py ASSEMBLY

Every finding fails the run, save those of checkov that accepted.json names,
each for certain resources and with its reason, and the rules of cfn-lint in
cfnlint.yaml. An entry that matches nothing any more fails it as well.
"""

import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.dirname(sys.executable)


def cfn_lint(templates):
    """Prints what cfn-lint finds and answers whether that is nothing."""
    command = [os.path.join(TOOLS, "cfn-lint"), "--config-file", os.path.join(HERE, "cfnlint.yaml"), "--", *templates]
    return subprocess.run(command, check=False).returncode == 0


def checkov(assembly):
    """Answers the failed checks of checkov and how many passed."""
    command = [os.path.join(TOOLS, "checkov"), "--directory", assembly, "--framework", "cloudformation",
               "--compact", "--quiet", "--output", "json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(run.stdout)
        if report["summary"]["parsing_errors"]:
            raise ValueError("templates that checkov can't read: %s" % report["results"]["parsing_errors"])
        return report["results"]["failed_checks"], report["summary"]["passed"]
    except (ValueError, KeyError, TypeError) as problem:
        sys.exit("checkov gave no report: %s\n%s%s" % (problem, run.stdout, run.stderr))


def main():
    assembly = sys.argv[1]
    templates = sorted(glob.glob(os.path.join(assembly, "**", "*.template.json"), recursive=True))
    if not templates:
        sys.exit("no template below %s" % assembly)
    clean = cfn_lint(templates)

    with open(os.path.join(HERE, "accepted.json"), encoding="utf-8") as file:
        accepted = json.load(file)
    failed, passed = checkov(assembly)
    used = set()
    for finding in failed:
        matches = [i for i, a in enumerate(accepted)
                   if a["check"] == finding["check_id"] and finding["resource"].startswith(a["resource"])]
        used.update(matches)
        if not matches:
            clean = False
            print("%s %s: %s %s" % (finding["check_id"], finding["check_name"], finding["file_path"], finding["resource"]))
    for i, entry in enumerate(accepted):
        if i not in used:
            clean = False
            print("accepted.json: nothing fails %s at %s any more" % (entry["check"], entry["resource"]))
    print("%d templates: cfn-lint and checkov, %d checks passed, %d findings accepted with %d reasons"
          % (len(templates), passed, len(failed), len(accepted)), file=sys.stderr)
    sys.exit(0 if clean else 1)


main()
