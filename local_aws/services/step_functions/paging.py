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
    """One page of a list: where it begins, how long it may be, and which list it belongs to.

    Attributes:
        offset: how many come before it.
        limit: how many it may have.
        subject: a digest of what is listed.
        after: in a list that grows at its beginning, the place of the last one before it.
    """

    offset: int
    limit: int
    subject: str
    after: tuple[float, int] | None = None

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
        offset, after = _place(token, digest) if token else (0, None)
        return cls(offset, int(limit or DEFAULT), digest, after)

    def next_token(self, found: int) -> dict[str, str]:
        """Return the answer's nextToken when more than one page's worth was found, else nothing."""
        if found <= self.limit:
            return {}
        return self._token(self.offset + self.limit)

    def token_after(self, place: tuple[float, int] | None) -> dict[str, str]:
        """Return the answer's nextToken for what comes after a place, or nothing at the end."""
        return self._token(place) if place else {}

    def _token(self, place: Any) -> dict[str, str]:
        token = json.dumps([self.subject, place])
        return {"nextToken": base64.urlsafe_b64encode(token.encode()).decode()}


def _place(token: str, digest: str) -> tuple[int, tuple[float, int] | None]:
    try:
        subject, place = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidToken("Invalid Token: 'Invalid nextToken'") from error
    if subject == digest and isinstance(place, int):
        return place, None
    match place:
        case [int() | float() as start, int() as number] if subject == digest:
            return 0, (start, number)
    raise InvalidToken("Invalid Token: 'Invalid nextToken'")
