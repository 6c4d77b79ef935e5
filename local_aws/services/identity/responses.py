"""moto's STS, whose AssumeRole asks the role's trust policy and gives out the role's session."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from local_aws.services.identity import principal, trust

SHORTEST_SECONDS = 900
DEFAULT_SECONDS = 3600
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")


class LocalTokenResponse(TokenResponse):
    """One request to STS."""

    def assume_role(self) -> ActionResult:
        """Give out a session of a role that trusts the caller."""
        arn, session = str(self._get_param("RoleArn")), str(self._get_param("RoleSessionName"))
        external_id = self._get_param("ExternalId")
        _check("roleSessionName", session, SESSION_NAME)
        if external_id is not None:
            _check("externalId", external_id, EXTERNAL_ID)
        try:
            assumed = principal.role_session(arn, session)
        except ValueError as error:
            raise STSClientError("ValidationError", f"{arn} is invalid") from error
        try:
            role = trust.check(self._caller(), arn, session=session, external_id=external_id)
        except trust.NotAuthorizedError as error:
            raise STSClientError("AccessDenied", str(error)) from error
        result = {
            "Credentials": self._credentials(assumed, int(role.max_session_duration or DEFAULT_SECONDS)),
            "AssumedRoleUser": {"AssumedRoleId": f"{role.id}:{session}", "Arn": assumed.arn},
            "PackedPolicySize": 6,
        }
        return ActionResult(result)

    def get_session_token(self) -> ActionResult:
        """Give out keys of the caller itself."""
        return ActionResult({"Credentials": self._credentials(self._caller(), None)})

    def get_caller_identity(self) -> ActionResult:
        """Say who calls."""
        caller = self._caller()
        if not caller.role:
            return super().get_caller_identity()
        identity = f"{caller.role.rpartition('/')[2]}:{caller.session}"
        return ActionResult({"UserId": identity, "Account": caller.account, "Arn": caller.arn})

    def _caller(self) -> principal.Principal:
        return principal.of_headers(self.headers, self.current_account)

    def _credentials(self, session: principal.Principal, longest: int | None) -> dict[str, Any]:
        seconds = self._get_int_param("DurationSeconds", DEFAULT_SECONDS)
        if seconds < SHORTEST_SECONDS or (longest and seconds > max(longest, DEFAULT_SECONDS)):
            raise STSClientError(
                "ValidationError",
                f"The requested DurationSeconds exceeds the MaxSessionDuration set for this role, or is less "
                f"than {SHORTEST_SECONDS}: {seconds}",
            )
        expires = time.time() + seconds
        keys = principal.session_credentials(session, expires)
        return keys | {"Expiration": datetime.fromtimestamp(expires, UTC).replace(tzinfo=None)}


def _check(name: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        raise STSClientError(
            "ValidationError",
            f"1 validation error detected: Value '{value[:80]}' at '{name}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern.pattern}",
        )
