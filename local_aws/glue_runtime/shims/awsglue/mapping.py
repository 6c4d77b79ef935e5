"""ApplyMapping's names and types in Spark's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import Column
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

TYPES = {"long": "bigint", "short": "smallint", "byte": "tinyint", "integer": "int", "choice": None}


def cast_type(name: str) -> str:
    """Return Spark's name of a Glue type.

    Raises:
        NotImplementedError: choice types do not exist here.
    """
    found = TYPES.get(name, name)
    if found is None:
        raise NotImplementedError("choice types are not part of the local awsglue")
    return found


def mapped(schema: StructType, mappings: list[Any]) -> list[Column]:
    """Return the columns that the mappings ask for; a source that the frame lacks is left out."""
    columns, nested = [], []
    for mapping in mappings:
        source, target = mapping[0], mapping[-2] if len(mapping) > 3 else mapping[-1]  # noqa: PLR2004 - see apply_mapping
        if source.replace("`", "").split(".")[0] not in schema.names and source not in schema.names:
            continue
        column = F.col(f"`{source}`") if source in schema.names else F.col(source)
        if len(mapping) > 3:  # noqa: PLR2004 - as above
            column = column.cast(cast_type(mapping[3]))
        if "." in target and "`" not in target:
            nested.append(target)
        columns.append(column.alias(target.replace("`", "")))
    if nested:
        raise NotImplementedError(
            f"ApplyMapping into nested targets is not part of the local awsglue: {nested}"
        )
    return columns
