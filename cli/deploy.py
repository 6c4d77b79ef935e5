"""Make a stage on AWS, or bring it up to date."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli import remote_stages
from cli.deploying import (
    Progress,
    app_option,
    documents,
    show_findings,
    stage_option,
    take_over_option,
    target_of,
    told,
    yes_option,
)
from cli.errors import Failure
from cli.output import console, json_option, print_json, print_table
from infrastructure.assignments import assignments

if TYPE_CHECKING:
    from infrastructure.deployment.deploying import Deployment
    from infrastructure.deployment.plan import Change
    from infrastructure.deployment.preflight import Preflight
    from infrastructure.deployment.steps import Done
    from infrastructure.deployment.target import Target

FEW = 12
"""Of more additions than these only the kinds are counted."""


@click.command()
@stage_option
@app_option
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=assignments,
    help="A parameter of the template; one that is not given keeps its value.",
)
@click.option("--plan", "only_plan", is_flag=True, help="Check, say what would change, and stop.")
@click.option("--no-smoke", is_flag=True, help="Send no file through the stage afterwards.")
@take_over_option
@yes_option
@json_option
@told
def deploy(
    stage: str,
    app: str,
    parameters: dict[str, str],
    *,
    only_plan: bool,
    no_smoke: bool,
    take_over: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make a stage on AWS, or bring it up to date: safe to repeat, and to go on with after a failure."""
    target = target_of(stage, app, parameters)
    preflight = _check(target, quiet=as_json)
    if only_plan or not yes:
        changes = _plan(target, preflight, quiet=as_json)
        if only_plan:
            if as_json:
                print_json(documents(changes))
            return
        click.confirm(f"Deploy to account {target.account}, region {target.region}?", abort=True, err=True)
    deployment, done = _take(target, with_smoke=not no_smoke, take_over=take_over, quiet=as_json)
    if as_json:
        print_json({**asdict(_reached(deployment)), "steps": documents(done)})
    else:
        _say(deployment, smoked=not no_smoke)


def _check(target: Target, *, quiet: bool) -> Preflight:
    from infrastructure.deployment.preflight import examine  # noqa: PLC0415 - imports boto3 and Chalice

    with console.status("preflight"):
        preflight = examine(target)
    if not quiet:
        show_findings(preflight.findings)
    if problems := preflight.problems:
        lines = [f"{each.what}: {each.found}\n  {each.remedy}" for each in problems]
        raise Failure("\n".join([f"{len(problems)} thing(s) to mend first, nothing was changed:", *lines]))
    return preflight


def _plan(target: Target, preflight: Preflight, *, quiet: bool) -> list[Change]:
    from infrastructure.deployment.plan import counted, plan  # noqa: PLC0415 - as above

    with console.status("plan"):
        changes = plan(target, preflight.package)
    if quiet:
        return changes
    console.print(f"\n[bold]Plan[/bold]: {counted(changes)}")
    adds = Counter(change.kind for change in changes if change.action == "add")
    rows = [("add", kind, f"{count}") for kind, count in sorted(adds.items())]
    if len(changes) - adds.total() or adds.total() <= FEW:
        few = [each for each in changes if each.action != "add" or adds.total() <= FEW]
        counts = rows if adds.total() > FEW else []
        rows = [(each.action, each.kind, f"{each.name}  {each.what}".rstrip()) for each in few] + counts
    if rows:
        print_table(("", "kind", "what"), rows)
    return changes


def _take(target: Target, *, with_smoke: bool, take_over: bool, quiet: bool) -> tuple[Deployment, list[Done]]:
    from infrastructure.deployment.deploying import Deployment  # noqa: PLC0415 - as above
    from infrastructure.deployment.lock import Lock  # noqa: PLC0415 - as above
    from infrastructure.deployment.steps import take  # noqa: PLC0415 - as above

    deployment = Deployment(target, Lock(target, "deploy", take_over=take_over))
    again = f"decant deploy --stage {target.stage}"
    try:
        with Progress(quiet=quiet) as progress:
            steps = deployment.steps(with_smoke=with_smoke)
            return deployment, take(steps, target, again=again, begin=progress.begin, tell=progress.tell)
    except BaseException:
        if deployment.api_token:  # it is made once only: a failure after it must not lose it
            click.echo(f"API token  {deployment.api_token}  (role approver, shown once)", err=True)
        raise
    finally:
        if deployment.api_url:
            remote_stages.keep(_reached(deployment))
        deployment.lock.release()


def _reached(deployment: Deployment) -> remote_stages.RemoteStage:
    """Return how the other commands reach the stage."""
    target = deployment.target
    return remote_stages.RemoteStage(
        stage=target.stage,
        app=target.app,
        account=target.account,
        region=target.region,
        api_url=deployment.api_url,
        api_token=deployment.api_token,
    )


def _say(deployment: Deployment, *, smoked: bool) -> None:
    stage = deployment.target.stage
    if not smoked:
        console.print("no smoke file was sent (--no-smoke): the first real file is the first test")
    console.print(f"\nREST API   {deployment.api_url}", markup=False, soft_wrap=True)
    console.print(f"console    {deployment.api_url.rstrip('/')}/console", markup=False, soft_wrap=True)
    if deployment.api_token and os.environ.get("CI"):
        console.print("API token  made, and not shown: the log of a CI job is read by many")
    elif deployment.api_token:
        console.print(
            f"API token  {deployment.api_token}  (role approver, shown once, kept here for the commands)",
            markup=False,
            soft_wrap=True,
        )
    console.print(f"\nits runs:     decant --stage {stage} runs list", markup=False)
    console.print(f"drop a file:  decant --stage {stage} drop FILE --pipeline orders", markup=False)
    console.print(f"more tokens:  decant tokens add NAME --role viewer --stage {stage}", markup=False)
