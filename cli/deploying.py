"""What `deploy`, `destroy` and `tokens` share: the stage that they are about, and how they print."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

import click
from rich.text import Text

from cli.errors import Failure, of_a_service
from cli.output import console, print_table
from cli.project import root, running_stage

P = ParamSpec("P")
R = TypeVar("R")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infrastructure.deployment.findings import Finding
    from infrastructure.deployment.inventory import Thing
    from infrastructure.deployment.steps import Done
    from infrastructure.deployment.target import Target

stage_option = click.option("--stage", required=True, help="The stage's name, such as dev.")
app_option = click.option("--app", default="decant", show_default=True, help="The first part of every name.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
take_over_option = click.option(
    "--take-over", is_flag=True, help="Take the lock of a deployment that is known to be dead."
)


def target_of(stage: str, app: str, parameters: Mapping[str, str] | None = None) -> Target:
    """Return the stage of the account that this process's environment leads to, or the one that runs here."""
    from infrastructure.deployment.target import Target  # noqa: PLC0415 - imports boto3
    from infrastructure.provision import clients_in  # noqa: PLC0415 - as above

    running = running_stage() if stage == "local" else None
    environment = dict(os.environ) if running is None else running["environment"]
    return Target(
        stage=stage,
        app=app,
        root=root(),
        client=clients_in(environment),
        environment={k: v for k, v in environment.items() if k.startswith("AWS_")},
        parameters=parameters or {},
    )


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a deployment's errors into the command's: one message and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from infrastructure.deployment.failures import EXPECTED  # noqa: PLC0415 - imports boto3

        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            raise (of_a_service(error) or Failure(str(error))) from error

    return wrapped


class Progress:
    """Prints each step when it is done, and the one at work while there is a terminal to draw on."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status = console.status("")

    def __enter__(self) -> Self:
        if not self._quiet:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def begin(self, name: str) -> None:
        """Show what is at work now."""
        self._status.update(name)

    def tell(self, done: Done) -> None:
        """Print a step that is done."""
        if not self._quiet:
            line = Text.assemble(("ok ", "green"), f" {done.name:<24}", (f"{done.seconds:6.1f} s  ", "dim"))
            console.print(line.append(done.said), soft_wrap=True)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what the checks found."""
    rows = [(_mark(each), each.what, each.found, each.remedy) for each in findings]
    print_table(("", "check", "found", "what to do"), rows, title="Preflight")


def show_things(things: Sequence[Thing], title: str) -> None:
    """Print things of a stage."""
    print_table(("what", "name", ""), [(each.kind, each.name, each.note) for each in things], title=title)


def documents(entries: Sequence[Any]) -> list[dict[str, Any]]:
    """Return dataclasses as JSON documents."""
    from dataclasses import asdict  # noqa: PLC0415 - one line's need

    return [asdict(entry) for entry in entries]


def _mark(finding: Finding) -> Text:
    if not finding.ok:
        return Text("no", style="red")
    return Text("note", style="yellow") if finding.remedy else Text("ok", style="green")
