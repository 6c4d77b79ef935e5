"""docs/infrastructure.md, made from the template: parameters, what is made by part, outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.accepted import FILE, Accepted, accepted_of
from infrastructure.post_deploy import EVENT_FUNCTIONS, OLDEST_EVENT_SECONDS, RETRIES
from infrastructure.render import ROOT, Part, parts_of, render
from infrastructure.resolved import Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOTE = "<!-- Made by `make docs`; change infrastructure/, not this page. -->\n"
STAGE = "dev"

HEAD = f"""# What a stage is made of

One CloudFormation stack, `<app>-<stage>-infra`, holds everything of a stage except what `chalice deploy`
makes: the functions, their triggers and the REST API. The template is `infrastructure/template.yaml` with a
file for each concern in `infrastructure/parts/` and for each workflow in `infrastructure/workflows/`;
`python -m infrastructure.render --stage {STAGE}` prints it whole. Names are the same at each deployment and
begin with the app and the stage, so two stages of one account share nothing. Every resource, and every
function, carries the tags `decant:app` and `decant:stage`.
"""


@dataclass(frozen=True)
class Row:
    """A resource as the page shows it."""

    name: str
    kind: str
    physical: str
    condition: str


def page(root: Path = ROOT) -> str:
    """Return the page's text."""
    template, parts = render(STAGE, root), parts_of(root)
    names = Names(template)
    lines = [NOTE, HEAD, "## Parameters\n", PARAMETERS]
    for part in parts:
        lines += _parameters(part, template)
    lines += ["## What is made\n", f"The names are those of the stage `{STAGE}` in account 123456789012.\n"]
    shown: set[str] = set()
    for part in parts:
        lines += _resources(part.title, part.resources, template, names)
        shown |= set(part.resources)
    lines += _resources(
        RENDERED, [name for name in template["Resources"] if name not in shown], template, names
    )
    lines += ["## Outputs\n", OUTPUTS, *_outputs(template), "", AFTER]
    lines += ["## What linters find and what stays\n", ACCEPTED, *_accepted(root), ""]
    return "\n".join(lines)


PARAMETERS = """Each has a default but `Stage`. One that is not given keeps its value:

```sh
python -m infrastructure.provision --stage NAME --parameter NAME=VALUE
```
"""

RENDERED = (
    "What render.py adds: a state machine for each workflow, and what the roles need of key and network."
)

OUTPUTS = """`infrastructure/chalice_config.py` turns them into the stage's block of `.chalice/config.json`:
environment variables, roles, tags, and the network of the functions that reach the warehouse.
"""

HANDLERS = "\n".join(f"- `{each}`" for each in EVENT_FUNCTIONS)

AFTER = f"""## After `chalice deploy`

Chalice has no setting for where an event goes that its function gave up, and CloudFormation cannot configure
a function that is not there yet. So `python -m infrastructure.post_deploy --stage NAME` sets it: {RETRIES}
retries within {OLDEST_EVENT_SECONDS // 3600} hours, then the dead-letter queue, which an alarm watches. It is
safe to repeat, and Chalice leaves it alone when it deploys again. These functions take events:

{HANDLERS}

The same command limits the REST API's requests, and lets the console upload: a CORS rule of the landing
bucket allows POST from exactly the API's origin, which is known only now. It goes with the bucket.
"""

ACCEPTED = """`make check` runs cfn-lint, checkov and parliament on the rendered template. What they find is
mended or stands here with its reason; an entry that matches nothing any more fails the check.
"""


def _parameters(part: Part, template: Mapping[str, Any]) -> Iterator[str]:
    if not part.parameters:
        return
    yield f"### {part.title}\n"
    yield "| parameter | default | allowed | what it does |\n| --- | --- | --- | --- |"
    for name in part.parameters:
        declared = template["Parameters"][name]
        default = "" if name == "Stage" else declared.get("Default", "")
        shown = f"`{default}`" if default not in ("", None) else "none"
        yield f"| {name} | {shown} | {_allowed(declared)} | {_cell(declared['Description'])} |"
    yield ""


def _allowed(declared: Mapping[str, Any]) -> str:
    if "AllowedValues" in declared:
        return ", ".join(f"`{each}`" for each in declared["AllowedValues"])
    if "ConstraintDescription" in declared:
        return _cell(declared["ConstraintDescription"])
    if "MaxValue" in declared:
        return f"{declared['MinValue']:,} to {declared['MaxValue']:,}"
    if "MinValue" in declared:
        return f"{declared['MinValue']:,} or more"
    return "a list, separated by commas" if "List" in declared["Type"] else "any text"


def _resources(title: str, found: list[str], template: Mapping[str, Any], names: Names) -> Iterator[str]:
    if not found:
        return
    yield f"### {title}\n"
    yield "| resource | type | name | when |\n| --- | --- | --- | --- |"
    for logical in found:
        resource = template["Resources"][logical]
        kind, condition = resource["Type"].removeprefix("AWS::"), resource.get("Condition", "always")
        yield f"| {logical} | {kind} | {_code(names.name(logical))} | {condition} |"
    yield ""


def _outputs(template: Mapping[str, Any]) -> Iterator[str]:
    yield "| output | what it is |\n| --- | --- |"
    for name, output in sorted(template["Outputs"].items()):
        yield f"| {name} | {_cell(output.get('Description') or _what(output['Value']))} |"


def _what(value: Any) -> str:
    match value:
        case {"Ref": name}:
            return f"the name of {name}" if name[0].isupper() else name
        case {"Fn::GetAtt": [name, attribute]}:
            return f"the {attribute} of {name}"
        case {"Fn::Sub": str(text)}:
            return f"`{text}`"
        case str(text):
            return f"`{text}`"
    return f"`{json.dumps(value)}`"


def _accepted(root: Path) -> Iterator[str]:
    yield "| tool | rule | where | why it stays |\n| --- | --- | --- | --- |"
    path = root / "infrastructure" / FILE
    found: list[Accepted] = accepted_of(path, "cfn-lint", "checkov", "parliament")
    for each in found:
        yield f"| {each.tool} | {each.rule} | {_code(each.where)} | {_cell(each.reason)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
