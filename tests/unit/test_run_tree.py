"""A run drawn as a tree and told in lines, from recorded histories."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, Group

from chalicelib import states
from cli.run_tree import INSTANT, changes, heading, on_screen, tree
from tests.unit.test_states import HISTORIES, definition, events, until

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = {
    "name": "orders-1",
    "pipeline": "orders",
    "input": {"file": {"bucket": "landing", "key": "incoming/orders/[b]a.csv"}},
}


def answer(name: str, *, first: int | None = None) -> dict[str, Any]:
    """Return what `GET /runs/{run}/states` says of the whole run, or when `first` events have happened."""
    history = events(name)[:first]
    ended = None if first else history[-1]["timestamp"]
    told = []
    for state in states.read(definition(name), history, ended=ended, brief=True):
        document = dataclasses.asdict(state)
        told.append({**document, "children": [] if document.pop("map_run") else None})
    return {
        "run": RUN["name"],
        "outcome": "succeeded" if ended else "running",
        "started": history[0]["timestamp"].isoformat(),
        "ended": ended.isoformat() if ended else None,
        "states": told,
    }


def drawn(states_: dict[str, Any], now: datetime = NOW) -> str:
    screen = Console(width=200, force_terminal=True, color_system=None)
    with screen.capture() as captured:
        screen.print(Group(*tree(RUN, states_, now)))
    return captured.get()


def instant(state: dict[str, Any]) -> bool:
    return state["type"] in INSTANT and state["status"] == "done"


def line(text: str, name: str) -> str:
    (found,) = [each for each in text.splitlines() if f" {name}  " in each]
    return found


@pytest.mark.parametrize("name", [path.stem for path in HISTORIES])
def test_every_state_that_took_time_has_one_line_with_its_seconds(name: str) -> None:
    said = drawn(answer(name))
    for state in answer(name)["states"]:
        if state["status"] in {"ahead", "not_taken", "elsewhere"} or instant(state):
            assert f" {state['name']}  " not in said
        else:
            assert f"{state['seconds']:,.1f} s" in line(said, state["name"])


def test_the_first_line_tells_of_the_run() -> None:
    states_ = answer("load_file-small")
    first = drawn(states_).splitlines()[0]
    assert first.startswith("orders-1  succeeded  ")
    assert first.endswith(" s  orders  s3://landing/incoming/orders/[b]a.csv")
    assert heading(RUN, states_, NOW).plain == first.rstrip()


def test_a_state_that_is_tried_again_tells_of_its_error_and_goes_on_counting() -> None:
    first = until("load_file-retried", "LambdaFunctionFailed", "CopyToRedshift")
    under_way = answer("load_file-retried", first=first)
    state = next(each for each in under_way["states"] if each["name"] == "CopyToRedshift")
    later = datetime.fromisoformat(state["entered"]).replace(microsecond=0)
    said = line(drawn(under_way, later.replace(minute=later.minute + 1)), "CopyToRedshift")
    assert "↻ CopyToRedshift  retrying  " in said
    assert f"  {state['error']}" in said
    assert 58 < float(said.partition("retrying  ")[2].partition(" s")[0]) <= 60
    ended = line(drawn(answer("load_file-retried")), "CopyToRedshift")
    assert "✓ CopyToRedshift" in ended
    assert "attempts" in ended


def test_a_failed_state_has_its_mark_its_error_and_the_cause_in_one_line() -> None:
    failed = [state for state in answer("load_file-failed")["states"] if state["error"]]
    for state in failed:
        said = line(drawn(answer("load_file-failed")), state["name"])
        assert f"✗ {state['name']}  failed" in said
        assert state["error"] in said


def test_what_is_inside_a_map_stands_below_it_with_a_summary_of_its_items() -> None:
    states_ = answer("nyc_taxi-months")
    container = next(state for state in states_["states"] if state["iterations"])
    inner = [state["name"] for state in states_["states"] if state["inside"] == container["name"]]
    said = drawn(states_).splitlines()
    start = next(number for number, each in enumerate(said) if f" {container['name']}  " in each)
    assert f"{container['iterations']['total']} item" in said[start + 1]
    assert f"{container['iterations']['done']} done" in said[start + 1]
    depth = said[start].index("✓")
    for name in inner:
        if any(f" {name}  " in each for each in said):
            assert line(drawn(states_), name).index(name) > depth + 2


def test_a_distributed_maps_failed_runs_are_named() -> None:
    states_ = answer("load_batch-part_failed")
    container = next(state for state in states_["states"] if state["children"] is not None)
    container["iterations"] = {"total": 9, "running": 2, "done": 6, "failed": 1}
    container["children"] = [
        {"name": "child-1", "outcome": "failed", "started": "", "ended": ""},
        {"name": "child-2", "outcome": "succeeded", "started": "", "ended": ""},
    ]
    said = drawn(states_)
    assert "9 items: 6 done, 2 running, 1 failed" in said
    assert "failed: child-1" in said
    assert "child-2" not in said


@pytest.mark.parametrize("name", [path.stem for path in HISTORIES])
def test_without_a_terminal_each_change_is_told_once(name: str) -> None:
    before, told = None, []
    for first in [*range(1, len(events(name)), 7), None]:
        after = answer(name, first=first)
        told += list(changes(before, after))
        before = after
    assert len(set(told)) == len(told)
    assert not list(changes(before, answer(name)))
    outer = [state for state in answer(name)["states"] if state["inside"] is None and state["visits"]]
    for state in outer:
        if instant(state):
            continue
        assert any(f"  {state['name']}  {state['status']}" in each for each in told)


def test_a_state_that_waits_for_a_person_says_what_to_type() -> None:
    states_ = answer("load_file-small", first=5)
    state = next(each for each in states_["states"] if each["name"] == "ValidateFile")
    state["status"] = "waiting"
    assert 'decant approvals approve orders-1 --reason "..."' in drawn(states_)
    state["type"] = "Wait"
    assert "decant approvals" not in drawn(states_)


def test_a_tree_that_is_higher_than_the_screen_shows_its_first_line_and_the_newest() -> None:
    lines = tree(RUN, answer("load_file-glue"), NOW)
    assert on_screen(lines, len(lines)) == lines
    shown = on_screen(lines, 5)
    assert len(shown) == 5
    assert (shown[0], shown[2:]) == (lines[0], lines[-3:])
    assert f"{len(lines) - 4} lines before" in shown[1].plain
