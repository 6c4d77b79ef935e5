"""The real `chalice` command, and the record that it keeps of what it deployed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infrastructure.deployment.failures import DeploymentFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING_DEPENDENCIES = "Could not install dependencies"
"""What Chalice prints, with exit code 0, when a package has no wheel for Lambda: the zip is broken."""


def chalice(command: str, stage: str, *, project: Path, environment: Mapping[str, str], log: Path) -> None:
    """Run `chalice deploy` or `chalice delete`, keeping what it prints in a file.

    Args:
        command: deploy or delete.
        stage: the stage's name.
        project: the folder that holds app.py and .chalice/.
        environment: variables on top of this process's own.
        log: where its output goes.

    Raises:
        DeploymentFailedError: it failed; the message has its last line and names the log.
    """
    script = Path(sys.executable).with_name("chalice")
    done = subprocess.run(  # nosec B603  # noqa: S603 - the installed Chalice, our own arguments
        [str(script), "--project-dir", str(project), command, "--stage", stage],
        # Without bytecode beside the sources every machine packages the same zip.
        env={**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(said, encoding="utf-8")
    if done.returncode != 0 or MISSING_DEPENDENCIES in said:
        raise DeploymentFailedError(f"chalice {command} failed: {_reason(said)}\nits whole output: {log}")


def _reason(said: str) -> str:
    """Return the last paragraph on one line: Chalice breaks its errors into short ones."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in said.split("\n\n") if paragraph.strip()]
    return paragraphs[-1] if paragraphs else "it said nothing"
