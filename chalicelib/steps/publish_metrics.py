"""Lead the Data Catalog to a date's files, write its month's figures, and say it all in numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.aws.glue import Glue, TableIsGoneError
from chalicelib.aws.s3 import S3
from chalicelib.errors import FileReplaced
from chalicelib.flights import months, words
from chalicelib.flights.folders import FILE, month_folder, written
from chalicelib.flights.tables import OF_A_DATE, OF_A_MONTH
from chalicelib.slices import held, lock, tokens_of
from chalicelib.warehouse import warehouse

if TYPE_CHECKING:
    from chalicelib.aws.redshift import Redshift
    from chalicelib.flights.tables import FlightTable


def publish_metrics(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"pipeline", "found", "clean_flights", "clean_feedback", "combine", "compute", "load"}`.

    Each is what the step of that name returned.

    Returns:
        `{"headline": ..., "facts": {...}, "lines": [...]}`: what people are told.

    Raises:
        FileReplaced: another run has loaded other content of this date meanwhile.
    """
    found = event["found"]
    tokens = tokens_of(OF_A_DATE[0].table.schema)
    publish(
        S3(),
        Glue(),
        warehouse(settings.warehouse_secret(), tokens),
        event["pipeline"],
        found,
        event["compute"]["tables"],
    )
    return words.told(event)


def publish(
    s3: S3, glue: Glue, loaded: Redshift, pipeline: str, found: dict[str, Any], tables: list[dict[str, Any]]
) -> None:
    """Publish the content that the warehouse holds, and only that.

    While the token table is locked no load can change what is published.
    """
    day = date.fromisoformat(found["date"])
    with loaded.transaction() as transaction:
        tokens = tokens_of(OF_A_DATE[0].table.schema)
        lock(transaction, tokens)
        if held(transaction, tokens, found["token"]) is None:
            raise FileReplaced(
                f"{found['date']}: another run has loaded newer content meanwhile, and its figures stand"
            )
        figures = {table: months.rows(transaction, table, day) for table in OF_A_MONTH}
        _publish_date(glue, pipeline, found["date"], tables)
        for table, rows in figures.items():
            _publish_month(s3, glue, pipeline, table, rows, found["date"][:7])


def _publish_date(glue: Glue, pipeline: str, day: str, tables: list[dict[str, Any]]) -> None:
    folders = {table["name"]: table["folder"] for table in tables}
    for table in OF_A_DATE:
        _point(glue, pipeline, table, ("dt", day), folders[table.name])


def _publish_month(
    s3: S3, glue: Glue, pipeline: str, table: FlightTable, rows: list[dict[str, Any]], month: str
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only this step needs it here
    from pyarrow import parquet  # noqa: PLC0415

    from chalicelib.validation.typed import declared_schema  # noqa: PLC0415

    place = month_folder(pipeline, table.name, month)
    with written(s3, settings.curated_bucket(), place + FILE) as sink:
        parquet.write_table(pa.Table.from_pylist(rows, schema=declared_schema(table.columns)), sink)
    _point(glue, pipeline, table, ("month", month), place)


def _point(glue: Glue, pipeline: str, table: FlightTable, partition: tuple[str, str], place: str) -> None:
    """Lead one partition, given as key and value, to a folder of the curated bucket."""
    bucket, database = settings.curated_bucket(), settings.catalog_database()
    key, value = partition

    def put_table() -> None:
        home = f"s3://{bucket}/{pipeline}/{table.name}/"
        glue.put_table(database, table.name, table.hive, ((key, "string"),), home)

    put_table()
    where = (database, table.name, (value,), table.hive, f"s3://{bucket}/{place}")
    try:
        glue.point_partition(*where)
    except TableIsGoneError:  # somebody dropped it since it was last looked at
        put_table()
        glue.point_partition(*where)
