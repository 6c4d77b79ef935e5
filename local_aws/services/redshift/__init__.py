"""Redshift: a real PostgreSQL behind a proxy that speaks Redshift's dialect, and the APIs around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.reality import Reality

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="Redshift",
    executes="SQL runs in a PostgreSQL 16 of its own; COPY and UNLOAD read and write S3; transactions, locks "
    "and serializable isolation are real, and a conflict is error 1023; the Data API runs its statements.",
    differs=(
        "One PostgreSQL serves every cluster and workgroup: no nodes, slices, queues or distribution.",
        "DISTKEY, SORTKEY, ENCODE and foreign keys are accepted and dropped; keys become plain indexes.",
        "Conflicts are found by rows and pages, not by tables: fewer transactions meet error 1023.",
        "The message of error 1023 names no table or transaction.",
        "IAM_ROLE and keys in COPY and UNLOAD are read and not checked.",
        "COPY of ORC, Avro, fixed width, shapefiles and LZOP, NOLOAD and sources other than S3 are refused.",
        "MAXERROR skips rows with a wrong number of columns only; any other refused row fails the load.",
        "COPY of Parquet takes an integer or decimal into a wider column, and never into a narrower one.",
        "A decimal with too many digits behind the point is rounded, as with ROUNDEC.",
        "SUPER is jsonb: functions and JSON text work, navigation by dots is an error.",
        "External schemas, data shares, machine learning and Python functions are syntax errors.",
        "Passwords are asked for in clear text, over TLS or loopback; no IAM plugins of the driver.",
        "psql's own \\d fails, for it asks an old catalogue of a server of version 8.0.2.",
        "Deleting a cluster or namespace keeps its users and databases.",
        "Statements sent as one, with a COPY, UNLOAD or TRUNCATE among them, commit one by one.",
        "Statements of the Data API are forgotten when the embedded AWS ends.",
        "Redshift Serverless has namespaces, workgroups, limits and credentials; the rest is NotImplemented.",
        "A usage limit of Redshift Serverless is kept and stops nothing.",
        "A killed process loses nothing; a power cut may lose the last moments, as files are not synced.",
    ),
)


def install(runtime: Runtime) -> None:
    """Make the certificate and the master password, and start the warehouse with the embedded AWS."""
    # The warehouse's own process imports this package too and has no use for moto.
    from local_aws.services.redshift import clusters, data_api, serverless  # noqa: PLC0415
    from local_aws.services.redshift.certificates import bundle, ensure_certificates  # noqa: PLC0415
    from local_aws.services.redshift.child import WarehouseProcess  # noqa: PLC0415
    from local_aws.services.redshift.defaults import password_file  # noqa: PLC0415
    from local_aws.services.redshift.passwords import secret_of  # noqa: PLC0415

    directory = runtime.configuration.directory
    ensure_certificates(directory)
    runtime.warehouse_password = secret_of(password_file(directory))
    process = WarehouseProcess(runtime)
    process.launch()
    runtime.add_client_environment({"SSL_CERT_FILE": str(bundle(directory))})
    clusters.install(runtime)
    serverless.install(runtime)
    data_api.install(runtime)
    runtime.on_stop(process.stop)
    runtime.on_start(process.start)
