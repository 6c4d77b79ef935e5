"""`awsglue.job`: a job's begin and end. Bookmarks are accepted and not kept."""

from __future__ import annotations

from typing import Any


class Job:
    """What a script calls when it starts and when it is done."""

    def __init__(self, glue_context: Any) -> None:
        self._context = glue_context
        self._name = ""
        self._begun = False

    def init(self, job_name: str, args: dict[str, Any] | None = None) -> None:
        """Begin the job."""
        self._name, self._begun = job_name, True
        del args

    def isInitialized(self) -> bool:  # noqa: N802 - AWS's name
        """Say whether `init` was called."""
        return self._begun

    def commit(self) -> None:
        """End the job.

        Raises:
            RuntimeError: `init` was not called.
        """
        if not self._begun:
            raise RuntimeError("Job.commit before Job.init")
