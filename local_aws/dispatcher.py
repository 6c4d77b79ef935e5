"""Which moto service answers a request, found once per host instead of once per request."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import moto.core.responses
from moto import backend_index, backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.core.exceptions import HTTPException
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request, normalize_request
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import EnvironHeaders
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    View = Callable[[Any, str, Any], Any]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Dispatcher(DomainDispatcherApplication):
    """moto's WSGI application.

    moto lists its own package directory for every request to tell a service's name from a host: 180
    calls of stat, a third of the time of a small S3 request.
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)
        # Found anew for each request, moto's list of a service's actions takes as long as a small action.
        moto.core.responses.method_names_from_class = functools.cache(method_names_from_class)
        BackendDict.__getitem__ = _lookup

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, without Flask when it is signed: that saves a sixth of a small request."""
        view = self._view(environ)
        if view is None:
            found: Iterable[bytes] = super().__call__(environ, start_response)
            return found
        return _response(view, SignedRequest(environ))(environ, start_response)

    def _view(self, environ: WSGIEnvironment) -> View | None:
        # A browser's request needs the headers that Flask's extension for cross-origin requests adds.
        if "HTTP_ORIGIN" in environ or not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4"):
            return None
        path = environ["PATH_INFO"]
        host = self.infer_service_region_host(environ, path)
        service = self.get_backend_for_host(host) if host else None
        if service == "s3":
            return _view_of_s3(path)
        return _only_view(service) if service and path == "/" else None

    def _get_body(self, environ: dict[str, Any]) -> str | None:
        """Leave a PUT's body alone: moto drops one that calls itself a form and isn't text."""
        return None if environ["REQUEST_METHOD"] == "PUT" else super()._get_body(environ)


class SignedRequest(Request):
    """A request as moto's own server hands it to a service, without what a signed one never needs."""

    from_wsgi_server = True

    def __init__(self, environ: WSGIEnvironment) -> None:
        super().__init__(environ)
        if not environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY):
            self.headers = EnvironHeaders(environ)  # moto's compares every name with those

    @property
    def raw_url(self) -> str:
        """The address as it arrived. werkzeug decodes a host name in any script for it."""
        environ = self.environ
        query = self.query_string.decode()
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        url = f"{environ['wsgi.url_scheme']}://{host}{self.raw_path}"
        return f"{url}?{query}" if query else url

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether the body is a form; parsing JSON and XML as one too is a twentieth of a small request."""
        return self.environ.get("CONTENT_TYPE", "").startswith(FORMS)


class Answer(Response):
    """A response with the content type that moto's own server falls back to."""

    default_mimetype = "text/html"


def _response(view: View, request: Request) -> Any:
    try:
        result = view(request, request.raw_url, dict(request.headers))
    except HTTPException as error:
        return error.get_response(request.environ)
    status, headers, content = result if isinstance(result, tuple) else (200, {}, result)
    response = Answer(response=content, status=status, headers=headers)
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return response


def _lookup(backends: BackendDict[Any], account: str) -> Any:
    """Return an account's backends; moto's own takes a lock and compares all services at each look."""
    try:
        return dict.__getitem__(backends, account)
    except KeyError:
        backends._create_account_specific_backend(account)  # noqa: SLF001 - what moto's own begins with
        return dict.__getitem__(backends, account)


def _view_of_s3(path: str) -> View | None:
    _, _, key = path[1:].partition("/")
    paths = _paths("s3")
    if path.startswith("//"):
        return None
    if key:
        return paths["{0}/(?P<bucket_name_path>[^/]+)/(?P<key_name>.+)"]
    return paths["{0}/(?P<key_or_bucket_name>[^/]+)$" if path.strip("/") else "{0}/$"]


@functools.cache
def _only_view(service: str) -> View | None:
    return _paths(service).get("{0}/$")


@functools.cache
def _paths(service: str) -> dict[str, View]:
    return dict(_example(service)._url_module.url_paths)  # noqa: SLF001 - moto's own way to them


WITHOUT_MOTO: dict[str, Callable[[str, bytes], tuple[int, dict[str, Any], bytes]]] = {}
"""Services that moto lacks, by the beginning of their X-Amz-Target: each answers an action and a body."""


def answer(request: Any) -> tuple[int, dict[str, Any], Any]:
    """Answer a botocore request in this thread: status, headers and body.

    Raises:
        LookupError: there is no service at the request's address.
    """
    target = request.headers.get("X-Amz-Target", "")
    target = target.decode() if isinstance(target, bytes) else target
    for prefix, service_answers in WITHOUT_MOTO.items():
        if target.startswith(prefix):
            return service_answers(target.removeprefix(prefix), request.body or b"{}")
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
    return [(re.compile(pattern), view) for pattern, view in _example(service).urls.items()]


def _example(service: str) -> Any:
    """Return some backend of a service: all of them have the same paths."""
    found = backends.get_backend(service)
    if isinstance(found, BackendDict):
        account = found[DEFAULT_ACCOUNT_ID]
        return account["us-east-1"] if "us-east-1" in account else account["aws"]
    return found["global"]
