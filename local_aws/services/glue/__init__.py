"""Glue: jobs that run their scripts, crawlers that read the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.glue import models, urls

from local_aws.reality import Reality
from local_aws.services.glue.backend import LocalGlueBackend
from local_aws.services.glue.crawl_runner import CrawlRunner
from local_aws.services.glue.crawler_state import LocalCrawler
from local_aws.services.glue.job_run import LocalJobRun
from local_aws.services.glue.job_runner import JobRunner
from local_aws.services.glue.responses import LocalGlueResponse

if TYPE_CHECKING:
    from local_aws.runtime import Runtime

REALITY = Reality(
    service="Glue",
    executes=(
        "Spark jobs on PySpark 3.5.6 and Python Shell jobs on Python, each run in a process of its own; "
        "crawlers that read the files and write Data Catalog tables."
    ),
    differs=(
        "A Spark job runs on this machine's cores with 2 GB of memory, whatever its workers are.",
        "Without a Spark environment a Spark job run FAILS and says how to get one.",
        "Streaming and Ray jobs, --extra-jars and JDBC connections fail when the run starts.",
        "--additional-python-modules installs nothing: the run FAILS when a module is missing.",
        "A run that was alive when the embedded AWS ended is FAILED after the restart, then retried.",
        "Job bookmarks are accepted and not kept: every run reads everything.",
        "Crawlers know CSV, JSON and Parquet in S3; other targets and custom classifiers fail the crawl.",
        "A crawled CSV with quotes becomes an OpenCSVSerde table of strings.",
        "A crawled JSON array has one row for each element; Glue makes one column of arrays.",
        "A crawler's schedule is kept and does not fire; StartCrawler does.",
        "A bucket made while a Spark job runs is not visible to that run.",
    ),
)


def install(runtime: Runtime) -> None:
    """Swap moto's Glue for the one that runs jobs and crawls."""
    runner = JobRunner(runtime)
    LocalGlueBackend.runner = runner
    crawls = CrawlRunner(runtime)
    LocalGlueBackend.crawl_runner = crawls
    LocalGlueBackend.runs = runtime.path("glue", "runs", "x").parent
    models.glue_backends.backend = LocalGlueBackend
    models.FakeCrawler = LocalCrawler  # moto's CreateCrawler constructs this global
    urls.url_paths.update(dict.fromkeys(urls.url_paths, LocalGlueResponse.dispatch))
    runtime.on_start(_recover)
    runtime.on_stop(runner.close)
    runtime.on_stop(crawls.close)


def _recover() -> None:
    """Take back the job runs of the process before this one."""
    found: dict[tuple[str, str], list[LocalJobRun]] = {}
    for path in LocalGlueBackend.runs.glob("*/run.json"):
        run = LocalJobRun.read(path)
        found.setdefault((run.account, run.region), []).append(run)
    for account, regions in models.glue_backends.items():
        for region, backend in regions.items():
            assert isinstance(backend, LocalGlueBackend)
            backend.recover(found.get((account, region), []))
            if any(job.command.get("Name") == "glueetl" for job in backend.jobs.values()):
                backend.runner.warm.prepare()
