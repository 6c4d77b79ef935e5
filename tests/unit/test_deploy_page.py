"""docs/deploy.md says what the commands take, what preflight tells and what the template costs."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from cli.main import main
from infrastructure.stage_cost import per_1000_files, standing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^decant ((?:deploy|destroy|tokens) .+?)(?: +#.*)?$", PAGE, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_taken(line: str) -> None:
    name, *arguments = line.split()
    command = main.get_command(click.Context(main), name)
    if isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.get_command(click.Context(command), name)
    assert command
    command.make_context(name, arguments)  # refuses what it does not know


@pytest.mark.parametrize("words", ["somebody has it", "yours, in no stack", "none is set", "longest name"])
def test_the_page_quotes_what_preflight_says(words: str) -> None:
    sources = (ROOT / "infrastructure" / "deployment").glob("*.py")
    assert any(words in path.read_text(encoding="utf-8") for path in sources)
    assert words in PAGE


def test_a_resource_that_costs_while_nothing_happens_is_counted_by_its_option() -> None:
    secret = {"Type": "AWS::SecretsManager::Secret"}
    gateway = {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}}
    template = {"Resources": {"A": secret, "B": secret, "C": {**secret, "Condition": "Own"}, "D": gateway}}
    assert [(row.number, row.option, row.each) for row in standing(template)] == [
        (2, None, 0.4),
        (1, "Own", 0.4),
    ]


def test_larger_files_cost_more() -> None:
    small, large = (per_1000_files(size, glue=False) for size in (100_000, 50_000_000))
    assert 0.2 < small < large
    assert per_1000_files(500_000_000, glue=True) > large
