"""Athena: Presto's SQL on DuckDB, over the Data Catalog and S3 of the same embedded AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.reality import Reality

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="Athena",
    executes="SQL and DDL really run, on DuckDB, over the objects in S3 and the tables of the Data Catalog.",
    differs=(
        "Iceberg, MERGE, UPDATE, DELETE, PREPARE, federated catalogues and managed results are refused.",
        "The SerDes for Avro, Ion, Grok and CloudTrail are refused; ORC is read whole.",
        "CREATE TABLE AS, INSERT or UNLOAD that fails has written nothing; Athena may leave files behind.",
        "DataScannedInBytes counts whole objects; Athena counts only the columns that it reads of Parquet.",
        "A decimal divided by a decimal is a double, and an array index out of range is NULL.",
        "DuckDB converts a little more than Presto: 1 = '1' is true here, a TYPE_MISMATCH there.",
        "DuckDB's functions that Presto lacks are accepted; checksum and UNNEST of a map are refused.",
        "typeof() names arrays and rows as DuckDB does; format_datetime knows yyyy MM dd HH mm ss SSS.",
        "Keys of nested JSON objects are compared with their case; Athena ignores it.",
        "Four queries run at once, the others wait as QUEUED; the .metadata object of a result holds JSON.",
    ),
)


def install(runtime: Runtime) -> None:
    """Give moto's Athena an engine."""
    from moto.athena import models, urls  # noqa: PLC0415 - duckdb and moto are heavy

    from local_aws.services.athena.backend import Engine, LocalAthenaBackend  # noqa: PLC0415 - as above
    from local_aws.services.athena.execution_store import ExecutionStore  # noqa: PLC0415 - as above
    from local_aws.services.athena.responses import LocalAthenaResponse  # noqa: PLC0415 - as above
    from local_aws.services.athena.runner import Runner, store_path  # noqa: PLC0415 - as above

    models.athena_backends.backend = LocalAthenaBackend
    for path, dispatch in urls.url_paths.items():
        urls.url_paths[path] = getattr(LocalAthenaResponse, dispatch.__name__)
    store = ExecutionStore(store_path(runtime))
    store.fail_interrupted()
    Engine.runtime, Engine.runner, Engine.pages = runtime, Runner(runtime, store), {}
    runtime.on_stop(store.close)
    runtime.on_stop(Engine.runner.close)
