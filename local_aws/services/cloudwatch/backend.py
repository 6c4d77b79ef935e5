"""moto's CloudWatch, which refuses the alarms that nobody here would judge."""

from __future__ import annotations

from typing import Any

import moto.cloudwatch.urls
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend

SUM = "SUM(METRICS())"


class LocalCloudWatchBackend(CloudWatchBackend):
    """All metrics and alarms of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.cloudwatch.urls

    def put_metric_alarm(self, *arguments: Any, **settings: Any) -> Alarm:
        """Keep an alarm; it has no data yet, and a changed one keeps its state.

        Raises:
            ValidationError: it needs what is not judged here.
        """
        name = str(settings.get("name") or arguments[0])
        for query in settings.get("metric_data_queries") or ():
            if query.expression and query.expression.replace(" ", "").upper() != SUM:
                raise ValidationError(f"Alarm {name}: only {SUM} is judged here, not {query.expression}")
        if settings.get("extended_statistic"):
            raise ValidationError(f"Alarm {name}: percentiles are not judged here")
        if settings.get("rule"):
            raise ValidationError(f"Alarm {name}: composite alarms are not judged here")
        before = self.alarms.get(name)
        alarm = super().put_metric_alarm(*arguments, **settings)
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        return alarm
