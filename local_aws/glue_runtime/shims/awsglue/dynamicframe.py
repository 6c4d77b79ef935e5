"""`awsglue.dynamicframe`: DynamicFrames as thin wrappers of DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import NullType, StructType

from awsglue.catalog import register, table_location
from awsglue.connections import read_options, require_s3, write_frame
from awsglue.mapping import cast_type, mapped

if TYPE_CHECKING:
    from collections.abc import Callable


class DynamicFrame:
    """A DataFrame with Glue's methods. Its schema is Spark's: there are no choice types here."""

    def __init__(self, frame: DataFrame, glue_ctx: Any, name: str = "") -> None:
        self._frame = frame
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: Any, name: str = "") -> DynamicFrame:  # noqa: N802 - AWS's name
        """Wrap a DataFrame."""
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: Any = None) -> DataFrame:  # noqa: N802 - AWS's name
        """Return the DataFrame."""
        if options:
            raise NotImplementedError("DynamicFrame.toDF takes no options in the local awsglue")
        return self._frame

    def _with(self, frame: DataFrame) -> DynamicFrame:
        return DynamicFrame(frame, self.glue_ctx, self.name)

    def count(self) -> int:
        """Return the number of rows."""
        return int(self._frame.count())

    def show(self, num_rows: int = 20) -> None:
        """Print some rows as JSON, as Glue does."""
        for line in self._frame.limit(num_rows).toJSON().collect():
            print(line)  # noqa: T201 - printing is what it is for

    def schema(self) -> StructType:
        """Return Spark's schema."""
        return self._frame.schema

    def printSchema(self) -> None:  # noqa: N802 - AWS's name
        """Print the schema."""
        self._frame.printSchema()

    def getNumPartitions(self) -> int:  # noqa: N802 - AWS's name
        """Return the number of partitions."""
        return int(self._frame.rdd.getNumPartitions())

    def errorsCount(self) -> int:  # noqa: N802 - AWS's name
        """Return 0: a record with an error fails the run here."""
        return 0

    def apply_mapping(self, mappings: list[Any], **_: Any) -> DynamicFrame:
        """Select, rename and cast by mappings of (source, source type, target, target type)."""
        return self._with(self._frame.select(mapped(self._frame.schema, mappings)))

    def select_fields(self, paths: list[str], **_: Any) -> DynamicFrame:
        """Keep only these fields; those that the frame lacks are left out."""
        known = [path for path in paths if path.split(".")[0] in self._frame.columns]
        return self._with(self._frame.select(*known))

    def drop_fields(self, paths: list[str], **_: Any) -> DynamicFrame:
        """Leave these top-level fields out."""
        if nested := [path for path in paths if "." in path and path not in self._frame.columns]:
            raise NotImplementedError(
                f"drop_fields of nested fields is not part of the local awsglue: {nested}"
            )
        return self._with(self._frame.drop(*paths))

    def rename_field(self, oldName: str, newName: str, **_: Any) -> DynamicFrame:  # noqa: N803 - AWS's names
        """Rename a top-level field."""
        return self._with(self._frame.withColumnRenamed(oldName, newName))

    def filter(self, f: Callable[[Any], bool], **_: Any) -> DynamicFrame:
        """Keep the rows for which `f` is true."""
        rows = self._frame.rdd.filter(lambda row: f(row.asDict(recursive=True)))
        return self._with(self._frame.sparkSession.createDataFrame(rows, self._frame.schema))

    def map(self, f: Callable[[Any], Any], **_: Any) -> DynamicFrame:
        """Put what `f` returns in each row's place."""
        rows = self._frame.rdd.map(lambda row: Row(**f(row.asDict(recursive=True))))
        return self._with(self._frame.sparkSession.createDataFrame(rows, samplingRatio=1.0))

    def resolveChoice(self, specs: list[Any] | None = None, choice: str = "", **options: Any) -> DynamicFrame:  # noqa: N802 - AWS's name
        """Cast the fields that `specs` names; without choice types nothing else is to be resolved.

        Raises:
            NotImplementedError: an action other than `cast:<type>`.
        """
        if set(options) - {
            "database",
            "table_name",
            "transformation_ctx",
            "info",
            "stageThreshold",
            "totalThreshold",
        }:
            raise NotImplementedError(
                f"resolveChoice options are not part of the local awsglue: {sorted(options)}"
            )
        frame = self._frame
        actions = {"make_cols", "make_struct", "match_catalog", ""}
        if choice not in actions and not choice.startswith(("cast:", "project:")):
            raise NotImplementedError(f"resolveChoice(choice={choice!r}) is not part of the local awsglue")
        for path, action in specs or []:
            if not action.startswith(("cast:", "project:")):
                if action in actions:
                    continue
                raise NotImplementedError(f"resolveChoice action {action!r} is not part of the local awsglue")
            if path not in frame.columns:
                raise NotImplementedError(
                    f"resolveChoice of {path!r}: the local awsglue casts top-level fields only"
                )
            frame = frame.withColumn(path, F.col(f"`{path}`").cast(cast_type(action.split(":", 1)[1])))
        return self._with(frame)

    def drop_nulls(self) -> DynamicFrame:
        """Leave out the fields whose type is null, as DropNullFields does."""
        kept = [field.name for field in self._frame.schema if not isinstance(field.dataType, NullType)]
        return self._with(self._frame.select(*kept))

    def join(self, paths1: list[str], paths2: list[str], frame2: DynamicFrame, **_: Any) -> DynamicFrame:
        """Join two frames on equal fields; a name that both have is prefixed with a dot, as Glue does."""
        left, right = self._frame, frame2.toDF()
        for name in right.columns:
            if name in left.columns:
                right = right.withColumnRenamed(name, f".{name}")
        keys2 = [f".{path}" if path in left.columns else path for path in paths2]
        condition = F.lit(True)
        for one, other in zip(paths1, keys2, strict=True):
            condition &= left[f"`{one}`"] == right[f"`{other}`"]
        return self._with(left.join(right, condition))

    def unionAll(self, other: DynamicFrame, **_: Any) -> DynamicFrame:  # noqa: N802 - AWS's name
        """Return the rows of both."""
        return self._with(self._frame.unionByName(other.toDF(), allowMissingColumns=True))

    union = unionAll

    def repartition(self, num_partitions: int, **_: Any) -> DynamicFrame:
        """Spread the rows over so many partitions."""
        return self._with(self._frame.repartition(num_partitions))

    def coalesce(self, num_partitions: int, **_: Any) -> DynamicFrame:
        """Gather the rows in fewer partitions."""
        return self._with(self._frame.coalesce(num_partitions))

    def relationalize(self, root_table_name: str, staging_path: str | None = None, **_: Any) -> Any:
        """Flatten structs into columns and arrays into tables of their own."""
        from awsglue.relationalize import relationalize  # noqa: PLC0415 - it imports this module

        del staging_path
        return relationalize(self, root_table_name)

    def unnest(self, **_: Any) -> DynamicFrame:
        """Flatten structs into columns named with dots."""
        from awsglue.relationalize import flattened  # noqa: PLC0415 - it imports this module

        return self._with(flattened(self._frame))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotImplementedError(f"DynamicFrame.{name} is not part of the local awsglue")


class DynamicFrameReader:
    """`create_dynamic_frame`."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any] | None = None,
        format: str | None = None,
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
    ) -> DynamicFrame:
        """Read files."""
        frame = read_options(
            self._context.spark_session, connection_type, connection_options, format, format_options
        )
        if push_down_predicate:
            frame = frame.where(push_down_predicate)
        return DynamicFrame(frame, self._context, transformation_ctx)

    def from_catalog(
        self,
        database: str = "",
        table_name: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        name_space: str = "",
        additional_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> DynamicFrame:
        """Read a Data Catalog table."""
        unknown = set(options) - {"redshift_tmp_dir", "catalog_id"} | set(additional_options or {}) - {
            "mergeSchema"
        }
        if unknown:
            raise NotImplementedError(
                f"from_catalog options are not part of the local awsglue: {sorted(unknown)}"
            )
        name = register(self._context.spark_session, name_space or database, table_name)
        frame = self._context.spark_session.table(name)
        if push_down_predicate:
            frame = frame.where(push_down_predicate)
        return DynamicFrame(frame, self._context, transformation_ctx)

    def from_rdd(
        self,
        data: Any,
        name: str,
        schema: Any = None,
        sample_ratio: float | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Wrap an RDD."""
        del transformation_ctx
        return DynamicFrame(
            self._context.spark_session.createDataFrame(data, schema, sample_ratio), self._context, name
        )


class DynamicFrameWriter:
    """`write_dynamic_frame`."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: dict[str, Any] | None = None,
        format: str | None = None,
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Write files."""
        del transformation_ctx
        require_s3(connection_type)
        write_frame(frame.toDF(), connection_options or {}, format, format_options)
        return frame

    def from_catalog(
        self,
        frame: DynamicFrame,
        database: str = "",
        table_name: str = "",
        transformation_ctx: str = "",
        name_space: str = "",
        additional_options: dict[str, Any] | None = None,
        **_: Any,
    ) -> DynamicFrame:
        """Write files where a Data Catalog table lies."""
        del transformation_ctx
        location, name, format_options = table_location(name_space or database, table_name)
        connection = {"path": location} | {
            key: value for key, value in (additional_options or {}).items() if key == "partitionKeys"
        }
        if additional_options and set(additional_options) - {"partitionKeys"}:
            raise NotImplementedError(
                f"additional_options are not part of the local awsglue: {additional_options}"
            )
        write_frame(frame.toDF(), connection, name, format_options)
        return frame


class DynamicFrameCollection:
    """Frames by name."""

    def __init__(self, dynamic_frames: dict[str, DynamicFrame], glue_ctx: Any) -> None:
        self._frames = dynamic_frames
        self.glue_ctx = glue_ctx

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __len__(self) -> int:
        return len(self._frames)

    def keys(self) -> Any:
        """Return the names."""
        return self._frames.keys()

    def values(self) -> Any:
        """Return the frames."""
        return self._frames.values()

    def select(self, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """Return the frame of that name."""
        del transformation_ctx
        return self._frames[key]
