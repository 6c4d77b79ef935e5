"""Redshift in our verbs: one transaction at a time, errors as ours."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from chalicelib.aws.secrets import Secrets
from chalicelib.errors import LoadFailed, WarehouseIsBusy, WarehouseIsUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 30

SERIALIZATION = re.compile(r"\b1023\b|40001|40P01|could not serialize|deadlock", re.IGNORECASE)
"""What a conflict with another transaction looks like: Redshift's error 1023 and PostgreSQL's classes."""


class Transaction:
    """Statements that take effect together or not at all."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement; `%s` stands for a value."""
        self._cursor.execute(statement, values or None)

    def rows(self, statement: str, *values: Any) -> list[list[Any]]:
        """Run a query and return its rows."""
        self._cursor.execute(statement, values or None)
        return [list(row) for row in self._cursor.fetchall()]


class Redshift:
    """The warehouse behind one Secrets Manager secret. Its connection is kept between loads.

    Args:
        secret: the secret's name or ARN.
        secrets: how secrets are read; a warehouse of another account has its own there.
    """

    def __init__(self, secret: str, secrets: Secrets | None = None) -> None:
        self._secret = secret
        self._secrets = secrets or Secrets()
        self._connection: Any = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit at the end of the block, roll back when it raises.

        Raises:
            WarehouseIsBusy: another transaction was in the way (error 1023); nothing was changed.
            WarehouseIsUnreachable: no connection, or it broke; whether the commit arrived is unknown.
            LoadFailed: Redshift refused a statement; nothing was changed.
        """
        try:
            connection = self._connected()
            with contextlib.closing(connection.cursor()) as cursor:
                yield Transaction(cursor)
            connection.commit()
        except Exception as error:
            ours = _translated(error)
            self._abandon(broken=isinstance(ours, WarehouseIsUnreachable))
            if ours is error:
                raise
            raise ours from error

    def _connected(self) -> Any:
        if self._connection is None:
            # The driver itself: awswrangler's connect does the same, and imports pandas for 1 s before it.
            import redshift_connector  # noqa: PLC0415 - 0.07 s that only a load pays for

            secret = self._secrets.read(self._secret)
            self._connection = redshift_connector.connect(
                host=secret["host"],
                port=int(secret["port"]),
                database=secret["dbname"],
                user=secret["username"],
                password=secret["password"],
                timeout=CONNECT_SECONDS,
            )
        return self._connection

    def _abandon(self, *, broken: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Exception):  # the server rolls back by itself when the connection ends
            if not broken:
                connection.rollback()
                self._connection = connection
                return
            connection.close()


def _translated(error: Exception) -> Exception:
    import redshift_connector  # noqa: PLC0415 - as heavy as the connection that it describes

    if isinstance(error, redshift_connector.InterfaceError | OSError):
        return WarehouseIsUnreachable(f"the warehouse: {_words(error)}")
    if isinstance(error, redshift_connector.Error):
        words = _words(error)
        if SERIALIZATION.search(words):
            return WarehouseIsBusy(f"the warehouse: {words}")
        if isinstance(error, redshift_connector.OperationalError):
            return WarehouseIsUnreachable(f"the warehouse: {words}")
        return LoadFailed(f"the warehouse refused: {words}")
    return error


def _words(error: Exception) -> str:
    """Redshift's own message; the driver keeps it in a dictionary by one-letter fields."""
    fields = error.args[0] if error.args else str(error)
    if isinstance(fields, dict):
        parts = [
            fields.get("M"),
            fields.get("D"),
            fields.get("H"),
            f"({fields['C']})" if "C" in fields else None,
        ]
        return " ".join(str(part) for part in parts if part)
    return str(fields)
