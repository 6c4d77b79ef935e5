"""The console as the API serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import boto3
import pytest
from chalice.test import Client

import app as entry
from chalicelib import console_files
from chalicelib.aws import uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(console_files, "FOLDER", tmp_path)
    monkeypatch.setattr(uploads, "origin", lambda bucket: f"https://{bucket}.s3.test")
    return tmp_path


@pytest.fixture
def http() -> Iterator[Any]:
    with Client(entry.app, stage_name="unit") as client:
        yield client.http


def test_the_page_comes_without_a_token_and_may_reach_only_the_api_and_the_landing_bucket(
    http: Any, folder: Path
) -> None:
    (folder / "index.html").write_text("<!doctype html><title>é</title>", encoding="utf-8")
    answer = http.get("/console")
    assert (answer.status_code, answer.body.decode()) == (200, "<!doctype html><title>é</title>")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self' https://landing.s3.test; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    )


@pytest.mark.parametrize("before", ["", "/api", "/_aws/execute-api/abc/api"])
def test_a_slash_at_the_end_leads_back_to_the_page(http: Any, folder: Path, before: str) -> None:
    """API Gateway takes both for one path, and tells the function which it was."""
    (folder / "index.html").write_text("page")
    answer = http.get("/console/")
    assert (answer.status_code, answer.body) == (302, b"")
    address = f"https://example.com{before}/console"
    assert urljoin(f"{address}/", answer.headers["Location"]) == address


def test_a_package_without_the_console_says_how_to_build_it(http: Any, folder: Path) -> None:
    answer = http.get("/console")
    assert answer.status_code == 404
    assert "make console" in answer.json_body["message"]


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("app-Bx3_k-9f.js", "text/javascript; charset=utf-8", console_files.FOR_EVER),
        ("style-0a1B2c3D.css", "text/css; charset=utf-8", console_files.FOR_EVER),
        ("licences.txt", "text/plain; charset=utf-8", console_files.ASK_AGAIN),
    ],
)
def test_a_file_whose_name_holds_its_hash_is_kept_for_ever(
    http: Any, folder: Path, name: str, kind: str, kept: str
) -> None:
    (folder / name).write_text("content")
    answer = http.get(f"/console/{name}")
    assert (answer.status_code, answer.body) == (200, b"content")
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (kind, kept)


@pytest.mark.parametrize(
    "name", ["index.html", "nothing.js", "secret.py", "..%2Fapi.py", "%2e%2e", "%2Fetc%2Fpasswd", "a%00.js"]
)
def test_nothing_but_a_built_file_is_served(http: Any, folder: Path, name: str) -> None:
    (folder / "index.html").write_text("page")
    (folder / "secret.py").write_text("secret")
    assert http.get(f"/console/{name}").status_code in {403, 404}


def test_the_landing_bucket_is_reached_in_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unit")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unit")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # an earlier test may have made it
    uploads._client.cache_clear()
    uploads.origin.cache_clear()
    assert uploads.origin("decant-dev-landing") == "https://decant-dev-landing.s3.eu-west-1.amazonaws.com"
    uploads._client.cache_clear()
    uploads.origin.cache_clear()
