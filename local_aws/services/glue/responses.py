"""The Glue calls that moto does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

if TYPE_CHECKING:
    from local_aws.services.glue.backend import LocalGlueBackend


class LocalGlueResponse(GlueResponse):
    """moto's answers and those to BatchStopJobRun, UpdateJob, UpdateCrawler and GetCrawlerMetrics."""

    @property
    def _glue(self) -> LocalGlueBackend:
        return self.glue_backend  # install() swapped the class

    def batch_stop_job_run(self) -> ActionResult:
        """Answer BatchStopJobRun."""
        return ActionResult(
            self._glue.batch_stop_job_run(self.parameters["JobName"], self.parameters["JobRunIds"])
        )

    def update_job(self) -> ActionResult:
        """Answer UpdateJob."""
        self._glue.update_job(self.parameters["JobName"], self.parameters["JobUpdate"])
        return ActionResult({"JobName": self.parameters["JobName"]})

    def update_crawler(self) -> ActionResult:
        """Answer UpdateCrawler."""
        self._glue.update_crawler(self.parameters)
        return ActionResult({})

    def get_crawler_metrics(self) -> ActionResult:
        """Answer GetCrawlerMetrics."""
        names = self.parameters.get("CrawlerNameList") or []
        return ActionResult({"CrawlerMetricsList": self._glue.crawler_metrics(names)})
