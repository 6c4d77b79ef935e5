"""A month of 100,000 small files: a Glue job for each beside Decant's routing, by the public prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.case import Computed, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.workflow_cost import PricedWay, Question

HERE = Path(__file__).parent
LOAD_FILE = HERE.parent / "workflows" / "load_file.asl.json"
GLUE_PER_FILE = HERE / "glue_per_file.asl.json"

FILES = 100_000
SIZE = 1_000_000
CASE = "100,000 files of 1 MB a month"
TUTORIAL = "a Glue job for each file"


def cases(_: Sizes) -> Iterator[Computed]:
    """Yield the one case; nothing of it is measured, so the sizes do not matter."""
    yield Computed(suite="cost", name=CASE, rows=rows)


def rows() -> list[dict[str, Any]]:
    """Return a row for each way of working.

    `seconds` are from the start of a run until its result can be read, on AWS by the assumptions of
    `decant workflows cost`; those of the last row were measured on this machine by other suites. `usd` is
    the month's bill, `usd_ratio` its share of the other's.
    """
    glue_way, job_seconds = _glue_per_file()
    tutorial = _row(TUTORIAL, job_seconds, glue_way.bill.standard_usd)
    parquet, loaded = _decant(load="false"), _decant(load="true")
    return [
        tutorial,
        _row("decant, Parquet as well", parquet.walked.usage.seconds, parquet.bill.standard_usd, tutorial),
        _row(
            "decant, and loaded into Redshift",
            loaded.walked.usage.seconds,
            loaded.bill.standard_usd,
            tutorial,
        ),
        _row("decant, loaded, measured here", _measured(), None, tutorial),
    ]


def _glue_per_file() -> tuple[PricedWay, float]:
    """Return the tutorial's way, and the seconds until its job run has ended and the Parquet is there."""
    from infrastructure.workflow_cost.prices import prices
    from infrastructure.workflow_cost.work import done

    asked, definition = _question(valid="true"), json.loads(GLUE_PER_FILE.read_text(encoding="utf-8"))
    start = definition["States"]["StartGlueJob"]
    before = [
        done(name, definition["States"][name], asked, prices(asked.region))
        for name in ("Validate", "StartGlueJob")
    ]
    job = done("StartGlueJob", start, asked, prices(asked.region)).starts
    return _shortest(GLUE_PER_FILE, asked), sum(each.usage.seconds for each in before) + job


def _decant(load: str) -> PricedWay:
    return _shortest(LOAD_FILE, _question(valid="true", route="lambda", load=load))


def _shortest(path: Path, asked: Question) -> PricedWay:
    """Return the way with the fewest transitions that ends well: the one that most files take."""
    from infrastructure.workflow_cost import estimate

    ways = estimate(json.loads(path.read_text(encoding="utf-8")), asked).ways
    return min((way for way in ways if not way.walked.fails), key=lambda way: way.walked.usage.transitions)


def _question(**assumed: str) -> Question:
    from infrastructure.workflow_cost import Question
    from infrastructure.workflow_cost.project import memory

    return Question(runs=FILES, size=SIZE, memory=memory(), assumed=assumed)


def _measured() -> float:
    """Return what this machine measured: a run with a tiny file, and the work on 1 MB on top of it."""
    measured = {
        (row["suite"], row["case"], row["engine"]): row["seconds"]
        for row in json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    }
    wanted = (
        ("runs", "latency of one run, from the put to its end", "decant"),
        ("validation", "csv 1 MB", "decant"),
        ("transform", "csv 1 MB to Parquet", "decant"),
    )
    missing = [f"{suite}: {case}" for suite, case, engine in wanted if (suite, case, engine) not in measured]
    if missing:
        raise SystemExit(f"results.json lacks {'; '.join(missing)}: measure those suites first")
    return sum(measured[each] for each in wanted)


def _row(
    engine: str, seconds: float, usd: float | None, other: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "suite": "cost",
        "case": CASE,
        "engine": engine,
        "seconds": round(seconds, 2),
        "peak_rss_mb": None,
        "compared_to": other["engine"] if other else None,
        "ratio": round(seconds / other["seconds"], 4) if other else None,
        "usd": None if usd is None else round(usd, 2),
        "usd_ratio": round(usd / other["usd"], 4) if other and usd is not None else None,
    }
