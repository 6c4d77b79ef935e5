"""One load of a slice: all rows of a date in several tables, replaced together or not at all.

The token table holds the token of the content that the slice has now, and no other of that slice: the same
content is never loaded twice in a row, and content that was replaced can come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.loading import TOKENS, Loaded, shape_table, stage
from chalicelib.sql import identifier, identifiers, queries

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from chalicelib.aws.redshift import Redshift, Transaction
    from chalicelib.loading import Load


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What is replaced, and by what.

    Attributes:
        token: names the content for good.
        run: the run that loads.
        source: names the slice: the folder that its content comes from.
        column: the column that holds the slice's value in each table.
        value: the value whose rows are replaced.
        parts: one load for each table, the first of which names the slice in the token table. Each has a
            token of its own, which names its temporary table.
    """

    token: str
    run: str
    source: str
    column: str
    value: date
    parts: tuple[Load, ...]

    @property
    def tokens(self) -> str:
        """The token table, quoted."""
        return self.parts[0].tokens


def tokens_of(schema: str) -> str:
    """Return a schema's token table, quoted."""
    return f"{identifier(schema)}.{identifier(TOKENS)}"


def replace_once(
    warehouse: Redshift,
    new: Slice,
    *,
    check: Callable[[], None],
    derive: Callable[[Transaction], None],
) -> Loaded:
    """Replace the slice's rows in one transaction, unless it holds this content already.

    Args:
        warehouse: where.
        new: the slice.
        check: called when the token table is locked; raises when the content is no longer the newest. As
            newer content is loaded under the same lock, older content cannot come after it.
        derive: called when the rows are written; computes what depends on more than this slice.

    Raises:
        WarehouseIsBusy, WarehouseIsUnreachable: try again; the token tells whether it had been committed.
        ContractBroken: a table lacks a column and its contract is frozen.
        LoadFailed: Redshift refused, or took in another number of rows than the files hold.
    """
    with warehouse.transaction() as transaction:
        lock(transaction, new.tokens)
        found = held(transaction, new.tokens, new.token)
        if found is not None:
            return Loaded(rows=found, already=True)
        check()
        rows = sum(_replace(transaction, new, part) for part in new.parts)
        derive(transaction)
        target = new.parts[0].target
        transaction.run(_load_query("forget_tokens", tokens=new.tokens), target, new.source)
        now = datetime.now(UTC).replace(tzinfo=None)
        values = (new.token, new.run, target, new.source, rows, now)
        transaction.run(_load_query("insert_token", tokens=new.tokens), *values)
        return Loaded(rows=rows, already=False)


def lock(transaction: Transaction, tokens: str) -> None:
    """Wait until no other load is under way, and let none begin before the transaction ends."""
    transaction.run(_load_query("lock_tokens", tokens=tokens))


def held(transaction: Transaction, tokens: str, token: str) -> int | None:
    """Return how many rows the content with this token has in the warehouse, or None when it is not there."""
    found = transaction.rows(_load_query("find_token", tokens=tokens), token)
    return int(found[0][0]) if found else None


def _replace(transaction: Transaction, new: Slice, part: Load) -> int:
    shape_table(transaction, part.table, part.columns)
    staging = stage(transaction, part)
    names = {"target": part.target, "staging": staging, "columns": identifiers(part.names)}
    transaction.run(_load_query("delete_slice", column=identifier(new.column), **names), new.value)
    transaction.run(_load_query("insert_all", **names))
    # The connection outlives the load: content that comes back needs the temporary table's name again.
    transaction.run(_load_query("drop_staging", staging=staging))
    return part.rows


def _load_query(name: str, **names: str) -> str:
    return queries("load")[name].substitute(names)
