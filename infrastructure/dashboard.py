"""The stage's CloudWatch dashboard: runs, rows, functions, and what waits or was given up."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 24
"""Columns of a dashboard."""

HEIGHT = 6

PERIOD = 300

OUTCOMES = {
    "RunsSucceeded": "#2ca02c",
    "RunsRejected": "#ff9900",
    "RunsFailed": "#d62728",
    "RunsExpired": "#9467bd",
}

HEADING = (
    "# ${App}, stage ${Stage}\n"
    "Red needs a person: `decant runs list --outcome failed`, `decant logs RUN`, `decant runs redrive RUN`. "
    "Orange waits for a corrected file: `decant quarantine list`. What to do: docs/observability.md."
)


def dashboard(workflows: list[str], alarms: list[str], log_groups: list[str]) -> dict[str, Any]:
    """Return the dashboard's resource.

    Args:
        workflows: their names; each has a state machine.
        alarms: the logical ids of the stage's alarms.
        log_groups: the names of the functions' log groups, with placeholders.
    """
    values: dict[str, Any] = {name: {"Fn::GetAtt": [name, "Arn"]} for name in alarms}
    body = {"periodOverride": "inherit", "widgets": _placed(_rows(workflows, alarms, log_groups))}
    return {
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardName": {"Fn::Sub": "${App}-${Stage}"},
                "DashboardBody": {"Fn::Sub": [json.dumps(body, separators=(",", ":")), values]},
            },
        }
    }


def _rows(workflows: list[str], alarms: list[str], log_groups: list[str]) -> list[list[dict[str, Any]]]:
    return [
        [{"type": "text", "height": 2, "properties": {"markdown": HEADING}}],
        [_alarm_states(alarms)],
        [
            _graph(
                "Runs by outcome", [_total(name, color) for name, color in OUTCOMES.items()], stacked=True
            ),
            _graph("Runs by pipeline", [_by("Pipeline", name, "Sum") for name in OUTCOMES], stacked=True),
        ],
        [
            _graph(
                "Seconds of a run: half, 90 % and 99 % were faster", _percentiles("Pipeline", "RunSeconds")
            ),
            _graph("Seconds of a step: 90 % were faster", [_by("Step", "StepSeconds", "p90")]),
        ],
        [
            _graph("Rows", [_total(name) for name in ("RowsRead", "RowsLoaded", "RowsRejected")]),
            _graph("Rejected rows by pipeline", [_by("Pipeline", "RowsRejected", "Sum")], stacked=True),
            _graph("Bytes of files", [_by("Pipeline", "FileBytes", "Sum")], stacked=True),
        ],
        [
            _graph("Errors of functions", [_functions("Errors", "Sum")], stacked=True),
            _graph("Throttled calls of functions", [_functions("Throttles", "Sum")], stacked=True),
            _graph("Milliseconds of functions, 90 % were faster", [_functions("Duration", "p90")]),
        ],
        [
            _graph(f"Executions {words}", [_execution(metric, each) for each in workflows], stacked=True)
            for words, metric in (
                ("failed (rejected files too)", "ExecutionsFailed"),
                ("timed out", "ExecutionsTimedOut"),
                ("throttled", "ExecutionThrottled"),
            )
        ],
        [
            _graph("Dead letters", [_dead_letters()]),
            _graph(
                "Age of the oldest file without a run, seconds", [_of_stage("OldestUnprocessedFileSeconds")]
            ),
            _graph("Late files and missed ticks", [_of_stage("FilesLate"), _of_stage("TicksMissed")]),
            _graph("Failed Glue job runs", [_glue_failures()]),
        ],
        [_newest_errors(log_groups)],
    ]


def _placed(rows: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the widgets of the rows with their places: those of one row share its width."""
    placed, top = [], 0
    for row in rows:
        width = WIDTH // len(row)
        height = max(widget.get("height", HEIGHT) for widget in row)
        for number, widget in enumerate(row):
            placed.append({**widget, "x": number * width, "y": top, "width": width, "height": height})
        top += height
    return placed


def _graph(title: str, metrics: list[list[Any]], *, stacked: bool = False) -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "metrics": metrics,
            "view": "timeSeries",
            "stacked": stacked,
            "period": PERIOD,
            "stat": "Sum",
            "region": "${AWS::Region}",
            "yAxis": {"left": {"min": 0}},
        },
    }


def _alarm_states(alarms: list[str]) -> dict[str, Any]:
    arns = [f"${{{name}}}" for name in alarms]
    return {"type": "alarm", "height": 4, "properties": {"title": "Alarms", "alarms": arns}}


def _search(dimension: str, metric: str, statistic: str) -> str:
    about = f'{{Decant,App,Stage,{dimension}}} App="${{App}}" Stage="${{Stage}}" MetricName="{metric}"'
    return f"SEARCH('{about}', '{statistic}', {PERIOD})"


def _total(metric: str, color: str | None = None) -> list[Any]:
    look = {"color": color} if color else {}
    return [{"expression": f"SUM({_search('Pipeline', metric, 'Sum')})", "label": metric, **look}]


def _by(dimension: str, metric: str, statistic: str) -> list[Any]:
    label = f"${{!PROP('Dim.{dimension}')}} {metric if metric.startswith('Runs') else ''}".strip()
    return [{"expression": _search(dimension, metric, statistic), "label": label}]


def _percentiles(dimension: str, metric: str) -> list[list[Any]]:
    return [
        [
            {
                "expression": _search(dimension, metric, statistic),
                "label": f"${{!PROP('Dim.{dimension}')}} {statistic}",
            }
        ]
        for statistic in ("p50", "p90", "p99")
    ]


def _functions(metric: str, statistic: str) -> list[Any]:
    about = f'{{AWS/Lambda,FunctionName}} FunctionName=${{App}}-${{Stage}} MetricName="{metric}"'
    return [
        {"expression": f"SEARCH('{about}', '{statistic}', {PERIOD})", "label": "${!PROP('Dim.FunctionName')}"}
    ]


def _execution(metric: str, workflow: str) -> list[Any]:
    arn = (
        "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${App}-${Stage}-"
        + workflow
    )
    return ["AWS/States", metric, "StateMachineArn", arn, {"label": workflow}]


def _dead_letters() -> list[Any]:
    queue = "${App}-${Stage}-dead-letters"
    return ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, {"stat": "Maximum"}]


def _of_stage(metric: str) -> list[Any]:
    return ["Decant", metric, "App", "${App}", "Stage", "${Stage}", {"stat": "Maximum"}]


def _glue_failures() -> list[Any]:
    return ["AWS/Events", "TriggeredRules", "RuleName", "${App}-${Stage}-glue-failures"]


def _newest_errors(log_groups: list[str]) -> dict[str, Any]:
    sources = " | ".join(f"SOURCE '{name}'" for name in log_groups)
    query = f"{sources} | fields @timestamp, step, pipeline, run, message | filter level = 'ERROR' "
    return {
        "type": "log",
        "properties": {
            "title": "Newest errors of functions",
            "query": f"{query}| sort @timestamp desc | limit 50",
            "region": "${AWS::Region}",
            "view": "table",
        },
    }
