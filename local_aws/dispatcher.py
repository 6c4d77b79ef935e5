"""Which moto service answers a request, found once per host instead of once per request."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from moto import backend_index, backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.exceptions import HTTPException
from moto.core.request import normalize_request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from collections.abc import Callable


class Dispatcher(DomainDispatcherApplication):
    """moto's WSGI application.

    moto lists its own package directory for every request to tell a service's name from a host: 180
    calls of stat, a third of the time of a small S3 request.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)

    def _get_body(self, environ: dict[str, Any]) -> str | None:
        """Leave a PUT's body alone: moto drops one that calls itself a form and isn't text."""
        return None if environ["REQUEST_METHOD"] == "PUT" else super()._get_body(environ)


def answer(request: Any) -> tuple[int, dict[str, Any], Any]:
    """Answer a botocore request in this thread: status, headers and body.

    Raises:
        LookupError: moto has no service at the request's address.
    """
    url = request.url.partition("?")[0]
    scheme, _, rest = url.partition("://")
    for service in _services(f"{scheme}://{rest.partition('/')[0]}/"):
        for pattern, view in _views(service):
            if pattern.match(url):
                return _called(view, normalize_request(request))
    raise LookupError(f"the embedded AWS has nothing at {url}")


def _called(view: Callable[..., Any], request: Any) -> tuple[int, dict[str, Any], Any]:
    try:
        return view(request, request.raw_url, request.headers)
    except HTTPException as error:
        return error.code, dict(error.get_headers()), error.get_body()


@functools.lru_cache(maxsize=1024)
def _services(address: str) -> list[str]:
    return [service for service, pattern in backend_index.backend_url_patterns if pattern.match(address)]


@functools.cache
def _views(service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    found = backends.get_backend(service)
    if isinstance(found, BackendDict):
        account = found[DEFAULT_ACCOUNT_ID]
        backend = account["us-east-1"] if "us-east-1" in account else account["aws"]
    else:
        backend = found["global"]
    return [(re.compile(pattern), view) for pattern, view in backend.urls.items()]
