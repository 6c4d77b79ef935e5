"""`awsglue.context`: the GlueContext, on a plain SparkSession."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession, SQLContext

from awsglue.catalog import register
from awsglue.connections import read_options, require_s3, write_frame
from awsglue.dynamicframe import DynamicFrame, DynamicFrameReader, DynamicFrameWriter


class GlueContext(SQLContext):
    """Glue's entry point to Spark."""

    def __init__(self, sparkContext: Any, **options: Any) -> None:  # noqa: N803 - AWS's name
        if options:
            raise NotImplementedError(f"GlueContext options are not supported here: {sorted(options)}")
        session = SparkSession.builder.getOrCreate()
        super().__init__(sparkContext, session)
        self.spark_session = session
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.create_data_frame = _DataFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)
        self.write_data_frame = _DataFrameWriter(self)

    def get_logger(self) -> Any:
        """Return Spark's own logger."""
        return self.spark_session._jvm.org.apache.log4j.LogManager.getLogger("glue")  # noqa: SLF001

    def create_dynamic_frame_from_options(
        self, connection_type: str, *args: Any, **options: Any
    ) -> DynamicFrame:
        """Read files into a DynamicFrame."""
        return self.create_dynamic_frame.from_options(connection_type, *args, **options)

    def create_dynamic_frame_from_catalog(
        self, database: str, table_name: str, **options: Any
    ) -> DynamicFrame:
        """Read a Data Catalog table into a DynamicFrame."""
        return self.create_dynamic_frame.from_catalog(database, table_name, **options)

    def write_dynamic_frame_from_options(
        self, frame: DynamicFrame, connection_type: str, *args: Any, **options: Any
    ) -> DynamicFrame:
        """Write a DynamicFrame as files."""
        return self.write_dynamic_frame.from_options(frame, connection_type, *args, **options)

    def write_dynamic_frame_from_catalog(
        self, frame: DynamicFrame, database: str, table_name: str, **options: Any
    ) -> DynamicFrame:
        """Write a DynamicFrame where a Data Catalog table lies."""
        return self.write_dynamic_frame.from_catalog(frame, database, table_name, **options)

    def purge_s3_path(
        self, s3_path: str, options: dict[str, Any] | None = None, transformation_ctx: str = ""
    ) -> None:
        """Delete what is below `s3_path`; only the retention period 0 is supported."""
        del transformation_ctx
        if (options or {}).get("retentionPeriod", 168) != 0:
            raise NotImplementedError("purge_s3_path keeps no files by age here: pass {'retentionPeriod': 0}")
        jvm = self.spark_session._jvm  # noqa: SLF001 - PySpark has no file system API
        path = jvm.org.apache.hadoop.fs.Path(s3_path)
        path.getFileSystem(self.spark_session._jsc.hadoopConfiguration()).delete(path, True)  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotImplementedError(f"GlueContext.{name} is not part of the local awsglue")


class _DataFrameReader:
    def __init__(self, context: GlueContext) -> None:
        self._context = context

    def from_options(
        self,
        connection_type: str,
        connection_options: dict[str, Any],
        format: str | None = None,
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DataFrame:
        del transformation_ctx
        return read_options(
            self._context.spark_session, connection_type, connection_options, format, format_options
        )

    def from_catalog(self, database: str, table_name: str, **options: Any) -> DataFrame:
        return self._context.create_dynamic_frame.from_catalog(database, table_name, **options).toDF()


class _DataFrameWriter:
    def __init__(self, context: GlueContext) -> None:
        self._context = context

    def from_options(
        self,
        frame: DataFrame,
        connection_type: str,
        connection_options: dict[str, Any],
        format: str | None = None,
        format_options: dict[str, Any] | None = None,
        transformation_ctx: str = "",
    ) -> DataFrame:
        del transformation_ctx
        require_s3(connection_type)
        write_frame(frame, connection_options, format, format_options)
        return frame


__all__ = ["GlueContext", "register"]
