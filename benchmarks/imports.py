"""What `import app` costs every function, beside the bare libraries and what tutorials import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.case import Case, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = "benchmarks.imports_engines"


def cases(_sizes: Sizes) -> Iterator[Case]:
    """Yield the one case; file sizes do not matter to it."""
    names = {
        "decant app.py": "app",
        "decant app.py + Step Functions client": "app_with_client",
        "chalice + boto3": "chalice_and_boto3",
        "everything at the top": "everything",
    }
    bare = "chalice + boto3"
    yield Case(
        suite="imports",
        name="import of the app",
        engines={name: f"{ENGINES}:{function}" for name, function in names.items()},
        compared_to=dict.fromkeys(set(names) - {bare}, bare),
        rounds=9,
    )
