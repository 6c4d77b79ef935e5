"""Glue's control plane: moto's, with job runs and crawls that really happen."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.glue import urls
from moto.glue.exceptions import (
    AlreadyExistsException,
    ConcurrentRunsExceededException,
    CrawlerNotRunningException,
    CrawlerRunningException,
    InvalidInputException,
    JobNotFoundException,
    JobRunNotFoundException,
)
from moto.glue.models import FakeJob, GlueBackend
from moto.utilities.paginator import paginate

from local_aws.services.glue.crawler_state import LocalCrawl, LocalCrawler
from local_aws.services.glue.job_run import LocalJobRun

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from local_aws.services.glue.crawl_runner import CrawlRunner
    from local_aws.services.glue.job_runner import JobRunner

MINUTES = 480  # the timeout of a Spark job that declares none, since Glue 5.0; 2,880 for Python Shell
PYTHON_SHELL_MINUTES = 2880
CHANGEABLE = {
    "Description": "description",
    "LogUri": "log_uri",
    "Role": "role",
    "ExecutionProperty": "execution_property",
    "Command": "command",
    "DefaultArguments": "default_arguments",
    "NonOverridableArguments": "non_overridable_arguments",
    "Connections": "connections",
    "MaxRetries": "max_retries",
    "AllocatedCapacity": "allocated_capacity",
    "Timeout": "timeout",
    "MaxCapacity": "max_capacity",
    "WorkerType": "worker_type",
    "NumberOfWorkers": "number_of_workers",
    "SecurityConfiguration": "security_configuration",
    "NotificationProperty": "notification_property",
    "GlueVersion": "glue_version",
    "CodeGenConfigurationNodes": "code_gen_configuration_nodes",
    "ExecutionClass": "execution_class",
    "SourceControlDetails": "source_control_details",
}
CRAWLER_PROPERTIES = {
    "Role": "role",
    "DatabaseName": "database_name",
    "Description": "description",
    "Targets": "targets",
    "Schedule": "schedule",
    "Classifiers": "classifiers",
    "TablePrefix": "table_prefix",
    "SchemaChangePolicy": "schema_change_policy",
    "RecrawlPolicy": "recrawl_policy",
    "LineageConfiguration": "lineage_configuration",
    "Configuration": "configuration",
    "CrawlerSecurityConfiguration": "crawler_security_configuration",
}
LOST = (
    "The embedded AWS ended while this run was alive, so its process was killed. "
    "What it wrote may be incomplete; start a new run."
)

_lock = threading.RLock()  # of every job's list of runs; backends are pickled and cannot hold it


class LocalGlueBackend(GlueBackend):
    """moto's Glue, whose jobs run."""

    runner: ClassVar[JobRunner]
    crawl_runner: ClassVar[CrawlRunner]
    runs: ClassVar[Path]

    @property
    def _url_module(self) -> ModuleType:
        return urls

    def create_job(self, name: str, *arguments: Any, **options: Any) -> None:
        """Create a job.

        Raises:
            AlreadyExistsException: the name is taken.
        """
        if name in self.jobs:
            raise AlreadyExistsException(f"Job {name}")
        super().create_job(name, *arguments, **options)
        if self.jobs[name].command.get("Name") == "glueetl":
            self.runner.warm.prepare()

    def update_job(self, name: str, changes: dict[str, Any]) -> None:
        """Change what `changes` names, and reset the rest, as UpdateJob does.

        Raises:
            JobNotFoundException: there is no such job.
            InvalidInputException: `changes` holds a property that a job does not have here.
        """
        job: FakeJob = self.get_job(name)
        if unknown := sorted(set(changes) - set(CHANGEABLE)):
            raise InvalidInputException("UpdateJob", f"cannot change {', '.join(unknown)} here")
        if "Role" not in changes or "Command" not in changes:
            raise InvalidInputException("UpdateJob", "Role and Command are required in a JobUpdate")
        for key, attribute in CHANGEABLE.items():
            empty: Any = {} if key in {"ExecutionProperty", "DefaultArguments"} else None
            setattr(job, attribute, changes.get(key, empty))
        job.execution_class = job.execution_class or "STANDARD"
        job.last_modified_on = datetime.now(UTC).replace(tzinfo=None)

    def start_job_run(
        self,
        name: str,
        arguments: dict[str, str] | None,
        allocated_capacity: int | None,
        max_capacity: float | None,
        timeout: int | None,
        worker_type: str | None,
        security_configuration: str | None,
        number_of_workers: int | None,
        notification_property: dict[str, int] | None,
        previous_run_id: str | None,
    ) -> str:
        """Start a run and return its id.

        Raises:
            JobNotFoundException: there is no such job.
            JobRunNotFoundException: `previous_run_id` is no run of the job.
            ConcurrentRunsExceededException: as many runs are alive as the job allows.
        """
        with _lock:
            job: FakeJob = self.get_job(name)
            if previous_run_id:
                arguments = self.get_job_run(name, previous_run_id).document.get("Arguments")
            alive = sum(run.alive for run in job.job_runs)
            most = (job.execution_property or {}).get("MaxConcurrentRuns") or 1
            if alive >= most:
                raise ConcurrentRunsExceededException(
                    f"Concurrent runs exceeded for {name}: {alive} alive, {most} allowed"
                )
            document = {
                "Id": f"jr_{uuid4().hex}{uuid4().hex}",
                "Attempt": 0,
                "JobName": name,
                "Arguments": (job.default_arguments or {})
                | (arguments or {})
                | (job.non_overridable_arguments or {}),
                "PreviousRunId": previous_run_id,
                "Timeout": timeout or job.timeout or self._default_timeout(job),
                "AllocatedCapacity": allocated_capacity or job.allocated_capacity,
                "MaxCapacity": max_capacity or job.max_capacity,
                "WorkerType": worker_type or job.worker_type,
                "NumberOfWorkers": number_of_workers or job.number_of_workers,
                "SecurityConfiguration": security_configuration or job.security_configuration,
                "NotificationProperty": notification_property or job.notification_property,
                "GlueVersion": job.glue_version,
                "ExecutionClass": job.execution_class,
            }
            return self._begin(job, document).job_run_id

    @staticmethod
    def _default_timeout(job: FakeJob) -> int:
        return PYTHON_SHELL_MINUTES if job.command.get("Name") == "pythonshell" else MINUTES

    def _begin(self, job: FakeJob, document: dict[str, Any]) -> LocalJobRun:
        spark = job.command.get("Name") != "pythonshell"
        document = {name: value for name, value in document.items() if value is not None} | {
            "JobRunState": "STARTING",
            "StartedOn": datetime.now(UTC).timestamp(),
            "PredecessorRuns": [],
            "ExecutionTime": 0,
            "LogGroupName": "/aws-glue/jobs" if spark else "/aws-glue/python-jobs",
        }
        run = LocalJobRun(document, self.runs / document["Id"], self.account_id, self.region_name)
        run.change("STARTING")
        job.job_runs.append(run)
        self.runner.start(run, {**job.command, "Role": job.role}, self.retry)
        return run

    def retry(self, failed: LocalJobRun) -> None:
        """Start the next attempt of a failed run, if its job still exists and allows one more."""
        with _lock:
            job = self.jobs.get(failed.job_name)
            attempt = failed.document["Attempt"] + 1
            if job is None or attempt > (job.max_retries or 0):
                return
            first = failed.job_run_id.split("_attempt_")[0]
            kept = {
                name: value
                for name, value in failed.document.items()
                if name not in {"ErrorMessage", "CompletedOn", "LastModifiedOn"}
            }
            self._begin(
                job,
                kept
                | {
                    "Id": f"{first}_attempt_{attempt}",
                    "Attempt": attempt,
                    "PreviousRunId": failed.job_run_id,
                },
            )

    def get_job_run(self, name: str, run_id: str) -> LocalJobRun:
        """Return a run.

        Raises:
            JobNotFoundException, JobRunNotFoundException: there is no such job, or no such run of it.
        """
        for run in self.get_job(name).job_runs:
            if run.job_run_id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    @paginate(pagination_model=GlueBackend.PAGINATION_MODEL)
    def get_job_runs(self, job_name: str) -> list[LocalJobRun]:
        """Return a job's runs, newest first."""
        return list(reversed(self.get_job(job_name).job_runs))

    def batch_stop_job_run(self, name: str, run_ids: list[str]) -> dict[str, Any]:
        """End runs as STOPPED; what could not be stopped is listed with its reason."""
        stopped, errors = [], []
        for run_id in run_ids:
            try:
                self.get_job_run(name, run_id)
            except (JobNotFoundException, JobRunNotFoundException) as error:
                errors.append((run_id, "EntityNotFoundException", error.message))
                continue
            if self.runner.stop(run_id):
                stopped.append({"JobName": name, "JobRunId": run_id})
            else:
                errors.append((run_id, "InvalidInputException", f"Job run {run_id} is not running"))
        return {
            "SuccessfulSubmissions": stopped,
            "Errors": [
                {
                    "JobName": name,
                    "JobRunId": run_id,
                    "ErrorDetail": {"ErrorCode": code, "ErrorMessage": text},
                }
                for run_id, code, text in errors
            ],
        }

    def recover(self, runs: list[LocalJobRun]) -> None:
        """Take back the runs found on disk; those that were alive have failed with their process."""
        for run in runs:
            if (job := self.jobs.get(run.job_name)) is None:
                continue
            job.job_runs = [known for known in job.job_runs if known.job_run_id != run.job_run_id]
            job.job_runs.append(run)
        for job in self.jobs.values():
            job.job_runs.sort(key=lambda run: run.document["StartedOn"])
            for run in [run for run in job.job_runs if run.alive]:
                run.change("FAILED", LOST)
                self.retry(run)
        for crawler in self.crawlers.values():
            crawler.recover()

    def start_crawler(self, name: str) -> None:
        """Start a crawl.

        Raises:
            CrawlerNotFoundException, CrawlerRunningException: there is no such crawler, or it crawls already.
        """
        with _lock:
            crawler = self._idle_crawler(name)
            crawl = LocalCrawl(name)
            crawler.crawls.append(crawl)
        self.crawl_runner.start(crawler, crawl, self.account_id, self.region_name)

    def stop_crawler(self, name: str) -> None:
        """Ask a crawl to stop.

        Raises:
            CrawlerNotFoundException, CrawlerNotRunningException: there is no such crawler, or it is idle.
        """
        with _lock:
            crawler = self.get_crawler(name)
            if crawler.status != "RUNNING":
                raise CrawlerNotRunningException(f"Crawler with name {name} isn't running")
            crawler.crawls[-1].status = "STOPPING"
            self.crawl_runner.stop(crawler.crawls[-1])

    def update_crawler(self, changes: dict[str, Any]) -> None:
        """Change what `changes` names.

        Raises:
            CrawlerNotFoundException, CrawlerRunningException: there is no such crawler, or it is crawling.
            InvalidInputException: `changes` holds a property that a crawler does not have here.
        """
        with _lock:
            crawler = self._idle_crawler(changes["Name"])
            if unknown := sorted(set(changes) - set(CRAWLER_PROPERTIES) - {"Name"}):
                raise InvalidInputException("UpdateCrawler", f"cannot change {', '.join(unknown)} here")
            for key, attribute in CRAWLER_PROPERTIES.items():
                if key in changes:
                    setattr(crawler, attribute, changes[key])
            crawler.version += 1
            crawler.last_updated = datetime.now(UTC).replace(tzinfo=None)

    def delete_crawler(self, name: str) -> None:
        """Delete a crawler.

        Raises:
            CrawlerNotFoundException, CrawlerRunningException: there is no such crawler, or it is crawling.
        """
        with _lock:
            self._idle_crawler(name)
            super().delete_crawler(name)

    def _idle_crawler(self, name: str) -> LocalCrawler:
        crawler: LocalCrawler = self.get_crawler(name)
        if crawler.status != "READY":
            raise CrawlerRunningException(f"Crawler with name {name} has already started")
        return crawler

    def crawler_metrics(self, names: list[str]) -> list[dict[str, Any]]:
        """Return the metrics of some crawlers, or of all."""
        return [crawler.metrics() for name, crawler in self.crawlers.items() if not names or name in names]
