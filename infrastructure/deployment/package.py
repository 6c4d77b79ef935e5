"""The zip that Chalice uploads, made before anything is changed so that it can be measured."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from chalice.deploy.packager import DependencyBuilder, LambdaDeploymentPackager
from chalice.utils import UI, OSUtils

from infrastructure.deployment.chalice_command import MISSING_DEPENDENCIES
from infrastructure.deployment.failures import DeploymentFailedError

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The interpreter that runs Chalice decides the functions' runtime."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A deployment package.

    Attributes:
        path: the zip.
        zipped: its bytes.
        unzipped: its files' bytes.
        sha256: its digest as Lambda tells it (base64).
    """

    path: Path
    zipped: int
    unzipped: int
    sha256: str


def build(project: Path) -> Package:
    """Make the package of a project, or find the one that Chalice keeps for the same sources.

    Raises:
        DeploymentFailedError: a package of requirements.txt has no wheel for Lambda.
    """
    for cache in (project / "chalicelib").rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)  # Chalice would ship it, different on every machine
    said, files = io.StringIO(), OSUtils()
    packager = LambdaDeploymentPackager(files, DependencyBuilder(files), UI(said, said))
    path = Path(packager.create_deployment_package(str(project), f"python{PYTHON}"))
    if MISSING_DEPENDENCIES in said.getvalue():
        path.unlink()  # Chalice would take the broken zip again
        missing = said.getvalue().partition(f"{MISSING_DEPENDENCIES}:")[2].partition("You will have")[0]
        raise DeploymentFailedError(
            f"requirements.txt: no wheel for Lambda's Python {PYTHON}: {', '.join(missing.split())}",
            "pin a version that has a manylinux wheel, or deploy with Python 3.12 or 3.13",
        )
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(each.file_size for each in archive.infolist())
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return Package(path=path, zipped=len(content), unzipped=unzipped, sha256=digest)
