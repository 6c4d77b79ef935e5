"""Every test starts with an environment that leads nowhere."""

from __future__ import annotations

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

SETTINGS = {
    "DECANT_APP": "decant",
    "DECANT_STAGE": "test",
    "DECANT_LANDING_BUCKET": "landing",
    "DECANT_CURATED_BUCKET": "curated",
    "DECANT_QUARANTINE_BUCKET": "quarantine",
    "DECANT_ARTIFACTS_BUCKET": "artifacts",
    "DECANT_CATALOG_DATABASE": "decant_test",
    "DECANT_NOTICES_TOPIC": "arn:aws:sns:us-east-1:123456789012:decant-test-notices",
    "DECANT_WAREHOUSE_SECRET": "decant-test-warehouse",
    "DECANT_WAREHOUSE_ROLE": "arn:aws:iam::123456789012:role/decant-test-warehouse-copy",
    "DECANT_API_TOKENS_SECRET": "decant-test-api-tokens",
    "DECANT_STATE_MACHINES": "arn:aws:states:us-east-1:123456789012:stateMachine:decant-test-",
    "DECANT_GLUE_JOBS": "decant-test-",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
}

for name in [name for name in os.environ if name.startswith(("AWS_", "DECANT_"))]:
    del os.environ[name]  # whatever this machine is signed in to, no test may reach it
os.environ.update(SETTINGS)  # before `import app`, whose decorators name the landing bucket


TOGETHER = ("tests/acceptance/", "tests/console/", "tests/workflows/")
"""Folders whose tests share what is started once, such as a stage; elsewhere only a module's own tests do."""

APART = ("tests/acceptance/test_deploy.py", "tests/acceptance/test_kill.py")
"""Modules of those folders that start their own."""

LONGEST_FIRST = ("tests/acceptance/", "tests/console/", "tests/integration/", "tests/workflows/", "tests/")
"""In this order workers take the tests; what takes long and began last would run on alone."""


def group_of(nodeid: str) -> str:
    """Return the folder or the module whose tests one worker runs."""
    path = nodeid.partition("::")[0]
    folder = next((folder for folder in TOGETHER if path.startswith(folder)), None)
    return folder if folder and path not in APART else path


class OneWorkerForEachGroup(LoadScopeScheduling):
    """Gives all tests of a group to one worker, so that what their fixtures start is started once.

    The mark `xdist_group` does nothing since pytest 9.2 (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorkerForEachGroup:
    """Distribute by `group_of`."""
    return OneWorkerForEachGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; the order within a group stays."""
    items.sort(
        key=lambda item: next(i for i, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start))
    )


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test the same settings, whatever the one before it changed."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
