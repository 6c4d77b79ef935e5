"""Deliveries with retries and dead letters, as targets ask for them."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Any

from local_aws.services.events.delivery import deliver

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.events.ticker import Ticker

_RETRIES = 185  # EventBridge's own default, within a day
_MAXIMUM_AGE = 86_400  # seconds
_LONGEST_INTERVAL = 300.0  # seconds between two attempts, before the time scale

log = logging.getLogger(__name__)


class Outbound:
    """Delivers at once, and again later when that failed."""

    def __init__(self, runtime: Runtime, ticker: Ticker) -> None:
        self._runtime = runtime
        self._ticker = ticker

    def send(self, target: dict[str, Any], text: str, source: str) -> None:
        """Deliver to a target; a failure is retried by the target's policy and never raised.

        Args:
            target: with its Arn, RetryPolicy and DeadLetterConfig.
            text: what the target gets.
            source: the ARN of the rule or schedule.
        """
        self._attempt(target, text, source, 0, time.time())

    def _attempt(self, target: dict[str, Any], text: str, source: str, retries: int, first: float) -> None:
        try:
            deliver(self._runtime, target, text)
        except Exception as error:  # noqa: BLE001 - every service has its own; each is retried and then told
            self._failed(target, text, source, retries, first, error)

    def _failed(
        self, target: dict[str, Any], text: str, source: str, retries: int, first: float, error: Exception
    ) -> None:
        policy = target.get("RetryPolicy") or {}
        exhausted = retries >= policy.get("MaximumRetryAttempts", _RETRIES)
        if exhausted or time.time() - first >= policy.get("MaximumEventAgeInSeconds", _MAXIMUM_AGE):
            self._give_up(target, text, source, retries, error)
            return
        log.warning("%s could not deliver to %s, trying again: %s", source, target["Arn"], error)
        interval = min(2.0**retries, _LONGEST_INTERVAL) * random.uniform(0.5, 1.0)  # nosec B311  # noqa: S311 - jitter
        self._ticker.after(
            interval / self._runtime.configuration.time_scale,
            lambda: self._attempt(target, text, source, retries + 1, first),
        )

    def _give_up(
        self, target: dict[str, Any], text: str, source: str, retries: int, error: Exception
    ) -> None:
        log.error("%s gave up delivering to %s: %s", source, target["Arn"], error)
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        region, account, name = queue.split(":", 5)[3:6]
        client = self._runtime.client("sqs", region, account)
        facts = {
            "RULE_ARN": source,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": type(error).__name__,
            "ERROR_MESSAGE": str(error)[:1024],
            "RETRY_ATTEMPTS": str(retries),
        }
        client.send_message(
            QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"],
            MessageBody=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in facts.items() if value
            },
        )
