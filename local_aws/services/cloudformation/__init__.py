"""CloudFormation: stacks whose resources are made by calling the services themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.cloudformation import urls
from moto.cloudformation.models import cloudformation_backends

from local_aws.reality import Reality
from local_aws.services.cloudformation import (
    backend,
    data_types,
    identity_types,
    key_types,
    messaging_types,
    network_types,
    observation_types,
    storage_types,
    warehouse_types,
    workflow_types,
)
from local_aws.services.cloudformation.resource_type import TYPES

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

__all__ = [
    "REALITY",
    "data_types",
    "identity_types",
    "install",
    "key_types",
    "messaging_types",
    "network_types",
    "observation_types",
    "storage_types",
    "warehouse_types",
    "workflow_types",
]

IMPORTED = sorted(name for name, kind in TYPES.items() if kind.import_identifier)

REALITY = Reality(
    service="CloudFormation",
    executes="Stacks, change sets, imports: parameters, conditions, functions, order, updates, rollbacks, "
    "outputs; "
    "each resource is made by calling its service.",
    differs=(
        f"These types exist, and another one fails the stack: {', '.join(sorted(TYPES))}.",
        "A property that is not applied fails the stack with its name.",
        "A stack is finished when CreateStack, UpdateStack or DeleteStack answers.",
        "Of dynamic references only secretsmanager is resolved; the value is not kept in the stack.",
        "VPCs, subnets, security groups and endpoints are kept, and no connection goes through them.",
        "A Redshift Serverless workgroup is the local warehouse, whatever its capacity and network.",
        "Transforms, nested stacks, macros and custom resources are refused.",
        f"Only these types are imported: {', '.join(IMPORTED)}.",
        "An import leaves alone what the template does not say of a resource; AWS may reset that.",
        "An import whose identifier is not the one in the template fails when it is executed.",
        "Policies of topics, queues and keys are kept and not asked.",
    ),
)


def install(runtime: Runtime) -> None:
    """Register the stacks of our own with moto."""
    backend.use(runtime)
    runtime.on_start(backend.recover)
    cloudformation_backends.backend = backend.LocalCloudFormationBackend
    urls.url_paths = {
        path: getattr(backend.LocalCloudFormationResponse, answer.__name__)
        for path, answer in urls.url_paths.items()
    }
