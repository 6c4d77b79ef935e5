"""The console: the page and its files, served by the API itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice import Response

from chalicelib import console_files, errors, settings
from chalicelib.aws import uploads
from chalicelib.rest.registration import endpoint

if TYPE_CHECKING:
    from chalicelib.console_files import Asset

_MEDIA = tuple(kind.partition(";")[0] for kind in console_files.TYPES.values())


@endpoint(
    "GET", "/console", "The console's page", opened=True, media=("text/html",), raises=(errors.UnknownAsset,)
)
def show_console() -> Response:
    """Serve the page. It needs no token: it holds no data, and asks for one."""
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
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **more,
        },
    )
