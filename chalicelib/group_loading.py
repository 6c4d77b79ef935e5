"""One load of several files: one COPY, one transaction, and a token for each file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.errors import LoadFailed
from chalicelib.loading import shape_table, stage, write
from chalicelib.run import RunName
from chalicelib.sql import identifier, identifiers, queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chalicelib.aws.redshift import Redshift, Transaction
    from chalicelib.loading import Load

FILE_NUMBER = "decant_file_number"
"""The last column: which file of the group a row is from. It is staged in the warehouse and in no table."""

TOKENS_AT_ONCE = 1000
"""Tokens that one query looks for."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a group.

    Attributes:
        number: its place in the group, from 0; a higher number landed later.
        token: names its content for good, whether it is loaded in a group or alone.
        source: its address, for people who read the token table.
        rows: how many rows it holds.
    """

    number: int
    token: str
    source: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class LoadedMember:
    """What became of a file.

    Attributes:
        number, token: which file.
        rows: rows that it brought.
        already: whether they were there already.
        elsewhere: whether another run than this batch's brought them.
    """

    number: int
    token: str
    rows: int
    already: bool
    elsewhere: bool


def loaded_tokens(warehouse: Redshift, tokens: str, wanted: Sequence[str]) -> set[str]:
    """Return which of the tokens stand in the token table, whose quoted name is `tokens`."""
    with warehouse.transaction() as transaction:
        return {token for token, _, _ in _found(transaction, tokens, wanted)}


def load_group_once(warehouse: Redshift, load: Load, members: Sequence[Member]) -> list[LoadedMember]:
    """Load the files that have no token yet in one transaction, each with its token.

    Args:
        warehouse: where to.
        load: the load as a whole; `load.number` names the column that numbers the files.
        members: every file of the group that is in the Parquet files.

    Raises:
        WarehouseIsBusy, WarehouseIsUnreachable: try again; the tokens tell what had been committed.
        ContractBroken: the table lacks a column and its contract is frozen.
        LoadFailed: Redshift refused, or took in another number of rows of a file than were written.
    """
    with warehouse.transaction() as transaction:
        transaction.run(queries("load")["lock_tokens"].substitute(tokens=load.tokens))
        owners = {
            token: (run, rows)
            for token, run, rows in _found(transaction, load.tokens, [member.token for member in members])
        }
        fresh = [member for member in members if member.token not in owners]
        kept = _load(transaction, load, members, fresh) if fresh else {}
        return [
            LoadedMember(
                number=member.number,
                token=member.token,
                rows=kept[member.number] if member.number in kept else int(owners[member.token][1]),
                already=member.token in owners,
                elsewhere=member.token in owners and not _same_batch(owners[member.token][0], load.run),
            )
            for member in members
        ]


def _load(
    transaction: Transaction, load: Load, members: Sequence[Member], fresh: Sequence[Member]
) -> dict[int, int]:
    """Load the fresh files and return how many rows each brought, by its number."""
    assert load.number is not None
    shape_table(transaction, load.table, load.columns)
    names = {"staging": stage(transaction, load), "number": identifier(load.number)}
    _check_counts(dict(_rows(transaction, "count_files", **names)), members)
    if done := [member.number for member in members if member not in fresh]:
        leave_out = queries("load_group")["leave_out"].substitute(places=_places(len(done)), **names)
        transaction.run(leave_out, *done)
    kept = {member.number: member.rows for member in fresh}
    if load.table.mode == "upsert":
        found = dict(_rows(transaction, "count_kept", keys=identifiers(load.table.keys), **names))
        kept = {member.number: int(found.get(member.number, 0)) for member in fresh}
    write(transaction, load, names["staging"])
    _insert_tokens(transaction, load, fresh, kept)
    return kept


def _insert_tokens(
    transaction: Transaction, load: Load, fresh: Sequence[Member], kept: Mapping[int, int]
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    values = [
        (member.token, load.run, load.target, member.source, kept[member.number], now) for member in fresh
    ]
    places = ", ".join(f"({_places(len(row))})" for row in values)
    insert = queries("load_group")["insert_tokens"].substitute(tokens=load.tokens, places=places)
    transaction.run(insert, *[value for row in values for value in row])


def _check_counts(copied: Mapping[int, int], members: Sequence[Member]) -> None:
    for member in members:
        rows = copied.get(member.number, 0)
        if rows != member.rows:
            raise LoadFailed(
                f"COPY took in {rows} rows of {member.source}, which holds {member.rows}: nothing was loaded"
            )


def _found(transaction: Transaction, tokens: str, wanted: Sequence[str]) -> Iterator[list[Any]]:
    for first in range(0, len(wanted), TOKENS_AT_ONCE):
        some = wanted[first : first + TOKENS_AT_ONCE]
        find = queries("load_group")["find_tokens"].substitute(tokens=tokens, places=_places(len(some)))
        yield from transaction.rows(find, *some)


def _rows(transaction: Transaction, name: str, **names: str) -> list[list[Any]]:
    return transaction.rows(queries("load_group")[name].substitute(**names))


def _places(count: int) -> str:
    return ", ".join(["%s"] * count)


def _same_batch(run: str, mine: str) -> bool:
    """Say whether two runs are attempts at the same batch: each file is in one group of it."""
    return RunName.parse(run).token == RunName.parse(mine).token
