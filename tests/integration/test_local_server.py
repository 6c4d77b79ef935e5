"""The process: its port, its lock, its end."""

from __future__ import annotations

import json
import urllib.request


def test_an_unmodified_client_reaches_the_embedded_aws(local_aws):
    assert local_aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_the_health_page_names_the_process(local_aws):
    with urllib.request.urlopen(f"{local_aws.endpoint_url}/_aws/health") as answer:
        assert json.load(answer) == {"status": "running", "pid": local_aws.pid}
