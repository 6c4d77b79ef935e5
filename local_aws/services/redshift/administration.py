"""What the control plane does inside the warehouse: users, databases, temporary passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from local_aws.services.redshift.defaults import DATABASE, LOOPBACK, MASTER_USER
from local_aws.services.redshift.passwords import TemporaryPasswords

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

# moto's backends are pickled, so the running warehouse is found here and not in them.
_runtimes: list[Runtime] = []


def use(runtime: Runtime) -> None:
    """Administer this embedded AWS's warehouse from now on."""
    _runtimes[:] = [runtime]


def port() -> int:
    """Return the warehouse's port."""
    return _runtimes[0].warehouse_port


def passwords() -> TemporaryPasswords:
    """Return what issues temporary passwords."""
    return TemporaryPasswords(_runtimes[0].warehouse_password)


def connected(
    user: str = MASTER_USER, database: str = DATABASE, password: str | None = None
) -> psycopg.Connection:
    """Return a connection through the proxy, as a client has it; without a password, by one of our own."""
    return psycopg.connect(
        host=LOOPBACK,
        port=port(),
        user=user,
        dbname=database,
        password=password if password is not None else _runtimes[0].warehouse_password,
        sslmode="disable",
        autocommit=True,
    )


def ensure_user(name: str, password: str | None, *, superuser: bool) -> None:
    """Make a user when there is none; set the password when one is given."""
    with connected() as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name.lower()]).fetchone()
        if not found:
            rights = sql.SQL("SUPERUSER LOGIN" if superuser else "LOGIN")
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name.lower()), rights))
        if password is not None:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(name.lower()), sql.Literal(password)
                )
            )


def ensure_database(name: str) -> None:
    """Make a database when there is none."""
    with connected() as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name.lower()]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name.lower())))


def rows(statement: str, values: list[Any], database: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connected(database=database) as connection:
        return connection.execute(statement, values).fetchall()
