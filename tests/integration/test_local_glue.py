from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import RunningAWS, running_aws
from tests.integration.glue_jobs import ENDED, GlueJobs, until

WAIT = "import time\nopen({ready!r}, 'w').write(str(__import__('os').getpid()))\ntime.sleep(300)\n"


@pytest.fixture
def jobs(local_aws: RunningAWS) -> GlueJobs:
    return GlueJobs(local_aws)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_python_shell_job_gets_its_arguments_and_succeeds(jobs):
    script = """
import sys
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["JOB_NAME", "table", "mode", "sign"])
print(*(options[name] for name in ("JOB_NAME", "table", "mode", "sign")), sep="|")
"""
    job = jobs.job(script, DefaultArguments={"--table": "orders", "--mode": "append"})
    run = jobs.ended(job, jobs.start(job, Arguments={"--mode": "over write", "--sign": "--x=1"}))
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["StartedOn"] <= run["CompletedOn"]
    assert run["Arguments"]["--mode"] == "over write"
    assert "ErrorMessage" not in run
    assert jobs.printed(run) == f"{job}|orders|over write|--x=1"


def test_a_job_reaches_the_embedded_aws_with_a_plain_boto3_client(jobs):
    script = (
        f"import boto3\nboto3.client('s3').put_object(Bucket={jobs.bucket!r}, Key='made', Body=b'by the job')"
    )
    job = jobs.job(script)
    assert jobs.ended(job, jobs.start(job))["JobRunState"] == "SUCCEEDED"
    assert jobs.s3.get_object(Bucket=jobs.bucket, Key="made")["Body"].read() == b"by the job"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("def f():\n    raise ValueError('row 7 is bad')\nf()", "ValueError: row 7 is bad"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("import os\nos._exit(9)", "Command failed with exit code 9"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "Killed by signal 9"),
        ("this is no python", "SyntaxError"),
        (
            "import sys\nfrom awsglue.utils import *\ngetResolvedOptions(sys.argv, ['nope'])",
            "--nope",
        ),
    ],
)
def test_a_script_that_fails_fails_its_run_and_says_why(jobs, script, message):
    job = jobs.job(script)
    run = jobs.ended(job, jobs.start(job))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_what_a_killed_job_leaves_in_its_temporary_directory_is_removed(jobs):
    script = """
import os, signal, tempfile
print(tempfile.mkdtemp(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    job = jobs.job(script)
    left = Path(jobs.printed(jobs.ended(job, jobs.start(job))))
    assert left.is_relative_to(jobs.aws.directory)
    assert not left.exists()


def test_a_traceback_begins_in_the_script_and_is_in_the_error_log(jobs):
    job = jobs.job("print('before')\nraise KeyError('k')")
    run = jobs.ended(job, jobs.start(job))
    assert jobs.printed(run) == "before"
    trace = jobs.printed(run, "error").splitlines()
    assert trace[0].startswith("Traceback")
    assert f"{job}.py" in trace[1]
    assert trace[-1] == "KeyError: 'k'"


def test_a_missing_script_fails_the_run(jobs):
    job = jobs.job("print(1)")
    jobs.s3.delete_object(Bucket=jobs.bucket, Key=f"{job}.py")
    run = jobs.ended(job, jobs.start(job))
    assert run["JobRunState"] == "FAILED"
    assert f"bucket: {jobs.bucket}, key: {job}.py" in run["ErrorMessage"]
    assert "NoSuchKey" in run["ErrorMessage"]


def test_extra_python_files_can_be_imported_and_missing_modules_are_named(jobs):
    library = jobs.put("library.py", "ANSWER = 42")
    job = jobs.job("import library\nprint(library.ANSWER)")
    assert jobs.printed(jobs.ended(job, jobs.start(job, Arguments={"--extra-py-files": library}))) == "42"
    run = jobs.ended(job, jobs.start(job, Arguments={"--additional-python-modules": "no-such-module==1.0"}))
    assert run["JobRunState"] == "FAILED"
    assert "no-such-module==1.0" in run["ErrorMessage"]


def test_one_run_at_a_time_unless_the_job_allows_more(jobs, tmp_path):
    script = WAIT.format(ready=str(tmp_path / "pid"))
    job = jobs.job(script)
    first = jobs.start(job)
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        jobs.start(job)
    jobs.glue.batch_stop_job_run(JobName=job, JobRunIds=[first])
    jobs.in_state(job, first, "STOPPED")
    two = jobs.job(script, ExecutionProperty={"MaxConcurrentRuns": 2})
    started = [jobs.start(two), jobs.start(two)]
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        jobs.start(two)
    jobs.glue.batch_stop_job_run(JobName=two, JobRunIds=started)
    for run_id in started:
        jobs.in_state(two, run_id, "STOPPED")


def test_stopping_a_run_ends_its_process_and_what_it_started(jobs, tmp_path):
    pids = tmp_path / "pids"
    script = f"""
import os, subprocess, time
child = subprocess.Popen(["sleep", "300"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}} .")
time.sleep(300)
"""
    job = jobs.job(script)
    run_id = jobs.start(job)
    until(lambda: pids.exists() and pids.read_text().endswith("."))
    answer = jobs.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id, "jr_unknown"])
    assert [each["JobRunId"] for each in answer["SuccessfulSubmissions"]] == [run_id]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert jobs.ended(job, run_id)["JobRunState"] == "STOPPED"
    for pid in map(int, pids.read_text().split()[:2]):
        until(lambda pid=pid: not alive(pid), 10)
    again = jobs.glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    assert again["Errors"][0]["ErrorDetail"]["ErrorCode"] == "InvalidInputException"


def test_a_failed_run_is_retried_as_a_new_attempt(jobs):
    job = jobs.job("raise OSError('again')", MaxRetries=1)
    first = jobs.start(job)
    runs = until(lambda: _ended_runs(jobs, job, 2))
    assert [(run["Attempt"], run["JobRunState"]) for run in runs] == [(1, "FAILED"), (0, "FAILED")]
    assert runs[0]["Id"] == f"{first}_attempt_1"
    assert runs[0]["PreviousRunId"] == first


def _ended_runs(jobs: GlueJobs, job: str, count: int) -> list:
    runs = jobs.glue.get_job_runs(JobName=job)["JobRuns"]
    return runs if len(runs) == count and all(run["JobRunState"] in ENDED for run in runs) else []


def test_runs_are_listed_newest_first_in_pages(jobs):
    job = jobs.job("pass", ExecutionProperty={"MaxConcurrentRuns": 3})
    started = [jobs.start(job) for _ in range(3)]
    first = jobs.glue.get_job_runs(JobName=job, MaxResults=2)
    rest = jobs.glue.get_job_runs(JobName=job, NextToken=first["NextToken"])
    assert [run["Id"] for run in first["JobRuns"] + rest["JobRuns"]] == started[::-1]
    for run_id in started:
        jobs.ended(job, run_id)


def test_unknown_jobs_and_runs_are_not_found(jobs):
    job = jobs.job("pass")
    for call in (
        lambda: jobs.start("no-such-job"),
        lambda: jobs.run("no-such-job", "jr_1"),
        lambda: jobs.run(job, "jr_1"),
        lambda: jobs.glue.get_job_runs(JobName="no-such-job"),
    ):
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            call()
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        jobs.glue.create_job(Name=job, Role="glue", Command={"Name": "pythonshell"})


def test_an_updated_job_runs_its_new_script(jobs):
    job = jobs.job("print('old')")
    location = jobs.put("new.py", "print('new')")
    update = {"Role": "glue", "Command": {"Name": "pythonshell", "ScriptLocation": location}}
    jobs.glue.update_job(JobName=job, JobUpdate=update)
    assert jobs.printed(jobs.ended(job, jobs.start(job))) == "new"


def test_a_job_of_another_kind_fails_and_says_which_kinds_run(jobs):
    job = jobs.job("pass", kind="glueray")
    run = jobs.ended(job, jobs.start(job))
    assert run["JobRunState"] == "FAILED"
    assert "glueetl and pythonshell" in run["ErrorMessage"]


def test_a_run_past_its_timeout_is_ended(tmp_path):
    with running_aws(tmp_path / "aws", time_scale=120) as aws:
        jobs = GlueJobs(aws)
        job = jobs.job(WAIT.format(ready=str(tmp_path / "pid")), Timeout=1, MaxRetries=1)
        run = jobs.ended(job, jobs.start(job))
        assert run["JobRunState"] == "TIMEOUT"
        assert len(jobs.glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_a_run_alive_at_a_kill_is_failed_after_the_restart_and_leaves_no_process(tmp_path):
    pid_file = tmp_path / "pid"
    with running_aws(tmp_path / "aws") as aws:
        jobs = GlueJobs(aws)
        quick = jobs.job("print('done')")
        done = jobs.start(quick)
        assert jobs.ended(quick, done)["JobRunState"] == "SUCCEEDED"
        job = jobs.job(WAIT.format(ready=str(pid_file)))
        run_id = jobs.start(job)
        pid = int(until(lambda: pid_file.exists() and pid_file.read_text()))
        aws.kill()
        until(lambda: not alive(pid), 10)
    with running_aws(tmp_path / "aws") as aws:
        glue = aws.client("glue")
        run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        assert run["JobRunState"] == "FAILED"
        assert "embedded AWS ended" in run["ErrorMessage"]
        assert glue.get_job_run(JobName=quick, RunId=done)["JobRun"]["JobRunState"] == "SUCCEEDED"
        record = json.loads((tmp_path / "aws" / "glue" / "runs" / done / "run.json").read_text())
        assert record["run"]["JobName"] == quick
