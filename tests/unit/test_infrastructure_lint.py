"""The checks of the template and the configuration; `make check` runs them on the project itself."""

from __future__ import annotations

import json
import shutil

import pytest

from infrastructure.lint import lint as lint_tree
from infrastructure.render import ROOT


@pytest.fixture
def tree(tmp_path):
    """A copy of what the lint reads, to break."""
    for name in (
        "infrastructure/template.yaml",
        "infrastructure/accepted_findings.toml",
        "infrastructure/workflows/load_file.yaml",
        "workflows/load_file.asl.json",
        ".chalice/config.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "infrastructure" / "parts", tmp_path / "infrastructure" / "parts")
    return tmp_path


def test_a_property_that_cloudformation_does_not_know_is_found(tree):
    path = tree / "infrastructure" / "parts" / "messages.yaml"
    path.write_text(path.read_text().replace("TopicName:", "TopikName:"))
    assert {found.rule for found in lint_tree(tree)} == {"E3002"}


def test_a_placeholder_that_stands_for_nothing_is_found(tree):
    path = tree / "workflows" / "load_file.asl.json"
    path.write_text(path.read_text().replace("${NotifyArn}", "${NotifiArn}"))
    (found,) = [found for found in lint_tree(tree) if found.rule == "unknown-placeholder"]
    assert "${NotifiArn}" in found.remedy
    assert "NotifyArn" in found.remedy


def test_a_key_that_chalice_would_ignore_is_found(tree):
    path = tree / ".chalice" / "config.json"
    document = json.loads(path.read_text())
    document["stages"]["local"]["lambda_functions"]["notify"]["lambda_memory"] = 128
    path.write_text(json.dumps(document))
    (found,) = lint_tree(tree)
    assert found.rule == "chalice-configuration"
    assert "lambda_memory" in found.remedy
    assert "notify" in found.remedy


def test_an_accepted_finding_that_is_not_there_is_itself_a_finding(tree):
    path = tree / "infrastructure" / "accepted_findings.toml"
    entry = '[[accepted]]\ntool = "cfn-lint"\nrule = "W1234"\nwhere = "*"\nreason = "none"\n'
    path.write_text(path.read_text() + entry)
    (found,) = lint_tree(tree)
    assert (found.rule, found.path) == ("accepted-for-nothing", path)
    assert "W1234" in found.remedy
