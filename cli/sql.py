"""Query the warehouse, or Athena."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

import click

from cli.athena import ask
from cli.errors import Failure
from cli.output import console, json_option, print_json, print_table
from cli.stage_client import client, stage_client, stage_environment, stage_name

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command()
@click.argument("statement")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Rows printed at most."
)
@click.option("--athena", is_flag=True, help="Ask Athena, for the tables of the Data Catalog.")
@json_option
def sql(statement: str, limit: int, *, athena: bool, as_json: bool) -> None:
    """Query the warehouse, as in: decant sql "select count(*) from orders"."""
    columns, rows, more = _ask_athena(statement, limit) if athena else query(statement, limit)
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows)
    if more:
        console.print(f"... and more; --limit shows more than {limit:,} rows")


def query(statement: str, limit: int = 1000) -> tuple[list[str], list[list[Any]], bool]:
    """Run one statement on the stage's warehouse; see `query_stage`."""
    return query_stage(statement, stage_environment(), limit)


def _ask_athena(statement: str, limit: int) -> tuple[list[str], list[list[Any]], bool]:
    columns, rows = ask(stage_client("athena"), statement, stage=stage_name(), limit=limit + 1)
    return columns, list(rows[:limit]), len(rows) > limit


def query_stage(
    statement: str, environment: dict[str, str], limit: int = 1000
) -> tuple[list[str], list[list[Any]], bool]:
    """Run one statement in a transaction and return its columns, its first rows, and whether there are more.

    Raises:
        Failure: the warehouse does not answer or refuses the statement.
    """
    import redshift_connector  # noqa: PLC0415 - 0.2 s that `decant --help` need not pay

    secret = client(environment, "secretsmanager").get_secret_value(
        SecretId=f"decant-{stage_name()}-warehouse"
    )
    found = json.loads(secret["SecretString"])
    try:
        with (
            _authorities(environment),
            redshift_connector.connect(
                host=found["host"],
                port=int(found["port"]),
                user=found["username"],
                password=found["password"],
                database=found["dbname"],
            ) as connection,
        ):
            cursor = connection.cursor()
            cursor.execute(statement)
            if cursor.description is None:
                connection.commit()
                return [], [], False
            names = [_text(column[0]) for column in cursor.description]
            rows = [list(row) for row in cursor.fetchmany(limit + 1)]
            connection.commit()
    except redshift_connector.Error as error:
        words = error.args[0] if error.args else error
        raise Failure(
            f"the warehouse: {words.get('M', words) if isinstance(words, dict) else words}"
        ) from error
    return names, rows[:limit], len(rows) > limit


@contextlib.contextmanager
def _authorities(environment: dict[str, str]) -> Iterator[None]:
    """Let the driver trust the stage's authority; it looks nowhere else than in this variable."""
    before = os.environ.get("SSL_CERT_FILE")
    if "SSL_CERT_FILE" in environment:
        os.environ["SSL_CERT_FILE"] = environment["SSL_CERT_FILE"]
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SSL_CERT_FILE", None)
        else:
            os.environ["SSL_CERT_FILE"] = before


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
