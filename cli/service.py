"""The REST API as the commands call it, on a laptop and on AWS alike."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlsplit

from cli import remote_stages
from cli.errors import Failure, NoStage, Refused
from cli.project import chosen_stage, running_stage

SECONDS = 30

NO_ROUTE = "Missing Authentication Token"
"""What API Gateway says, with 403, of an address that it does not know."""


class Service:
    """A stage's REST API.

    Args:
        url: where it answers, without a slash at the end.
        token: a bearer token.
    """

    def __init__(self, url: str, token: str) -> None:
        import requests  # noqa: PLC0415 - 0.1 s that `decant --help` need not pay

        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        """Return an answer; a query value of None is left out."""
        return self._answer(
            "GET", path, params={key: value for key, value in query.items() if value is not None}
        )

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a body and return the answer."""
        return self._answer("POST", path, json=body or {})

    def _answer(self, method: str, path: str, **what: Any) -> Any:
        import requests  # noqa: PLC0415 - as above

        try:
            response = self._session.request(method, self._url + quote(path), timeout=SECONDS, **what)
        except requests.RequestException as error:
            raise Failure(f"{self._url} does not answer: {error}") from error
        if response.ok:
            return response.json()
        document = _document(response)
        raise Refused(_words(response, document), str(document.get("code", response.status_code)))


def service() -> Service:
    """Return the API of DECANT_API_URL, or of the stage that --stage or DECANT_STAGE name, or that runs here.

    Raises:
        NoStage: there is none of them.
        Failure: this machine does not know the stage, or no token for it.
    """
    url, token = os.environ.get("DECANT_API_URL"), os.environ.get("DECANT_API_TOKEN")
    if url and token:
        return Service(url.rstrip("/"), token)
    if (name := chosen_stage()) != "local":
        return _remote(name, token)
    stage = running_stage()
    if stage is None:
        raise NoStage
    return Service(stage["api_url"], stage["api_token"])


def _remote(name: str, token: str | None) -> Service:
    """Return the API of a stage on AWS that this machine has deployed."""
    known = remote_stages.find(name)
    if known is None:
        raise Failure(
            f"this machine knows no stage {name}: `decant deploy --stage {name}` (it leaves "
            "what is up to date), or set DECANT_API_URL and DECANT_API_TOKEN"
        )
    if not (token or known.api_token):
        raise Failure(
            f"no token for stage {name}: set DECANT_API_TOKEN, or make one with "
            f"`decant tokens add NAME --role viewer --use --stage {name}`"
        )
    return Service(known.api_url, token or known.api_token or "")


def _document(response: Any) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _words(response: Any, document: dict[str, Any]) -> str:
    message = document.get("message") or document.get("Message") or response.reason
    if message == NO_ROUTE:
        return f"the API has no address {urlsplit(response.url).path}: is the name right?"
    if response.status_code in {401, 403}:
        return f"{message}: check DECANT_API_TOKEN and its role"
    return f"{message} ({document.get('code', response.status_code)})"
