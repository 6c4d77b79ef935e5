"""What a command says when a service does not answer as it should."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli.errors import of_a_service
from cli.main import main


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no region, and nobody to ask for them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "DECANT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # a test before may have left one with credentials
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--stage", "nope", "notices"], "aws sso login"),
        (["tokens", "list", "--stage", "nope"], "export AWS_REGION"),
        (["destroy", "--stage", "nope", "--yes"], "export AWS_REGION"),
    ],
)
def test_without_credentials_or_a_region_a_command_says_what_to_do(arguments: list[str], remedy: str) -> None:
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code == 1
    assert said.output.startswith("Error: ")
    assert remedy in said.output


def test_a_fault_of_ours_is_not_taken_for_a_services_answer() -> None:
    assert of_a_service(KeyError("x")) is None
    assert of_a_service(ConnectionError("x")) is None
