"""Bad rows are set aside, the others loaded, and what is in quarantine is put back with the real command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.acceptance.conftest import own

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Stage

HEADER = "reading_id;sensor;measured_at;celsius;humidity\n"


def readings(first: int, count: int, sensor: str, celsius: str = "12.00") -> str:
    rows = range(first, first + count)
    return "".join(f"{row};{sensor};2026-01-01T00:00:00;{celsius};60\n" for row in rows)


def loaded(stage: Stage, sensor: str) -> int:
    return int(stage.sql(f"SELECT count(*) FROM readings WHERE sensor = '{sensor}'")[0][0])


def test_bad_rows_are_set_aside_and_come_back_corrected(stage: Stage, tmp_path: Path) -> None:
    sensor = own("s")
    key = f"incoming/readings/{own('readings')}.csv"
    stage.put(key, HEADER + readings(1, 97, sensor) + readings(98, 3, sensor, "n/a"))
    (run,) = stage.ended(key)
    assert (run["outcome"], loaded(stage, sensor)) == ("succeeded", 97)
    shown = stage.decant("runs", "show", run["name"])
    assert "97 rows loaded, 3 quarantined" in shown
    assert "line 99, column celsius: 'n/a' is not a decimal" in shown
    listed = stage.decant_json("quarantine", "list", "--pipeline", "readings")["quarantine"]
    assert run["name"] in {held["run"] for held in listed}
    rows = tmp_path / "rows.ndjson"
    assert "'n/a' is not a decimal" in stage.decant("quarantine", "show", run["name"], "--save", str(rows))
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [line["row"] for line in lines] == [98, 99, 100]
    rows.write_text("".join(json.dumps(line).replace("n/a", "11.00") + "\n" for line in lines))
    for new in (True, False):
        started = stage.decant_json("quarantine", "requeue", run["name"], str(rows))
        assert started["new"] is new
    stage.decant("runs", "watch", started["run"])
    assert loaded(stage, sensor) == 100
    assert run["name"] not in stage.decant("quarantine", "list", "--pipeline", "readings")


def test_a_rejected_file_is_put_back_corrected(stage: Stage, tmp_path: Path) -> None:
    sensor = own("s")
    key = f"incoming/readings/{own('readings')}.csv"
    stage.put(key, HEADER + readings(1, 10, sensor) + readings(11, 10, sensor, "n/a"))
    (run,) = stage.ended(key)
    assert (run["outcome"], run["error"]) == ("rejected", "FileRejected")
    file = tmp_path / "corrected.csv"
    stage.decant("quarantine", "show", run["name"], "--save", str(file))
    file.write_text(file.read_text().replace("n/a", "11.00"))
    stage.decant("quarantine", "requeue", run["name"], str(file), "--watch")
    assert loaded(stage, sensor) == 20
    assert "was put back already" in stage.decant("quarantine", "requeue", run["name"], code=1)
