"""How a deployment tells what went wrong and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.chalice_config import InvalidConfigError
from infrastructure.provision import ProvisioningFailedError
from infrastructure.render import UnknownPlaceholderError

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target


class DeploymentFailedError(Exception):
    """Something could not be done; the message says what, the remedy what to do.

    Attributes:
        remedy: what to do now, or an empty text.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}\n{remedy}" if remedy else message)
        self.remedy = remedy


EXPECTED = (
    BotoCoreError,
    ClientError,
    DeploymentFailedError,
    InvalidConfigError,
    ProvisioningFailedError,
    UnknownPlaceholderError,
)
"""What a step may fail with; anything else is a fault of ours."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})


def code_of(error: BaseException) -> str:
    """Return AWS's word for an error, or an empty text."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


def explained(error: BaseException, target: Target) -> str:
    """Return an error as a person reads it; a missing permission is named as one."""
    if code_of(error) in DENIED:
        return (
            f"{error}\nthese credentials may not do that in account {target.account}: ask for the permission"
        )
    return str(error)
