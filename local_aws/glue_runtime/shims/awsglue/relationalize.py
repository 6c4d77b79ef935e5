"""Relationalize: nested data as flat tables."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StructType

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection


def flattened(frame: DataFrame) -> DataFrame:
    """Return the frame with every struct's fields as columns named `struct.field`."""
    while any(isinstance(field.dataType, StructType) for field in frame.schema):
        columns = []
        for field in frame.schema:
            if isinstance(field.dataType, StructType):
                columns += [
                    F.col(f"`{field.name}`").getField(inner).alias(f"{field.name}.{inner}")
                    for inner in field.dataType.names
                ]
            else:
                columns.append(F.col(f"`{field.name}`"))
        frame = frame.select(columns)
    return frame


def relationalize(frame: DynamicFrame, root: str) -> DynamicFrameCollection:
    """Return the root table and a table `root_field` for each array, joined by `id`, ordered by `index`.

    Raises:
        NotImplementedError: the frame holds a map.
    """
    tables: dict[str, DynamicFrame] = {}
    pending = [(root, flattened(frame.toDF()))]
    while pending:
        name, table = pending.pop()
        for field in list(table.schema):
            if isinstance(field.dataType, MapType):
                raise NotImplementedError(
                    f"Relationalize of the map {field.name!r} is not part of the local awsglue"
                )
            if not isinstance(field.dataType, ArrayType):
                continue
            key = f"`{field.name}`"
            table = table.withColumn(f"{field.name}#items", F.col(key)).withColumn(
                field.name, F.when(F.col(key).isNotNull(), F.monotonically_increasing_id())
            )
            table = table.localCheckpoint()  # the ids must stay the same in both tables
            items = table.where(F.col(key).isNotNull()).select(
                F.col(key).alias("id"),
                F.posexplode(F.col(f"`{field.name}#items`")).alias("index", f"{field.name}.val"),
            )
            table = table.drop(f"{field.name}#items")
            pending.append((f"{name}_{field.name}", flattened(items)))
        tables[name] = DynamicFrame(table, frame.glue_ctx, name)
    return DynamicFrameCollection(tables, frame.glue_ctx)
