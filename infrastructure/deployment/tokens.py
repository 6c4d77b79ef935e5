"""The REST API's bearer tokens: who may call it, and as what."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infrastructure.deployment.failures import DeploymentFailedError, code_of

if TYPE_CHECKING:
    from infrastructure.deployment.target import Target

ROLES = ("viewer", "operator", "approver")
FORGOTTEN_AFTER = "up to two minutes"
"""The authorizer keeps the secret for one minute, and API Gateway an answer for one."""


class Tokens:
    """The tokens of a stage; only their digests are kept.

    Args:
        target: the stage.
    """

    def __init__(self, target: Target) -> None:
        self._secrets = target.client("secretsmanager")
        self._name = f"{target.prefix}-api-tokens"
        self._target = target

    def entries(self) -> list[dict[str, str]]:
        """Return each token's name, role and SHA-256 digest.

        Raises:
            DeploymentFailedError: the stage does not stand.
        """
        try:
            text = self._secrets.get_secret_value(SecretId=self._name)["SecretString"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            raise DeploymentFailedError(
                f"there is no stage {self._target.stage} in account {self._target.account}, "
                f"region {self._target.region}: it has no secret {self._name}",
                f"make it: decant deploy --stage {self._target.stage}",
            ) from error
        entries: list[dict[str, str]] = json.loads(text)["tokens"]
        return entries

    def add(self, name: str, role: str) -> str:
        """Make a token and return its secret, which is kept nowhere.

        Raises:
            DeploymentFailedError: the name is taken.
        """
        entries = self.entries()
        if any(entry["name"] == name for entry in entries):
            raise DeploymentFailedError(
                f"token {name} exists already",
                f"take another name, or first: decant tokens remove {name} --stage {self._target.stage}",
            )
        secret = secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        self._put([*entries, {"name": name, "role": role, "sha256": digest}])
        return secret

    def remove(self, name: str) -> None:
        """Forget a token.

        Raises:
            DeploymentFailedError: there is none of this name.
        """
        entries = self.entries()
        kept = [entry for entry in entries if entry["name"] != name]
        if len(kept) == len(entries):
            names = ", ".join(entry["name"] for entry in entries) or "none"
            raise DeploymentFailedError(f"there is no token {name}; there is: {names}")
        self._put(kept)

    def _put(self, entries: list[dict[str, Any]]) -> None:
        text = json.dumps({"tokens": entries})
        self._secrets.put_secret_value(SecretId=self._name, SecretString=text)
