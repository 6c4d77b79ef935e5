"""Pages of lists that grow while they are read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from local_aws.services.step_functions.errors import InvalidToken, ValidationException

DEFAULT, LARGEST = 100, 1000


@dataclass(frozen=True)
class Page:
    """One page of a list: where it begins, how long it may be, and which list it belongs to."""

    offset: int
    limit: int
    subject: str

    @classmethod
    def of(cls, token: str | None, limit: Any, subject: str) -> Self:
        """Return the page that a request asks for.

        Raises:
            InvalidToken: the token is malformed or was given for another list.
            ValidationException: the limit is not between 0 and 1000.

        """
        digest = hashlib.sha256(subject.encode()).hexdigest()[:16]
        if limit is not None and not 0 <= int(limit) <= LARGEST:
            raise ValidationException(f"Value at 'maxResults' must be between 0 and {LARGEST}")
        return cls(_offset(token, digest) if token else 0, int(limit or DEFAULT), digest)

    def next_token(self, found: int) -> dict[str, str]:
        """Return the answer's nextToken when more than one page's worth was found, else nothing."""
        if found <= self.limit:
            return {}
        token = json.dumps([self.subject, self.offset + self.limit])
        return {"nextToken": base64.urlsafe_b64encode(token.encode()).decode()}


def _offset(token: str, digest: str) -> int:
    try:
        subject, offset = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error) as error:
        raise InvalidToken("Invalid Token: 'Invalid nextToken'") from error
    if subject != digest or not isinstance(offset, int):
        raise InvalidToken("Invalid Token: 'Invalid nextToken'")
    return offset
