"""The console: the page and its files, served by the API itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice import Response

from chalicelib import console_files, errors, settings
from chalicelib.aws import uploads
from chalicelib.rest.registration import api, endpoint

if TYPE_CHECKING:
    from chalicelib.console_files import Asset

_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

_MEDIA = tuple(kind.partition(";")[0] for kind in console_files.TYPES.values())


@endpoint(
    "GET",
    "/console",
    "The console's page",
    opened=True,
    media=("text/html",),
    status=(200, 302),
    raises=(errors.UnknownAsset,),
)
def show_console() -> Response:
    """Serve the page. It needs no token: it holds no data, and asks for one."""
    asked = str(api.current_request.context.get("path", ""))
    slashes = len(asked) - len(asked.rstrip("/"))
    if slashes:  # API Gateway takes it for the same path; the page's links, which are relative, would not
        place = {"Location": "../" * slashes + "console", "Cache-Control": console_files.NEVER}
        return Response(body="", status_code=302, headers={**place, **_HEADERS})
    return _served(
        console_files.page(),
        {"Content-Security-Policy": console_files.policy(uploads.origin(settings.landing_bucket()))},
    )


@endpoint(
    "GET",
    "/console/{asset}",
    "A file of the console",
    opened=True,
    media=_MEDIA,
    raises=(errors.UnknownAsset,),
)
def show_asset(asset: str) -> Response:
    """Serve a script, a style sheet or a picture of the page."""
    return _served(console_files.asset(asset), {"Content-Security-Policy": "default-src 'none'"})


def _served(asset: Asset, more: dict[str, str]) -> Response:
    return Response(
        body=asset.text,
        headers={
            "Content-Type": asset.content_type,
            "Cache-Control": asset.cache_control,
            **_HEADERS,
            **more,
        },
    )
