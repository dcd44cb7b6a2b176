"""Judges template after template: one line of JSON in, {"template", "region", "ignored"}, one out, the findings.

cfn-lint's own command needs longer to start than to judge a template.
"""
import json
import sys
from pathlib import Path

from cfnlint import ManualArgs, lint_file
from cfnlint.formatters import JsonFormatter

for line in sys.stdin:
    asked = json.loads(line)
    config = ManualArgs(regions=[asked["region"]], ignore_checks=asked["ignored"])
    found = lint_file(Path(asked["template"]), config)
    print(json.dumps(found, cls=JsonFormatter.CustomEncoder), flush=True)
