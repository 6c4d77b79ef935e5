"""One load: Parquet files into a Redshift table, exactly once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.errors import ContractBroken, DecantError, LoadFailed
from chalicelib.sql import identifier, identifiers, queries

if TYPE_CHECKING:
    from chalicelib.aws.redshift import Redshift, Transaction
    from chalicelib.pipeline import Table

log = logging.getLogger(__name__)

TOKENS = "decant_loads"
"""The table of commit tokens; each schema has its own."""

PROCESSING_DATE = "processing_date"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one load needs.

    Attributes:
        token: names the file's content for good; a second load of it finds the token.
        run: the run that loads.
        source: the file's address, for people who read the token table.
        table: the target.
        columns: (name, Redshift type) in the order of the Parquet files' columns.
        rows: how many rows the files hold.
        manifest: S3 address of the COPY manifest.
        role: ARN of the role that Redshift reads S3 with.
        number: the last column of the Parquet files, when it numbers the source files of a group: it is
            staged and not written, and of the rows with one key that of the highest number stays.
    """

    token: str
    run: str
    source: str
    table: Table
    columns: tuple[tuple[str, str], ...]
    rows: int
    manifest: str
    role: str
    number: str | None = None

    @property
    def staged(self) -> tuple[tuple[str, str], ...]:
        """The columns of the Parquet files."""
        return (*self.columns, *([(self.number, "INTEGER")] if self.number else []))

    @property
    def target(self) -> str:
        """The table, quoted."""
        return quoted(self.table)

    @property
    def tokens(self) -> str:
        """The token table, quoted."""
        return tokens_of(self.table)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did: `rows` written; `already` when they were there, and `owner` is the run that did it."""

    rows: int
    already: bool
    owner: str | None = None


def tokens_of(table: Table) -> str:
    """Return the name of the token table beside a table, quoted."""
    return f"{identifier(table.schema)}.{identifier(TOKENS)}"


def prepare(warehouse: Redshift, tokens: str) -> None:
    """Create the token table where it is missing.

    Raises:
        LoadFailed: it is missing and cannot be made.
    """
    try:
        with warehouse.transaction() as transaction:
            _run(transaction, "create_tokens", tokens=tokens)
    except LoadFailed:
        # Two first loads make it at the same moment: IF NOT EXISTS looks before it creates.
        with warehouse.transaction() as transaction:
            transaction.rows(_query("find_token", tokens=tokens), "")


def load_once(warehouse: Redshift, load: Load) -> Loaded:
    """Load the files in one transaction, unless their token is there already; a refusal names its rows.

    Raises:
        WarehouseIsBusy, WarehouseIsUnreachable: try again; the token tells whether it had been committed.
        ContractBroken: the table lacks a column and its contract is frozen.
        LoadFailed: Redshift refused, or took in another number of rows than the files hold.
    """
    try:
        return _load_once(warehouse, load)
    except LoadFailed as error:
        raise LoadFailed("\n".join([str(error), *load_errors(warehouse, load)])) from error


def load_errors(warehouse: Redshift, load: Load) -> list[str]:
    """Return a line for each of the first rows that COPY refused; often Redshift keeps none."""
    try:
        with warehouse.transaction() as transaction:
            found = transaction.rows(_query("load_errors"), load.token)
    except DecantError:
        log.warning("what COPY refused of %s cannot be read", load.source, exc_info=True)
        return []
    return [
        f"{str(file).strip().rpartition('/')[2]}, line {line}, column {str(column).strip()} "
        f"({str(kind).strip()}): {str(reason).strip()}"
        for file, line, column, kind, reason in found
    ]


def _load_once(warehouse: Redshift, load: Load) -> Loaded:
    with warehouse.transaction() as transaction:
        _run(transaction, "lock_tokens", tokens=load.tokens)
        found = transaction.rows(_query("find_token", tokens=load.tokens), load.token)
        if found:
            return Loaded(rows=found[0][0], already=True, owner=found[0][1])
        shape_table(transaction, load.table, load.columns)
        staging = stage(transaction, load)
        rows = write(transaction, load, staging)
        now = datetime.now(UTC).replace(tzinfo=None)
        token = (load.token, load.run, load.target, load.source, rows, now)
        transaction.run(_query("insert_token", tokens=load.tokens), *token)
        return Loaded(rows=rows, already=False)


def shape_table(transaction: Transaction, table: Table, columns: tuple[tuple[str, str], ...]) -> None:
    """Create the table, or let its contract decide about columns that it lacks.

    Raises:
        ContractBroken: it lacks a column and its contract is frozen.
    """
    target = quoted(table)
    found = [row[0] for row in transaction.rows(_query("table_columns"), table.schema, table.name)]
    if not found:
        _run(transaction, "create_table", target=target, definitions=_definitions(columns))
        return
    missing = tuple(column for column in columns if column[0] not in found)
    if missing and table.contract == "freeze":
        names = ", ".join(name for name, _ in missing)
        raise ContractBroken(
            f"table {table.schema}.{table.name} has no column {names} and its contract is 'freeze': "
            "add the column to the table, or set contract='evolve' in the pipeline"
        )
    for column in missing:
        _run(transaction, "add_column", target=target, definition=_definitions((column,)))


def quoted(table: Table) -> str:
    """Return a table's name with its schema, quoted."""
    return f"{identifier(table.schema)}.{identifier(table.name)}"


def stage(transaction: Transaction, load: Load) -> str:
    """COPY the files into a temporary table of this load and return its name, quoted.

    Raises:
        LoadFailed: Redshift took in another number of rows than the files hold.
    """
    staging = identifier("staging_" + load.token.replace("-", "_"))
    _run(transaction, "create_staging", staging=staging, definitions=_definitions(load.staged))
    _run(transaction, "copy", staging=staging, manifest=_literal(load.manifest), role=_literal(load.role))
    copied = transaction.rows(_query("count_staging", staging=staging))[0][0]
    if copied != load.rows:
        raise LoadFailed(f"COPY took in {copied} rows, but the files hold {load.rows}: nothing was loaded")
    return staging


def write(transaction: Transaction, load: Load, staging: str) -> int:
    """Write what was staged into the table and return how many rows it gained."""
    names = {"target": load.target, "staging": staging, "columns": identifiers(load.names)}
    if load.table.mode != "upsert":
        if load.table.mode == "overwrite":
            _run(transaction, "delete_all", **names)
        _run(transaction, "insert_all", **names)
        return load.rows
    keys = load.table.keys
    same = " AND ".join(f"{load.target}.{identifier(key)} = {staging}.{identifier(key)}" for key in keys)
    rest = identifiers([name for name in load.names if name not in keys] or list(keys))
    order = f"{identifier(load.number)} DESC, {rest}" if load.number else rest
    _run(transaction, "delete_replaced", same_keys=same, **names)
    _run(transaction, "insert_newest", keys=identifiers(keys), order=order, **names)
    return int(transaction.rows(_query("count_target", keys=identifiers(keys), **names))[0][0])


def _definitions(columns: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{identifier(name)} {kind}" for name, kind in columns)


def _literal(value: str) -> str:
    """COPY takes no bound parameters: refuse what could end the quoted text."""
    if any(character in value for character in "'\\\n\r\0"):
        raise ValueError(f"{value!r} cannot be written into COPY")
    return value


def _query(name: str, **identifiers_: str) -> str:
    return queries("load")[name].substitute(identifiers_)


def _run(transaction: Transaction, name: str, **identifiers_: Any) -> None:
    transaction.run(_query(name, **identifiers_))
