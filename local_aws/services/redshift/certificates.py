"""The warehouse's TLS certificate, signed by an authority of this state directory."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


def bundle(directory: Path) -> Path:
    """Return the file for SSL_CERT_FILE: the public authorities and the local one.

    The public ones are in it because the variable replaces them for the whole client process.
    """
    return directory / "ca.pem"


def ensure_certificates(directory: Path) -> None:
    """Make the local authority and the server's certificate, once per state directory."""
    server = _server_file(directory)
    if server.exists() and bundle(directory).exists():
        return
    server.parent.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Local warehouse")
    certificate = authority.issue_cert(*NAMES)
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    _write(bundle(directory), Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes(), 0o644)
    _write(server, certificate.private_key_pem.bytes() + chain, 0o600)


def server_context(directory: Path) -> ssl.SSLContext:
    """Return the server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_server_file(directory))
    return context


def _server_file(directory: Path) -> Path:
    return directory / "warehouse" / "server.pem"


def _write(path: Path, content: bytes, mode: int) -> None:
    unfinished = path.with_name(path.name + ".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.replace(path)
