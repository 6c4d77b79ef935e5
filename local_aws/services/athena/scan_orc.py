"""ORC files: columns by name, read by pyarrow because DuckDB has no ORC reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.services.athena.sql_text import name, string
from local_aws.services.athena.types import duckdb_type

if TYPE_CHECKING:
    from local_aws.services.athena.scan import Scan


def columns(scan: Scan) -> tuple[list[str], str]:
    """Return an expression per column, and the source: every file read whole, whatever the query asks."""
    from pyarrow import orc  # noqa: PLC0415 - most queries read no ORC

    from local_aws.services.athena.scan import FILE  # noqa: PLC0415 - scan imports this module

    parts, held = [], set()
    for number, file in enumerate(scan.files):
        with scan.file_system.open(file) as source:
            content = orc.read_table(source)
        scan.connection.register(f"orc_{id(scan)}_{number}", content)
        held |= {column.lower() for column in content.column_names}
        keys = [f"{value} AS {name(key)}" for key, value in _partition(scan, file)]
        values = ", ".join(["*", *keys, f"{string(file)} AS {name(FILE)}"])
        parts.append(f"SELECT {values} FROM {name(f'orc_{id(scan)}_{number}')}")  # nosec B608  # see sql_text
    expressions = []
    for column in scan.table.columns:
        value = name(column["Name"]) if column["Name"].lower() in held else "NULL"
        expressions.append(f"CAST({value} AS {duckdb_type(column['Type'])})")
    return expressions, f"({' UNION ALL BY NAME '.join(parts)})"


def _partition(scan: Scan, file: str) -> list[tuple[str, str]]:
    from urllib.parse import unquote  # noqa: PLC0415 - beside its only use

    values = dict(part.split("=", 1) for part in file.split("/")[3:-1])
    return [
        (key["Name"], f"CAST({string(unquote(values[key['Name']]))} AS {duckdb_type(key['Type'])})")
        for key in scan.table.keys
    ]
