"""What `import app` costs every function."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Powertools reads the version in the package botocore itself, which is 1 ms; its session is what is heavy.
HEAVY = ("pandas", "numpy", "pyarrow", "awswrangler", "redshift_connector", "boto3", "botocore.session")


@pytest.mark.parametrize("package", HEAVY)
def test_the_app_does_not_import_what_only_some_steps_need(package: str) -> None:
    code = f"import app, sys; sys.exit({package!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
