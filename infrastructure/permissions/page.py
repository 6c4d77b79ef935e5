"""The page for a security reviewer: what each role of a stage may do, and to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infrastructure.permissions.policies import Statement, statements, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HEADING = """# Permissions

What each role of a stage may do, as the template grants it. A function has a role of its own, and so has
each state machine, Glue job and crawler. Nothing here is written by hand, and nothing may be granted that
the code does not use: `tests/unit/test_permissions.py` follows every function of app.py through chalicelib
to the operations of AWS that it calls, and every workflow's definition to its tasks, and fails with the way
to the call when a permission is missing, unused, or wider than an ARN.

`decant up --enforce-iam` proves it: every function, state machine, job, crawler, query and COPY then works
with its role's own temporary credentials, and what no policy allows is refused in AWS's words. The
acceptance tests run so. Each refusal is one line of `local_aws.log` in the state directory, from which a
policy can be mended:

```text
denied: role arn:aws:iam::123456789012:role/decant-local-notify, action s3:PutObject, resource ...
```

Where a resource is `*`, AWS knows no narrower one: log delivery, tracing, and metrics, whose namespace a
condition names. In the tables `${Arn}` stands for `arn:${AWS::Partition}`, `${Here}` for
`${AWS::Region}:${AWS::AccountId}`.
"""

SHORT = {
    "arn:${AWS::Partition}": "${Arn}",
    "${AWS::Region}:${AWS::AccountId}": "${Here}",
    "${App}-${Stage}-": "${Stage}-",
    "${App}-${Stage}": "${Stage}",
}
"""What the tables shorten, in this order."""


def page(template: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    roles = sorted(
        name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::IAM::Role"
    )
    return "\n".join([HEADING, *(line for role in roles for line in _section(template, role))])


def _section(template: Mapping[str, Any], role: str) -> Iterator[str]:
    yield f"## {role}\n"
    yield "| may | on | if |\n| --- | --- | --- |"
    for statement in statements(template, role):
        yield _row(statement)
    yield ""


def _row(statement: Statement) -> str:
    actions = "<br>".join(f"`{action}`" for action in sorted(statement.actions))
    resources = "<br>".join(f"`{_short(written(each))}`" for each in statement.resources)
    conditions = "<br>".join(
        f"{operator} `{key}` {_short(_told(value))}"
        for operator, keys in statement.conditions.items()
        for key, value in keys.items()
    )
    denied = "not " if statement.effect == "Deny" else ""
    return f"| {denied}{actions} | {resources} | {conditions} |"


def _told(value: Any) -> str:
    return ", ".join(f"`{written(each)}`" for each in (value if isinstance(value, list) else [value]))


def _short(text: str) -> str:
    for long, short in SHORT.items():
        text = text.replace(long, short)
    return text
