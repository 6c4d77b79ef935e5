"""How a demonstration ends: at a terminal with a link that works, elsewhere by itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from tests.acceptance.conftest import ROOT
from tests.acceptance.terminal import CONTROL_C, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Stage

ENDS = """
import json, subprocess, sys
from pathlib import Path
from cli.demo import conclude, ended
from cli.local_stage import LocalStage

given = json.loads(sys.argv[1])
waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
process = subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
stage = LocalStage(
    directory=Path(given["directory"]), process=process, endpoint_url="", warehouse_port=0,
    environment={}, api_url=given["api_url"], api_token=given["api_token"],
)
print("its process:", process.pid, flush=True)
report = {"ok": given["ok"], "seconds": 1.5}
with ended(stage, keep=given["keep"]):
    conclude(stage, "approve", report, stays=given["stays"], keep=given["keep"], as_json=given["as_json"])
"""
"""The end of `decant demo approve`: the API is that of the tests' stage, the process one that only waits."""


def command(stage: Stage, directory: Path, **changes: bool) -> list[str]:
    directory.mkdir(exist_ok=True)
    given = {
        "directory": str(directory),
        "api_url": stage.running.api_url,
        "api_token": stage.running.api_token,
    }
    wanted = {"ok": True, "stays": False, "keep": False, "as_json": False} | changes
    return [sys.executable, "-c", ENDS, json.dumps(given | wanted)]


def test_at_a_terminal_it_ends_with_a_link_that_signs_in_and_stays_until_control_c(
    stage: Stage, tmp_path: Path
) -> None:
    directory = tmp_path / "demo"
    with Terminal(command(stage, directory, ok=False, stays=True), ROOT, os.environ) as terminal:
        said = terminal.until("\x1b]8;;\x1b\\")  # a link's end
        assert "NOT everything ended as it should" in said
        (target, shown) = re.findall(r"\x1b]8;[^;]*;(http[^\x1b]+)\x1b\\([^\x1b]+)", said)[-1]
        assert target == shown
        address, _, token = target.partition("#token=")
        assert "<title>" in requests.get(address, timeout=30).text
        signed_in = {"Authorization": f"Bearer {token}"}
        api = address.removesuffix("/console")
        assert requests.get(f"{api}/runs", headers=signed_in, timeout=30).json()["runs"] is not None
        process = int(said.partition("its process: ")[2].split()[0])
        os.kill(process, 0)
        terminal.type(CONTROL_C)
        assert terminal.ended() == 1
        assert "Traceback" not in terminal.said
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert not directory.exists()


def test_elsewhere_it_ends_by_itself_and_names_the_command_that_shows_more(
    stage: Stage, tmp_path: Path
) -> None:
    done = subprocess.run(
        command(stage, tmp_path / "demo"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "see its runs in the console: decant demo approve --stay"
    assert stage.running.api_token not in done.stdout
    assert not (tmp_path / "demo").exists()


def test_what_is_kept_stays_and_the_last_line_says_how_to_go_on(stage: Stage, tmp_path: Path) -> None:
    done = subprocess.run(
        command(stage, tmp_path / "demo", keep=True), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1].endswith("DECANT_HOME=.decant-demo decant up")
    assert (tmp_path / "demo").is_dir()
