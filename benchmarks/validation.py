"""Validation of CSV, JSON and NDJSON beside the tutorial's counting, pandas and pyarrow's bare parse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes
from benchmarks.files import csv_file, json_file, ndjson_file

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.validation_engines"
LARGE = 1000
"""Megabytes from which three rounds have to do."""


def cases(sizes: Sizes) -> Iterator[Case]:
    """Yield the cases; their files are made when they are asked for."""
    for size in sizes.megabytes:
        rounds = 5 if size < LARGE else 3
        yield csv_case(size, rounds)
        for form, path in (("json", json_file(size)), ("ndjson", ndjson_file(size))):
            yield Case(
                suite="validation",
                name=f"{form} {size} MB",
                engines={"decant": f"{ENGINES}:decant", "tutorial json.loads": f"{ENGINES}:tutorial_json"},
                arguments=(str(path), form),
                compared_to={"decant": "tutorial json.loads"},
                rounds=rounds,
            )
        for form, clean, dirty in (
            ("csv", csv_file(size), csv_file(size, bad_rows_in_thousand=10)),
            ("ndjson", ndjson_file(size), ndjson_file(size, bad_rows_in_thousand=10)),
        ):
            yield Case(
                suite="validation",
                name=f"{form} {size} MB, 1% bad rows",
                engines={"decant, bad rows": f"{ENGINES}:decant", "decant, good rows": f"{ENGINES}:decant"},
                own_arguments={
                    "decant, bad rows": (str(dirty), form),
                    "decant, good rows": (str(clean), form),
                },
                compared_to={"decant, bad rows": "decant, good rows"},
                rounds=rounds,
            )


def csv_case(size: int, rounds: int) -> Case:
    """Return the case that sets CSV validation beside all others."""
    names = {
        "decant": "decant",
        "tutorial count": "tutorial_csv",
        "pandas": "pandas_csv",
        "pyarrow bare parse": "pyarrow_bare",
        "pyarrow bare parse, streaming": "pyarrow_streaming",
    }
    compared = dict.fromkeys(
        ("pandas", "pyarrow bare parse", "pyarrow bare parse, streaming"), "tutorial count"
    )
    return Case(
        suite="validation",
        name=f"csv {size} MB",
        engines={name: f"{ENGINES}:{function}" for name, function in names.items()},
        arguments=(str(csv_file(size)), "csv"),
        compared_to={"decant": "tutorial count", **compared},
        rounds=rounds,
    )
