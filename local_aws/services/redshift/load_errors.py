"""stl_load_errors: written beside the client's transaction, which a failed COPY rolls back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from local_aws.services.redshift.failures import LoadError
    from local_aws.services.redshift.postgres import PostgresServer

_INSERT = """
INSERT INTO pg_catalog.stl_load_errors (userid, slice, tbl, starttime, session, query, filename, line_number,
    colname, type, col_length, position, raw_line, raw_field_value, err_code, err_reason, is_partial,
    start_offset, copy_job_id)
VALUES (100, 0, %s, clock_timestamp() AT TIME ZONE 'UTC', %s, 0, %s, %s, %s, %s, %s, 0, %s, %s, %s, %s,
    0, 0, 0)
"""


class LoadErrors:
    """Where refused records are written down, in the database they were meant for."""

    def __init__(self, server: PostgresServer, administrator: str) -> None:
        self._server = server
        self._administrator = administrator

    def add(self, database: str, table: int, process: int, error: LoadError) -> None:
        """Write one row, at once and for good."""
        values = (
            table, process, error.file[:256], error.line, error.column[:127], error.type[:32], error.length,
            error.raw_line, error.raw_value, error.code, error.reason[:1024],
        )  # fmt: skip
        with psycopg.connect(
            host=self._server.socket_directory, dbname=database, user=self._administrator, autocommit=True
        ) as connection:
            connection.execute("SET default_transaction_isolation = 'read committed'")
            connection.execute(_INSERT, [v.replace("\0", "") if isinstance(v, str) else v for v in values])
