"""JSON lines: columns by key, whatever the key's case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.athena.sql_text import name, string
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from local_aws.services.athena.scan import Scan

_LONGEST_DOCUMENT = 64 * 2**20


def columns(scan: Scan) -> tuple[list[str], str]:
    """Return an expression per column, and the source.

    The keys are listed first, in a pass of its own: SerDes compare them without case, DuckDB with it.
    """
    _, parameters = scan.table.serde
    lenient = parameters.get("ignore.malformed.json", "").lower() == "true"
    reading = f"maximum_object_size = {_LONGEST_DOCUMENT}" + (", ignore_errors = true" if lenient else "")
    spellings = _spellings(scan, reading)
    fields: dict[str, str] = {}
    expressions = []
    for column in scan.table.columns:
        wanted = duckdb_type(column["Type"])
        key = parameters.get(f"mapping.{column['Name']}", column["Name"])
        spelled = spellings.get(key.lower(), [])
        fields |= dict.fromkeys(spelled, wanted)
        choices = ", ".join(map(name, spelled))
        expressions.append(f"coalesce({choices})" if spelled else f"CAST(NULL AS {wanted})")
    if not fields:
        fields["$none"] = "VARCHAR"  # DuckDB wants at least one column, and the rows still count
    typed = ", ".join(f"{string(key)}: {string(type_)}" for key, type_ in fields.items())
    return expressions, (
        f"read_json({scan.list()}, format = 'newline_delimited', columns = {{{typed}}}, {reading},"
        f" {scan.options()})"
    )


def _spellings(scan: Scan, reading: str) -> dict[str, list[str]]:
    source = f"read_json_objects({scan.list()}, format = 'newline_delimited', {reading})"
    with scan.file_system.looking():
        rows = scan.connection.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {source} ORDER BY key"  # nosec B608  # see sql_text
        ).fetchall()
    spellings: dict[str, list[str]] = {}
    for (key,) in rows:
        spellings.setdefault(key.lower(), []).append(key)
    return spellings
