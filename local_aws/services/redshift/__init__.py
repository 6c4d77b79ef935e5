"""Redshift: a real PostgreSQL behind a proxy that speaks Redshift's dialect, and the APIs around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.reality import Reality
from local_aws.services.redshift.certificates import bundle, ensure_certificates
from local_aws.services.redshift.child import WarehouseProcess
from local_aws.services.redshift.passwords import password_file, secret_of

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
    directory = runtime.configuration.directory
    ensure_certificates(directory)
    runtime.warehouse_password = secret_of(password_file(directory))
    runtime.add_client_environment({"SSL_CERT_FILE": str(bundle(directory))})
    process = WarehouseProcess(runtime)
    runtime.on_stop(process.stop)
    runtime.on_start(process.start)
