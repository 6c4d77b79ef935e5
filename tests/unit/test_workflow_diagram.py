"""The pictures of workflows show every state, those inside Map and Parallel states too."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cli.workflow_diagram import inner_states, mermaid, with_inner
from cli.workflow_svg import svg

WORKFLOWS = sorted((Path(__file__).parents[2] / "workflows").glob("*.asl.json"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_state_is_drawn_once_at_whatever_depth(path: Path) -> None:
    definition = json.loads(path.read_text())
    drawn = mermaid(definition)
    every = [
        *definition["States"],
        *(name for s in definition["States"].values() for name, _ in inner_states(s)),
    ]
    assert len(set(every)) == len(every)
    for name in every:
        assert drawn.count(f'"{name}"') + drawn.count(f'["{name} (') == 1, name


def test_branches_are_drawn_inside_their_state_with_their_own_arrows() -> None:
    branch = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Fail"}}}
    parallel = {"Type": "Parallel", "Branches": [branch], "Next": "D"}
    definition = {"StartAt": "A", "States": {"A": parallel, "D": {"Type": "Succeed"}}}
    lines = [line.strip() for line in mermaid(definition).splitlines()]
    inside = lines[lines.index('subgraph A["A (Parallel)"]') + 1 : lines.index("end")]
    assert inside == ['B[/"B"/]', "B --> C", 'C(("C"))']
    assert lines[lines.index("end") + 1] == "A --> D"
    assert "class C failed" in lines


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_picture_is_well_formed_and_holds_every_state_as_text(path: Path) -> None:
    definition = json.loads(path.read_text())
    picture = ET.fromstring(svg(path.stem, definition, errors="all"))
    words = {"".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    for name, state in with_inner(definition["States"]):
        inner = any(key in state for key in ("Branches", "ItemProcessor", "Iterator"))
        assert (f"{name} ({state['Type']})" if inner else name) in words
    assert picture.find("{http://www.w3.org/2000/svg}title") is not None
    assert picture.find("{http://www.w3.org/2000/svg}desc") is not None


def test_a_hostile_name_is_text_in_the_picture() -> None:
    name = "<script>alert(1)</script>"
    definition = {"StartAt": name, "Comment": "</desc><script>", "States": {name: {"Type": "Succeed"}}}
    drawn = svg("w", definition)
    assert "<script" not in drawn
    assert name in "".join(ET.fromstring(drawn).itertext())
