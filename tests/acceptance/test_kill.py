"""A killed process loses nothing that it had acknowledged."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING

from cli import local_stage
from tests.acceptance.conftest import Stage, own
from tests.acceptance.test_exactly_once import orders

if TYPE_CHECKING:
    from pathlib import Path


def test_files_that_landed_before_a_kill_are_loaded_once_after_the_restart(tmp_path: Path) -> None:
    running = local_stage.start(tmp_path, time_scale=20)
    stage = Stage(tmp_path, running)
    firsts = [random.randrange(10**8) * 10 for _ in range(6)]
    keys = [f"incoming/orders/{own('killed')}.csv" for _ in firsts]
    for key, first in zip(keys, firsts, strict=True):
        stage.put(key, orders(first))
    os.kill(running.process.pid, signal.SIGKILL)
    local_stage.end(running.process)
    stage = Stage(tmp_path, local_stage.start(tmp_path, time_scale=20))
    try:
        for key in keys:
            assert [(run["outcome"], run["cause"]) for run in stage.ended(key)] == [("succeeded", None)]
        wanted = ", ".join(str(first) for first in firsts)
        assert stage.sql(f"SELECT count(*) FROM orders WHERE order_id IN ({wanted})") == [[len(set(firsts))]]
        assert stage.sql("SELECT count(*) FROM decant_loads") == [[len(keys)]]
    finally:
        stage.running.stop()
