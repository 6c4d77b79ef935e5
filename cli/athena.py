"""Ask Athena and wait for the answer."""

from __future__ import annotations

import time
from typing import Any

from cli.errors import Failure

POLL_SECONDS = 0.25

PATIENCE_SECONDS = 1800
"""Athena's own limit for one query."""


def ask(
    athena: Any, statement: str, *, stage: str, database: str | None = None, limit: int = 1000
) -> tuple[list[str], list[list[str | None]]]:
    """Run one statement and return its columns and its first rows, every value as text, NULL as None.

    Args:
        athena: a boto3 client.
        statement: in Athena's SQL.
        stage: whose workgroup to use.
        database: for names that name none; the stage's own by default.
        limit: the most rows that are fetched.

    Raises:
        Failure: Athena refuses the statement, or does not end it in time.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore takes 0.2 s

    try:
        query = athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": database or f"decant_{stage}"},
            WorkGroup=f"decant-{stage}",
        )["QueryExecutionId"]
        kind = _ended(athena, query)
        return _answer(athena, query, limit, has_header=kind == "DML")
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"Athena: {error}") from error


def _ended(athena: Any, query: str) -> str:
    """Wait for a query's end and return the kind of its statement."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        status = found["Status"]
        if status["State"] == "SUCCEEDED":
            return str(found["StatementType"])
        if status["State"] in {"FAILED", "CANCELLED"}:
            raise Failure(f"Athena: {status['State']}: {status.get('StateChangeReason', 'no reason given')}")
        if time.monotonic() > deadline:
            raise Failure(f"Athena: query {query} has not ended after {PATIENCE_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _answer(
    athena: Any, query: str, limit: int, *, has_header: bool
) -> tuple[list[str], list[list[str | None]]]:
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query, PaginationConfig={"MaxItems": limit + has_header}
    )
    columns: list[str] = []
    rows: list[list[str | None]] = []
    for page in pages:
        columns = [each["Name"] for each in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
    return columns, rows[has_header:]
