"""Stages on AWS that this machine has deployed, and how to reach them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from cli.errors import Failure
from cli.project import state_directory

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RemoteStage:
    """A stage on AWS.

    Attributes:
        stage: its name.
        app: the first part of its names.
        account: twelve digits.
        region: where it is.
        api_url: where its REST API answers.
        api_token: a bearer token, or None when this machine knows none.
    """

    stage: str
    app: str
    account: str
    region: str
    api_url: str
    api_token: str | None = None


def keep(stage: RemoteStage) -> None:
    """Write a stage down for the other commands; a token that is known stays known."""
    known = find(stage.stage)
    if known and stage.api_token is None and known.api_url == stage.api_url:
        stage = replace(stage, api_token=known.api_token)
    path = _path(stage.stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may hold a token
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(stage), file, indent=2)


def find(name: str) -> RemoteStage | None:
    """Return the stage of this name, or None when this machine has not deployed it."""
    try:
        return RemoteStage(**json.loads(_path(name).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise Failure(f"{_path(name)} cannot be read: delete it and deploy again ({error})") from error


def forget(name: str) -> None:
    """Forget a stage that is no more."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return state_directory() / "stages" / f"{name}.json"
