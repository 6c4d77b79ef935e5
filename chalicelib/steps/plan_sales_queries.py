"""Give the workflow the queries that it has Athena run."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.sales.checks import CHECKS
from chalicelib.sql import queries

BATCH = re.compile(r"[0-9a-f]{16}")


def plan_sales_queries(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"batch": ...}`.

    Returns:
        `{"view": sql, "checks": [{"name", "sql", "values"}], "analysis": [{"name", "sql"}]}`; the values
        are Athena's execution parameters, SQL literals.
    """
    return plan(event["batch"])


def plan(batch: str) -> dict[str, Any]:
    """Return the queries for a batch.

    Raises:
        ValueError: the batch's name is none.
    """
    if not BATCH.fullmatch(batch):
        raise ValueError(f"{batch!r} is no batch")
    checks = {name: query.template for name, query in queries("nightly_batch/checks").items()}
    return {
        "view": queries("nightly_batch/view")["create_view"].template,
        "checks": [
            {
                "name": check.name,
                "sql": checks[check.name],
                "values": [f"'{batch}'"] * checks[check.name].count("?"),
            }
            for check in CHECKS
        ],
        "analysis": [
            {"name": name, "sql": query.template} for name, query in queries("nightly_batch/analysis").items()
        ],
    }
