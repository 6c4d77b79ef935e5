"""The console's files, as `console/` was built: their names, types and headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import UnknownAsset

FOLDER = Path(__file__).parent / "console"

PAGE = "index.html"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served. All of it is text: API Gateway would need to be told of binary types."""

HASHED = re.compile(r".+-[A-Za-z0-9_-]{8}\.[a-z]+")
"""A name that the build made from the content: the same name always holds the same."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
NEVER = "no-store"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file: its text and the headers that say what it is and for how long it holds."""

    text: str
    content_type: str
    cache_control: str


def page() -> Asset:
    """Return the page.

    Raises:
        UnknownAsset: this package was made without it.
    """
    if not (FOLDER / PAGE).is_file():
        raise UnknownAsset("the console is not in this package: build it with `make console`, then deploy")
    return _read(PAGE, NEVER)


def asset(name: str) -> Asset:
    """Return a file that the page asks for.

    Raises:
        UnknownAsset: there is none of this name.
    """
    # The name is looked up among those that are there: no path is ever made of what a caller sends.
    if name not in {path.name for path in FOLDER.glob("*") if path.suffix in TYPES} - {PAGE}:
        raise UnknownAsset(f"console/{name[:80]}: there is no such file; reload the page")
    return _read(name, FOR_EVER if HASHED.fullmatch(name) else ASK_AGAIN)


def policy(connect: str) -> str:
    """Return the Content-Security-Policy: what is served here, and one other place to send files to.

    Args:
        connect: the origin of presigned uploads, such as https://bucket.s3.eu-west-1.amazonaws.com.
    """
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self' {connect}",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _read(name: str, cache_control: str) -> Asset:
    path = FOLDER / name
    return Asset(
        text=path.read_text(encoding="utf-8"), content_type=TYPES[path.suffix], cache_control=cache_control
    )
