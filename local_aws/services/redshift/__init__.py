"""Redshift: a real PostgreSQL behind a proxy that speaks Redshift's dialect, and the APIs around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.reality import Reality

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="Redshift",
    executes="SQL runs in a PostgreSQL 16 of its own; COPY and UNLOAD read and write S3; transactions, locks and "
    "serializable isolation are real, and a conflict is error 1023.",
    differs=(
        "One PostgreSQL serves every cluster and workgroup, as one machine: there are no nodes, slices or queues.",
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
    runtime.add_client_environment({"SSL_CERT_FILE": str(bundle(directory))})
    clusters.install(runtime)
    serverless.install(runtime)
    data_api.install(runtime)
    process = WarehouseProcess(runtime)
    runtime.on_stop(process.stop)
    runtime.on_start(process.start)
