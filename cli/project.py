"""Where the project is, and where its local state lives."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from cli.errors import Failure

STATE = ".decant"


def root() -> Path:
    """Return the folder that holds app.py: this one or the nearest above it.

    Raises:
        Failure: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "app.py").is_file() and (folder / "chalicelib").is_dir():
            return folder
    raise Failure(f"{here} is in no Decant project: change to the folder that holds app.py")


def state_directory() -> Path:
    """Return the folder of the local stage's state; DECANT_HOME moves it."""
    chosen = os.environ.get("DECANT_HOME")
    return Path(chosen).absolute() if chosen else root() / STATE


def chosen_stage() -> str:
    """Return the stage that the command is to talk to: of --stage, DECANT_STAGE, or else `local`."""
    context = click.get_current_context(silent=True)
    chosen = context.find_root().params.get("stage") if context else None
    return str(chosen or os.environ.get("DECANT_STAGE") or "local")


def running_stage() -> dict[str, Any] | None:
    """Return what the running `decant up` wrote down about itself, or None."""
    path = state_directory() / "stage.json"
    try:
        stage: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return stage if _alive(stage["pid"]) else None


def spark_python() -> Path | None:
    """Return the interpreter of the environment that holds PySpark, or None without one."""
    path = root() / ".venv-spark" / "bin" / "python"
    return path if path.exists() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
