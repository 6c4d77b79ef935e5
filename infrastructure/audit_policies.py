"""What parliament finds in IAM policies: documents by name on standard input, findings as JSON.

It runs in the environment of the audit, by its path: it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys

import parliament


def findings(documents: dict[str, object]) -> list[dict[str, str]]:
    """Return each finding: the policy's name, the rule, and what it says."""
    return [
        {"where": name, "rule": found.issue, "detail": str(found.detail or "")}
        for name, document in documents.items()
        for found in parliament.analyze_policy_string(json.dumps(document)).findings
    ]


if __name__ == "__main__":
    json.dump(findings(json.load(sys.stdin)), sys.stdout)
