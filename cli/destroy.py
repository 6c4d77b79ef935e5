"""Remove a stage from AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli import remote_stages
from cli.deploying import (
    Progress,
    app_option,
    documents,
    show_things,
    stage_option,
    take_over_option,
    target_of,
    told,
    yes_option,
)
from cli.errors import Failure
from cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from infrastructure.deployment.inventory import Thing
    from infrastructure.deployment.steps import Done
    from infrastructure.deployment.target import Target


KEPT = frozenset({"bucket", "KMS key", "warehouse namespace"})
"""What holds data, or is needed to read it: it goes with --delete-data only."""


@click.command()
@stage_option
@app_option
@click.option(
    "--delete-data",
    is_flag=True,
    help="Delete the data too: buckets with every version of every object, and a serverless warehouse.",
)
@take_over_option
@yes_option
@json_option
@told
def destroy(stage: str, app: str, *, delete_data: bool, take_over: bool, yes: bool, as_json: bool) -> None:
    """Remove a stage from AWS and prove that nothing of it is left; its data goes with --delete-data only."""
    from infrastructure.deployment.inventory import BEING_DELETED, things  # noqa: PLC0415 - imports boto3

    target = target_of(stage, app)
    found = _here(target)
    if not yes:
        _ask(target, found, delete_data=delete_data)
    done = _take(target, delete_data=delete_data, take_over=take_over, quiet=as_json)
    remote_stages.forget(stage)
    left = things(target)
    kept = [each for each in left if each.kind in KEPT and not delete_data]
    others = [each for each in left if each not in kept]
    if as_json:
        print_json({"steps": documents(done), "kept": documents(kept), "left": documents(others)})
    else:
        _say(target, kept, others)
    if stays := [each for each in others if BEING_DELETED not in each.note]:
        raise Failure(f"{len(stays)} thing(s) of stage {stage} are left: repeat this, or delete them")


def _here(target: Target) -> list[Thing]:
    """Return what there is of the stage.

    Raises:
        Failure: nothing; the message names the stages that are there.
    """
    from infrastructure.deployment.inventory import BEING_DELETED, stages, things  # noqa: PLC0415

    with console.status("looking for what there is"):
        found = [thing for thing in things(target) if BEING_DELETED not in thing.note]
    if found:
        return found
    known = ", ".join(stages(target)) or "none"
    where = f"account {target.account}, region {target.region}"
    raise Failure(f"there is no stage {target.stage} in {where}; stages there: {known}")


def _ask(target: Target, found: list[Thing], *, delete_data: bool) -> None:
    show_things(found, f"Stage {target.stage} in account {target.account}, region {target.region}")
    if delete_data:
        typed = click.prompt("This deletes its data for good. Type the stage's name", err=True)
        if typed != target.stage:
            raise Failure(f"{typed} is not {target.stage}: nothing was changed")
    else:
        click.confirm(
            "Remove all but the data (buckets, their key, a serverless warehouse's tables)?",
            abort=True,
            err=True,
        )


def _take(target: Target, *, delete_data: bool, take_over: bool, quiet: bool) -> list[Done]:
    from infrastructure.deployment.lock import Lock  # noqa: PLC0415 - as above
    from infrastructure.deployment.removing import Removal  # noqa: PLC0415 - as above
    from infrastructure.deployment.steps import take  # noqa: PLC0415 - as above

    removal = Removal(target, Lock(target, "destroy", take_over=take_over), delete_data)
    again = f"decant destroy --stage {target.stage}{' --delete-data' if delete_data else ''}"
    try:
        with Progress(quiet=quiet) as progress:
            return take(removal.steps(), target, again=again, begin=progress.begin, tell=progress.tell)
    finally:
        removal.lock.release()


def _say(target: Target, kept: list[Thing], others: list[Thing]) -> None:
    if kept:
        show_things(kept, "\nKept, because they hold data")
        console.print(f"take them up again: decant deploy --stage {target.stage}", markup=False)
        console.print(
            f"delete them too:    decant destroy --stage {target.stage} --delete-data", markup=False
        )
    if others:
        show_things(others, "\nLeft")
    else:
        what = "nothing else" if kept else "nothing"
        console.print(f"\n{what} of stage {target.stage} is left in account {target.account}")
