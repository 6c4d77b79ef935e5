"""How a query fails: Athena's error names, texts and numbers."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError

# ErrorType of docs.aws.amazon.com/athena/latest/ug/error-reference.html: what a client may switch on.
_USER = 1000
_TYPES = {
    "TABLE_NOT_FOUND": 1301,
    "SCHEMA_NOT_FOUND": 1301,
    "COLUMN_NOT_FOUND": 1006,
    "HIVE_BAD_DATA": 1001,
    "HIVE_CURSOR_ERROR": 1001,
    "HIVE_PATH_ALREADY_EXISTS": 1302,
    "GENERIC_INTERNAL_ERROR": 200,
    "INTERNAL_ERROR_QUERY_ENGINE": 200,
}
_SYSTEM_CATEGORY, _USER_CATEGORY = 1, 2


class QueryFailedError(Exception):
    """A query ends FAILED; `name` is Athena's error name, such as TABLE_NOT_FOUND, or empty."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}" if name else message)
        self.name = name

    def athena_error(self) -> dict[str, object]:
        """Return GetQueryExecution's AthenaError."""
        system = "INTERNAL" in self.name
        return {
            "ErrorCategory": _SYSTEM_CATEGORY if system else _USER_CATEGORY,
            "ErrorType": _TYPES.get(self.name, _USER),
            "Retryable": False,
            "ErrorMessage": str(self),
        }


class QueryCancelledError(Exception):
    """A query ends CANCELLED, with the reason as its message."""


def unsupported(what: str) -> QueryFailedError:
    """Return the failure of something that the embedded Athena does not execute."""
    return QueryFailedError("NOT_SUPPORTED", f"the embedded Athena does not support {what}")


class InvalidRequestException(JsonRESTError):
    """The request is refused before a query exists."""

    code = 400

    def __init__(self, message: str, athena_code: str = "INVALID_INPUT") -> None:
        super().__init__("InvalidRequestException", message)
        self.athena_code = athena_code


class MetadataException(JsonRESTError):
    """The Data Catalog does not hold what a request names."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("MetadataException", message)
