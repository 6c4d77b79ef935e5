"""Which errors a project's steps raise: pyproject.toml says where their classes are."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class InvalidLintConfiguration(ValueError):
    """The table [tool.decant.workflows] of a pyproject.toml cannot be followed."""


def step_errors(workflow: Path) -> frozenset[str] | None:
    """Return the errors that the steps of a workflow's project raise, or None when no project says.

    The nearest pyproject.toml at or above the workflow that has the table decides:

        [tool.decant.workflows]
        step-errors = ["chalicelib/errors.py", "Rejected"]

    A Python file stands for every class in it, any other word for itself.

    Raises:
        InvalidLintConfiguration: the table or a file that it names cannot be read.
    """
    for folder in workflow.absolute().parents:
        path = folder / "pyproject.toml"
        table = _table(path) if path.is_file() else None
        if table is not None:
            return frozenset().union(*(_names(path, each) for each in _listed(path, table)))
    return None


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidLintConfiguration(f"{path}: cannot be read: {error}") from error
    found = document.get("tool", {}).get("decant", {}).get("workflows")
    if found is not None and not isinstance(found, dict):
        raise InvalidLintConfiguration(f"{path}: tool.decant.workflows: write a table")
    return found


def _listed(path: Path, table: dict[str, Any]) -> list[str]:
    unknown = sorted(set(table) - {"step-errors"})
    listed = table.get("step-errors", [])
    if unknown or not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        about = f"unknown {', '.join(unknown)}; " if unknown else ""
        raise InvalidLintConfiguration(
            f"{path}: tool.decant.workflows: {about}write step-errors = [Python files and error names]"
        )
    return listed


def _names(path: Path, entry: str) -> frozenset[str]:
    if not entry.endswith(".py"):
        return frozenset({entry})
    source = path.parent / entry
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidLintConfiguration(f"{path}: step-errors: {source} cannot be read: {error}") from error
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
