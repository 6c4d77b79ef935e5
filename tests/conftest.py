"""Every test starts with an environment that leads nowhere."""

from __future__ import annotations

import os

import pytest

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


LONGEST_FIRST = ("stage", "console", "spark")
"""Groups in the order in which workers take them; a long one that began last would run on alone."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each module's tests in one worker, so that what its fixtures start is started once."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_place)  # a stable sort: the order within a group stays


def _place(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    return LONGEST_FIRST.index(marker.args[0]) if marker.args[0] in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test the same settings, whatever the one before it changed."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
