"""Asks each request of a role for permission, where moto asks for its own: before any action."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from moto.core.exceptions import HTTPException
from moto.core.responses import BaseResponse

from local_aws.services.identity.asked_for import Place, UnmappedRequestError, asked_for, values_of
from local_aws.services.identity.enforcement import DeniedError, current, refuse
from local_aws.services.identity.principal import of_headers

QUERY_CODES = {"sns": "AuthorizationError"}
"""How services that answer in XML call a refusal, where it is not AccessDenied."""


class _Refusal(HTTPException):
    """AWS's answer to a request that is not allowed."""

    code = 403

    def __init__(self, service: str, message: str, *, as_json: bool) -> None:
        super().__init__(message)
        code = QUERY_CODES.get(service, "AccessDenied")
        document = {"__type": "AccessDenied" if service == "sqs" else "AccessDeniedException"}
        xml = (
            "<ErrorResponse><Error><Type>Sender</Type>"
            f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            "<RequestId>0</RequestId></ErrorResponse>"
        )
        self.description = json.dumps(document | {"message": message}) if as_json else xml


def install() -> None:
    """Put the question in the place of moto's own, which asks for nothing unless a variable says so."""
    BaseResponse._authenticate_and_authorize_normal_action = _authorize  # noqa: SLF001 - moto's only seam


def _authorize(self: BaseResponse, resource: str = "*") -> None:
    del resource
    if not current.on:
        return
    caller = of_headers(self.headers, self.current_account)
    if not caller.role:
        return
    service, operation = str(self.service_name), str(self._get_action())
    try:
        try:
            place = Place(partition=self.partition, region=self.region, account=self.current_account)
            for each in asked_for(service, operation, values_of(self), place):
                current.check(caller, each.action, each.resource, dict(each.context))
        except UnmappedRequestError as error:
            refuse(caller, f"{service}:{operation}", "*", f"because {error}")
    except DeniedError as error:
        as_json = not _answers_in_xml(self)
        raise _Refusal(service, str(error), as_json=as_json) from error


def _answers_in_xml(response: Any) -> bool:
    return "Action" in response.data and not response.headers.get("X-Amz-Target")
