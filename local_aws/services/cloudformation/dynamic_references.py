"""Dynamic references: values that are looked up when a resource is made, and never kept in the stack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError

if TYPE_CHECKING:
    from local_aws.services.cloudformation.resource_type import Clients

REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):(.*?)\}\}")
SECRET = re.compile(
    r"(?P<secret>arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+|[^:]+):SecretString(:(?P<key>[^:]*))?"
)


def looked_up(aws: Clients, value: Any) -> Any:
    """Return `value` with every reference to a secret replaced by what the secret holds now.

    Raises:
        ValidationError: the reference is to something else than a secret's text or one key of it.
    """
    if isinstance(value, dict):
        return {name: looked_up(aws, each) for name, each in value.items()}
    if isinstance(value, list):
        return [looked_up(aws, each) for each in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(lambda found: _secret(aws, found), value)
    return value


def _secret(aws: Clients, found: re.Match[str]) -> str:
    parts = SECRET.fullmatch(found[2])
    if found[1] != "secretsmanager" or parts is None:
        raise ValidationError(message=f"This dynamic reference is not executed here: {found[0]}")
    text = str(aws("secretsmanager").get_secret_value(SecretId=parts["secret"])["SecretString"])
    if not parts["key"]:
        return text
    try:
        return str(json.loads(text)[parts["key"]])
    except (ValueError, KeyError) as error:
        raise ValidationError(
            message=f"Could not find a value for {parts['key']} in {parts['secret']}"
        ) from error
