"""Load a date's tables into Redshift, exactly once, and compute its month anew."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

from chalicelib import settings
from chalicelib.aws.s3 import S3
from chalicelib.files import File
from chalicelib.flights import inputs, months
from chalicelib.flights.tables import FLIGHTS, OF_A_DATE
from chalicelib.loading import Load
from chalicelib.slices import Slice, replace_once
from chalicelib.warehouse import warehouse


def load_metrics(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run", "found": {"date", "flights", "feedback", "token"}, "tables": [{...}, ...]}`.

    `found` is what find_flight_files returned, `tables` what compute_metrics wrote.

    Returns:
        `{"rows": 450, "already": false}`; `already` when the warehouse holds this content.

    Raises:
        FileReplaced: one of the two files has newer content; nothing was loaded.
    """
    new, found = slice_of(event), event["found"]
    files = [File.from_document(found[name]) for name in ("flights", "feedback")]
    loaded = replace_once(
        warehouse(settings.warehouse_secret(), new.tokens),
        new,
        check=functools.partial(inputs.check_current, S3(), *files),
        derive=functools.partial(months.recompute, day=new.value),
    )
    return {"rows": loaded.rows, "already": loaded.already}


def slice_of(event: dict[str, Any]) -> Slice:
    """Return what is replaced: the rows of a date in each of its tables."""
    found, written = event["found"], {table["name"]: table for table in event["tables"]}
    source = File.from_document(found["flights"]).uri.rpartition("/")[0] + "/"
    parts = tuple(
        Load(
            token=f"{found['token']}-{position}",
            run=event["run"],
            source=source,
            table=table.table,
            columns=table.redshift,
            rows=written[table.name]["rows"],
            manifest=written[table.name]["manifest"],
            role=settings.warehouse_role(),
        )
        for position, table in enumerate(OF_A_DATE)
    )
    return Slice(
        token=found["token"],
        run=event["run"],
        source=source,
        column=FLIGHTS.slice,
        value=date.fromisoformat(found["date"]),
        parts=parts,
    )
