"""The table that a pipeline fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chalicelib.errors import InvalidPipeline
from chalicelib.pipeline.checks import check_identifier, check_word

if TYPE_CHECKING:
    from chalicelib.access import Warehouse

Mode = Literal["append", "upsert", "overwrite"]
Contract = Literal["evolve", "freeze"]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The Redshift table that a pipeline fills.

    Attributes:
        schema, name: lower-case identifiers.
        mode: `append` adds rows, `upsert` replaces the rows with the same keys, `overwrite` replaces all.
        keys: the columns that identify a row; needed by `upsert`.
        contract: `freeze` fails on a column the table lacks, `evolve` adds it.
        warehouse: the warehouse of another account that holds it, or None for the stage's own.
    """

    schema: str = "public"
    name: str
    mode: Mode = "append"
    keys: tuple[str, ...] = ()
    contract: Contract = "freeze"
    warehouse: Warehouse | None = None

    def __post_init__(self) -> None:
        for what in (self.schema, self.name, *self.keys):
            check_identifier("table", what)
        check_word(f"table {self.name}: mode", self.mode, Mode)
        check_word(f"table {self.name}: contract", self.contract, Contract)
        if self.mode == "upsert" and not self.keys:
            raise InvalidPipeline(f"table {self.name!r}: mode 'upsert' needs keys=(...)")
