"""The pages of docs/ that are made from the code: `python -m cli.documentation` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner

from cli import notice_examples
from cli.main import main
from cli.output import console
from cli.workflow_diagram import inner_states
from cli.workflow_patterns import patterns_section
from cli.workflow_svg import svg
from infrastructure import stage_cost
from infrastructure.permissions.page import page as permissions_page
from infrastructure.reference import page as infrastructure_page
from infrastructure.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

NOTE = "<!-- Made by `make docs`; change the code, not this page. -->\n"

COST_BEGINS = "<!-- cost: made by `make docs` -->"
COST_ENDS = "<!-- end of cost -->"
COST_COMMAND = "decant workflows cost load_file --runs 100000 --size 5MB --pipeline orders --region eu-west-1"

STAGE_COST_BEGINS = "<!-- stage cost: made by `make docs` -->"
STAGE_COST_ENDS = "<!-- end of stage cost -->"


def pages() -> dict[Path, str]:
    """Return the text of every made page by its path."""
    return {
        **pictures(),
        ROOT / "docs" / "cli.md": cli_page(),
        ROOT / "docs" / "workflows.md": workflows_page(),
        ROOT / "docs" / "infrastructure.md": infrastructure_page(),
        ROOT / "docs" / "permissions.md": NOTE + permissions_page(render("local")),
        ROOT / "docs" / "tutorials" / "cost.md": cost_page(),
        ROOT / "docs" / "notices.md": notice_examples.page(
            (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
        ),
        ROOT / "docs" / "deploy.md": deploy_page(),
    }


def cli_page() -> str:
    """Return the page about the command line: every command's own help."""
    parts = [NOTE, "# The `decant` command\n", HEADING]
    parts += [f"## `{path}`\n\n```text\n{said}\n```\n" for path, said in _helps(main, "decant")]
    return "\n".join(parts)


def workflows_page() -> str:
    """Return the page about the workflows: each one's picture and its states."""
    parts = [NOTE, "# Workflows\n", WORKFLOWS]
    for path in sorted((ROOT / "workflows").glob("*.asl.json")):
        definition = json.loads(path.read_text(encoding="utf-8"))
        parts += [f"## {_name(path)}\n", definition["Comment"] + "\n"]
        parts += [
            f"![The states of {_name(path)}](images/workflows/{_name(path)}.svg)\n",
            "| state | type | what it does |",
            "| --- | --- | --- |",
        ]
        for name, state in definition["States"].items():
            parts.append(f"| {name} | {state['Type']} | {_what(state)} |")
            parts += [
                f"| {name}: {inside} | {each['Type']} | {_what(each)} |"
                for inside, each in inner_states(state)
            ]
        parts.append("")
    return "\n".join([*parts, patterns_section()])


def cost_page() -> str:
    """Return the tutorial about costs with what its first command says today."""
    text = (ROOT / "docs" / "tutorials" / "cost.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(COST_BEGINS)
    _, _, after = rest.partition(COST_ENDS)
    width, console.width = console.width, 100  # a page is as wide wherever it is made
    said = CliRunner().invoke(main, COST_COMMAND.split()[1:]).output
    console.width = width
    shown = said.partition("\nAssumed")[0].rstrip()
    return f"{before}{COST_BEGINS}\n```console\n$ {COST_COMMAND}\n{shown}\n...\n```\n{COST_ENDS}{after}"


def deploy_page() -> str:
    """Return the page about deployment with what the template of today costs."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(STAGE_COST_BEGINS)
    _, _, after = rest.partition(STAGE_COST_ENDS)
    shown = "\n".join(stage_cost.lines())
    return f"{before}{STAGE_COST_BEGINS}\n{shown}\n\n{STAGE_COST_ENDS}{after}"


HEADING = """Exit codes: 0 it did what it was asked; 1 it failed, or what it reports did; 2 the command line
is wrong; 3 no stage is running. Ctrl-C ends a command with 1, and `up` and a demonstration that stays with
their own. Every command that prints data takes `--json`. A table fits the terminal (`COLUMNS` where there is
none): text is wrapped, names and addresses never are.

The commands talk to the stage that runs here, or with `decant --stage NAME` (or `DECANT_STAGE`) to a stage on
AWS: `decant deploy` writes down in `.decant/stages/` where its REST API is. A token of your own goes into
`DECANT_API_TOKEN`, another address into `DECANT_API_URL`; S3 and the other services are reached with the AWS
credentials of your shell.
"""


def pictures() -> dict[Path, str]:
    """Return the picture of every workflow by its path, and one without errors for the README."""
    folder = ROOT / "docs" / "images" / "workflows"
    definitions = {
        _name(path): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "workflows").glob("*.asl.json"))
    }
    return {
        **{folder / f"{name}.svg": svg(name, found) for name, found in definitions.items()},
        folder / "load_file-without-errors.svg": svg("load_file", definitions["load_file"], errors="none"),
    }


def _name(path: Path) -> str:
    return path.name.removesuffix(".asl.json")


WORKFLOWS = """Each file in `workflows/` is Amazon States Language; its placeholders are filled in when the
stack is rendered. Full arrows lead to the next state, dotted ones to where an error is caught; those that
most states share are drawn once. Every path that begins with an error ends in a Fail state, after people
were told.
`decant workflows draw NAME --errors all` draws each of them.
"""


def _helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _helps(found, f"{path} {name}")


def _what(state: dict[str, Any]) -> str:
    if "Comment" in state:
        return str(state["Comment"])
    if state["Type"] == "Task":
        return f"Calls `{state['Resource']}`."
    if state["Type"] == "Fail":
        return f"Ends the run with the error `{state.get('Error') or state['ErrorPath']}`."
    if state["Type"] == "Wait":
        return f"Waits `{state['SecondsPath']}` seconds."
    return (
        "Ends the run well." if state["Type"] == "Succeed" else "Chooses by what the steps before it found."
    )


if __name__ == "__main__":
    for page, text in pages().items():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
