"""Which Parquet types fit which columns: COPY of Parquet converts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from local_aws.services.redshift.failures import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local_aws.services.redshift.columns import Column

types = pa.types


def _whole(bits: int) -> Callable[[pa.DataType], bool]:
    return lambda kind: types.is_signed_integer(kind) and kind.bit_width <= bits


_FITS: dict[str, Callable[[pa.DataType], bool]] = {
    "smallint": _whole(16),
    "integer": _whole(32),
    "bigint": _whole(64),
    "real": types.is_float32,
    "double precision": types.is_floating,
    "boolean": types.is_boolean,
    "date": types.is_date32,
    "timestamp without time zone": types.is_timestamp,
    "timestamp with time zone": types.is_timestamp,
    "time without time zone": types.is_time,
    "bytea": lambda kind: (
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    ),
}


def check_schema(schema: pa.Schema, columns: Sequence[Column], address: str, *, serialize: bool) -> None:
    """Compare a file's columns, by position, with the target's.

    Raises:
        WarehouseError: their number differs, or a type doesn't fit.
    """
    if len(schema) != len(columns):
        raise WarehouseError(
            "Spectrum Scan Error",
            detail=f"Unmatched number of columns between table and file. Table columns: {len(columns)}, "
            f"Data columns: {len(schema)}, File name: {address}",
        )
    for found, column in zip(schema, columns, strict=True):
        if not _fits(found.type, column, serialize=serialize):
            raise WarehouseError(
                "Spectrum Scan Error",
                detail=f"File '{address}' has an incompatible Parquet schema for column "
                f"'{address}.{found.name}'. Column type: {column.written_type.upper()}, "
                f"Parquet schema: optional {found.type} {found.name}",
            )


def _fits(kind: pa.DataType, column: Column, *, serialize: bool) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    if column.type == "jsonb":
        return serialize or not types.is_nested(kind)
    if types.is_null(kind):
        return True
    if column.is_text:
        return types.is_string(kind) or types.is_large_string(kind)
    if column.type == "numeric":
        return types.is_decimal(kind) and _decimal_fits(kind, column)
    fits = _FITS.get(column.type)
    return fits is not None and fits(kind)


def _decimal_fits(kind: pa.DataType, column: Column) -> bool:
    if column.precision is None or column.scale is None:
        return True
    return bool(kind.scale <= column.scale and kind.precision - kind.scale <= column.precision - column.scale)
