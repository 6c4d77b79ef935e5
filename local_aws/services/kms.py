"""KMS: keys that are kept on disk, and log groups that name one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

from local_aws.reality import Reality

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="KMS",
    executes="Keys, aliases, policies and rotation are stored; Encrypt, Decrypt, Sign and data keys work.",
    differs=(
        "Other services note the key that they are given and encrypt nothing with it.",
        "Key policies and grants are stored and not enforced.",
        "Keys lie on disk as they are; a key whose deletion is scheduled stays PendingDeletion for ever.",
    ),
)


def install(runtime: Runtime) -> None:  # noqa: ARG001 - every service is installed the same way
    """Let log groups change their key, which moto's cannot."""
    LogsResponse.associate_kms_key = _associate
    LogsResponse.disassociate_kms_key = _disassociate


def _associate(response: Any) -> str:
    """AssociateKmsKey."""
    return _set_key(response, response._get_param("kmsKeyId"))  # noqa: SLF001 - as moto's answers read


def _disassociate(response: Any) -> str:
    """DisassociateKmsKey."""
    return _set_key(response, None)


def _set_key(response: Any, key: str | None) -> str:
    backend, name = response.logs_backend, response._get_param("logGroupName")  # noqa: SLF001
    if name not in backend.groups:
        raise ResourceNotFoundException
    backend.groups[name].kms_key_id = key
    return ""
