"""Load files of a partner's account: by Lambda, by the partner's Glue job, refused, and with receipts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from cli import partner
from cli.demos.stage import POLL_SECONDS
from cli.errors import Failure
from cli.partner_names import ACCOUNT, BUCKET
from cli.sample_data.cross_account import orders, write_all

if TYPE_CHECKING:
    from cli.demos.stage import DemoStage
    from cli.sample_data.cross_account import Sample

PIPELINE = "partner_orders"
FOLDER = "outgoing/orders/"
EVENT_SECONDS = 30


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Run the partner's files, with the right external id and with a wrong one."""
    outputs = partner.connect(stage.running.environment)
    samples = write_all(stage.folder)
    for sample in samples:
        _export(stage, sample)
    runs = [stage.follow(_run_of(stage, sample)) for sample in samples]
    late = orders(stage.folder, "partner_late.csv", first=50_000, rows=20)
    partner.connect(stage.running.environment, external_id="somebody-else")
    _export(stage, late)
    refused = stage.follow(_run_of(stage, late))
    partner.connect(stage.running.environment)
    again = stage.follow(stage.api.post(f"/runs/{refused['name']}/redrive", {})["run"])
    expected = sum(sample.rows for sample in samples if sample.outcome == "succeeded") + late.rows
    notices = stage.notices(len(samples) + 2)
    report: dict[str, Any] = {
        "account": {"stage": stage.account, "partner": ACCOUNT},
        "roles": outputs,
        "runs": [_described(run) for run in (*runs, refused, again)],
        "jobs_in_the_partner_s_account": _jobs(stage),
        "receipts": _receipts(stage),
        "files_left_with_the_partner": _files(stage),
        "rows": {"in_the_warehouse": _count(stage), "expected": expected},
        "notices": [notice["subject"] for notice in notices],
    }
    wanted = [*(sample.outcome for sample in samples), "failed", "succeeded"]
    report["ok"] = (
        [run["outcome"] for run in report["runs"]] == wanted
        and "external id" in (refused["cause"] or "")
        and len(report["jobs_in_the_partner_s_account"]) == 1
        and len(report["receipts"]) == len(wanted)
        and report["files_left_with_the_partner"] == len(samples) + 1
        and report["rows"]["in_the_warehouse"] == expected
        and len(notices) == len(wanted)
    )
    _print(stage, report, refused)
    return report


def _export(stage: DemoStage, sample: Sample) -> None:
    """Put a file into the partner's bucket, as the partner: its event calls the stage."""
    s3 = partner.clients(stage.running.environment)("s3")
    s3.upload_file(str(sample.path), BUCKET, FOLDER + sample.path.name)


def _run_of(stage: DemoStage, sample: Sample) -> str:
    deadline = time.monotonic() + EVENT_SECONDS
    while time.monotonic() < deadline:
        for found in stage.api.get("/runs", pipeline=PIPELINE)["runs"]:
            run = stage.api.get(f"/runs/{found['name']}")
            if run["input"]["file"]["key"] == FOLDER + sample.path.name:
                return str(run["name"])
        time.sleep(POLL_SECONDS)
    raise Failure(f"no run of s3://{BUCKET}/{FOLDER}{sample.path.name} began within {EVENT_SECONDS} s")


def _jobs(stage: DemoStage) -> list[str]:
    glue = partner.clients(stage.running.environment)("glue")
    runs = glue.get_job_runs(JobName="partner-process-csv")["JobRuns"]
    return [f"{run['Id'][:12]} {run['JobRunState']}" for run in runs]


def _receipts(stage: DemoStage) -> list[dict[str, Any]]:
    s3 = partner.clients(stage.running.environment)("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="receipts/").get("Contents", [])
    return [json.loads(s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()) for each in found]


def _files(stage: DemoStage) -> int:
    s3 = partner.clients(stage.running.environment)("s3")
    return int(s3.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)["KeyCount"])


def _count(stage: DemoStage) -> int:
    try:
        return int(stage.sql("SELECT count(*) FROM public.partner_orders")[0][0])
    except Failure:  # no file made the table: that is what the demo then shows
        return 0


def _described(run: dict[str, Any]) -> dict[str, Any]:
    file = run["input"]["file"]["key"].rsplit("/", 1)[-1]
    return {"file": file, **{name: run[name] for name in ("name", "outcome", "seconds", "error", "cause")}}


def _print(stage: DemoStage, report: dict[str, Any], refused: dict[str, Any]) -> None:
    words = ("", "by the partner's Glue job", "", "the role asks for another external id", "mended, redriven")
    rows = [
        (run["file"], run["outcome"], run["seconds"], run["error"] or word)
        for run, word in zip(report["runs"], words, strict=True)
    ]
    stage.show(
        ("file", "outcome", "seconds", ""), rows, f"\nFiles of account {ACCOUNT}, loaded by {stage.account}"
    )
    stage.say(f"\nWhy the run was refused:\n  {refused['cause']}\n")
    receipts = [
        (receipt["file"].rsplit("/", 1)[-1], receipt["loaded"], receipt.get("rows"), receipt.get("error"))
        for receipt in report["receipts"]
    ]
    stage.show(("receipt in the partner's bucket", "loaded", "rows", "error"), receipts)
    counted = report["rows"]
    stage.show(
        ("in the warehouse", "rows", "rows in the good files"),
        [("SELECT count(*) FROM public.partner_orders", counted["in_the_warehouse"], counted["expected"])],
    )
    stage.show(("notices sent",), [(subject,) for subject in report["notices"]])
