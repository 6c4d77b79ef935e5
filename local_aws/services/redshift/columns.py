"""The columns that a COPY fills, as PostgreSQL's catalogue knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.services.redshift.failures import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_aws.services.redshift.commands import Copy

TEXT_TYPES = frozenset({"character varying", "character", "text", "bpchar"})

# to_regclass is not used: for a missing table the COPY itself gives PostgreSQL's own error.
COLUMNS_OF = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, NULL), a.atttypmod, a.attidentity, a.attrelid::bigint,
       c.relname, a.attnotnull
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        length: the limit of a character type in bytes, or None.
        precision, scale: of a numeric type, or None.
        identity: filled by the warehouse unless EXPLICIT_IDS is given.
    """

    name: str
    type: str
    length: int | None
    precision: int | None
    scale: int | None
    identity: bool
    not_null: bool

    @property
    def is_text(self) -> bool:
        """Whether the type holds characters."""
        return self.type in TEXT_TYPES

    @property
    def written_type(self) -> str:
        """The type as a user writes it."""
        if self.length is not None:
            return f"{self.type}({self.length})"
        return f"numeric({self.precision},{self.scale})" if self.precision else self.type


@dataclass(frozen=True)
class Table:
    """The target of a COPY: its number, its name and the columns to fill, in the order of the source."""

    number: int
    name: str
    columns: tuple[Column, ...]

    @property
    def column_list(self) -> str:
        """The columns in brackets, quoted."""
        return "(" + ", ".join('"' + c.name.replace('"', '""') + '"' for c in self.columns) + ")"


def table_of(rows: Sequence[Sequence[str | None]], copy: Copy) -> Table:
    """Return the target from the rows of COLUMNS_OF.

    Raises:
        WarehouseError: the column list names a column that the table hasn't.
    """
    known = [_column(row) for row in rows]
    if copy.columns is None:
        chosen = [c for c in known if not c.identity or "EXPLICIT_IDS" in copy.switches]
    else:
        by_name = {column.name: column for column in known}
        try:
            chosen = [by_name[_plain(name)] for name in copy.columns]
        except KeyError as error:
            raise WarehouseError(
                f'column "{error.args[0]}" of relation "{rows[0][5]}" does not exist', code="42703"
            ) from None
    return Table(int(rows[0][4] or 0), rows[0][5] or "", tuple(chosen))


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _column(row: Sequence[str | None]) -> Column:
    name, kind, modifier, identity, _, _, not_null = row
    number = int(modifier or -1)
    packed = number - 4
    return Column(
        name=name or "",
        type=kind or "",
        length=packed if kind in TEXT_TYPES and number > 0 else None,
        precision=(packed >> 16) & 0xFFFF if kind == "numeric" and number > 0 else None,
        scale=packed & 0x7FF if kind == "numeric" and number > 0 else None,
        identity=bool(identity),
        not_null=not_null == "t",
    )
