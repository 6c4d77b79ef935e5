"""The alarms and the dashboard of the template."""

from __future__ import annotations

import json

from infrastructure.chalice_config import FUNCTIONS
from infrastructure.post_deploy import EVENT_FUNCTIONS
from infrastructure.render import ROOT, render

TEMPLATE = render("dev")
ALARMS = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}


def test_every_alarm_says_what_to_do_what_silence_means_and_whom_it_tells():
    for name, alarm in ALARMS.items():
        assert len(alarm["AlarmDescription"]) > 40, name
        assert alarm["TreatMissingData"] in {"notBreaching", "breaching", "ignore"}, name
        assert alarm["AlarmActions"] == [{"Ref": "NoticesTopic"}], name


def test_every_workflow_is_watched_and_no_rejected_file_rings():
    for path in (ROOT / "workflows").glob("*.asl.json"):
        workflow = path.name.removesuffix(".asl.json")
        watched = {
            alarm["MetricName"]
            for alarm in ALARMS.values()
            if f"-{workflow}-" in alarm["AlarmName"]["Fn::Sub"]
        }
        rejects = workflow in {"load_file", "load_partner_file"}
        always = {"ExecutionsTimedOut", "ExecutionThrottled"}
        assert watched == (always if rejects else always | {"ExecutionsFailed"}), workflow


def test_every_function_that_aws_calls_by_itself_is_watched():
    metrics = [each["MetricStat"]["Metric"] for each in ALARMS["EntryFunctionsAlarm"]["Metrics"][1:]]
    watched = {metric["Dimensions"][0]["Value"]["Fn::Sub"] for metric in metrics}
    entries = {*EVENT_FUNCTIONS, "authorize"}
    assert entries <= set(FUNCTIONS)
    assert watched == {"${App}-${Stage}", *(f"${{App}}-${{Stage}}-{name}" for name in entries)}


def test_the_dashboard_is_laid_out_without_overlaps_and_shows_every_alarm():
    text, values = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert set(values) == set(ALARMS)
    widgets = json.loads(text)["widgets"]
    taken = set()
    for widget in widgets:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, widget["properties"].get("title")
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_every_alarm_is_in_the_documentation():
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    for alarm in ALARMS.values():
        name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${App}-${Stage}-")
        of_a_workflow = alarm.get("Namespace") == "AWS/States"
        assert f"`{'<workflow>-' + name.partition('-')[2] if of_a_workflow else name}`" in page, name
