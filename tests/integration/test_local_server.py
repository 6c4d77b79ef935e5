"""The process: its port, its claim on the state directory, its end."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import urllib.request

import psutil
import pytest

from local_aws import server
from local_aws.dispatcher import Dispatcher
from local_aws.ownership import DirectoryInUseError, Ownership
from local_aws.reality import Reality, markdown
from local_aws.runtime import Configuration
from tests.integration.conftest import PROJECT, running_aws
from tests.integration.waiting import until


@pytest.fixture
def connection(local_aws):
    made = http.client.HTTPConnection(local_aws.endpoint_url.removeprefix("http://"), timeout=10)
    yield made
    made.close()


def test_an_unmodified_client_reaches_the_embedded_aws(local_aws):
    assert local_aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_the_health_page_names_the_process(local_aws):
    with urllib.request.urlopen(f"{local_aws.endpoint_url}/_aws/health") as answer:
        assert json.load(answer) == {"status": "running", "pid": local_aws.pid}


def test_the_reality_page_tells_of_every_installed_service(local_aws):
    with urllib.request.urlopen(f"{local_aws.endpoint_url}/_aws/reality") as answer:
        told = {each["service"] for each in json.load(answer)}
    assert {"S3", "SNS", "SQS"} <= told


def test_one_connection_serves_many_requests(connection):
    for _ in range(3):
        connection.request("GET", "/_aws/health")
        answer = connection.getresponse()
        assert answer.version == 11
        assert json.load(answer)["status"] == "running"
        assert not answer.will_close


def test_a_body_that_nobody_read_does_not_become_the_next_request(connection):
    for _ in range(2):
        connection.request("POST", "/_aws/health", b"GET /nonsense HTTP/1.1\r\n\r\n")
        assert json.load(connection.getresponse())["status"] == "running"


def test_motos_own_controls_are_out_of_reach(connection):
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 404


def test_it_listens_on_loopback_only(local_aws):
    listening = [each for each in psutil.Process(local_aws.pid).net_connections() if each.status == "LISTEN"]
    assert listening
    assert {each.laddr.ip for each in listening} <= {"127.0.0.1", "::1"}


def test_a_directory_in_use_is_refused_by_the_pid_of_its_owner(local_aws):
    command = [sys.executable, "-m", "local_aws", "--directory", str(local_aws.directory)]
    refused = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert f"in use by the process {local_aws.pid}" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("option", "words"),
    [("--port", "port {}"), ("--warehouse-port", "port {} of 127.0.0.1 for the warehouse")],
)
def test_a_port_in_use_is_refused(local_aws, tmp_path, option, words):
    port = local_aws.endpoint_url.rpartition(":")[2]
    command = [sys.executable, "-m", "local_aws", "--directory", str(tmp_path), option, port]
    refused = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert words.format(port) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_directory_is_free_once_its_owner_has_ended(tmp_path):
    script = (
        "import pathlib, sys; from local_aws.ownership import Ownership; "
        "Ownership(pathlib.Path(sys.argv[1])); print('owned', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout.readline() == "owned\n"
        with pytest.raises(DirectoryInUseError, match=str(owner.pid)):
            Ownership(tmp_path)
        owner.kill()
        owner.wait(10)
    Ownership(tmp_path).release()


def test_it_ends_with_the_process_that_started_it_and_leaves_no_child(tmp_path):
    with running_aws(tmp_path) as aws:
        family = [psutil.Process(aws.pid), *psutil.Process(aws.pid).children(recursive=True)]
        aws.process.stdin.close()
        assert aws.process.wait(20) == 0
        until(lambda: not any(each.is_running() and each.status() != "zombie" for each in family), 10)


def test_a_host_is_looked_up_once():
    dispatcher = Dispatcher()
    assert dispatcher.get_backend_for_host("sns.us-east-1.amazonaws.com") == "sns"
    dispatcher.backend_url_patterns = []
    assert dispatcher.get_backend_for_host("sns.us-east-1.amazonaws.com") == "sns"


def test_every_service_module_tells_what_it_really_executes():
    silent = [module.__name__ for module in server.service_modules() if not hasattr(module, "REALITY")]
    assert silent == []


def test_the_page_about_the_embedded_aws_is_up_to_date():
    page = (PROJECT / "docs" / "local-aws.md").read_text()
    assert page == markdown(server.realities()), "run: python -m local_aws.reality --write"


def test_the_page_escapes_what_markdown_would_eat():
    [row] = [
        line
        for line in markdown([Reality(service="X", executes="a | b", differs=("c",))]).splitlines()
        if line.startswith("| X")
    ]
    assert row == r"| X | a \| b | c |"


def test_one_process_holds_one_embedded_aws(tmp_path):
    configuration = Configuration(directory=tmp_path, project=PROJECT)
    assert server._alive.acquire(blocking=False)
    try:
        with pytest.raises(RuntimeError, match="global"):
            server.LocalAWS(configuration).start()
    finally:
        server._alive.release()
