"""List steps, and try one step or one state alone."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from chalicelib.unknown_names import unknown
from cli.errors import Failure
from cli.output import console, json_option, print_json, print_table
from cli.project import root
from cli.service import service
from cli.stage_client import stage_client, stage_name
from cli.workflow_diagram import with_inner

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def steps() -> None:
    """List steps, and try one step or one state alone."""


@steps.command("list")
@json_option
def list_steps(*, as_json: bool) -> None:
    """List the steps, and the states that call each."""
    found = _steps()
    if as_json:
        print_json(found)
        return
    rows = [(each["step"], each["what"], "\n".join(each["states"])) for each in found]
    print_table(("step", "what it does", "called by"), rows)


@steps.command("try")
@click.argument("name")
@click.option(
    "--input",
    "source",
    type=click.File("r", encoding="utf-8"),
    help="A JSON file with the input; - reads it.",
)
@click.option("--run", help="Take the input that the state had in this run.")
@click.option("--log", "with_log", is_flag=True, help="Print the step's log too.")
@json_option
def try_one(name: str, source: Any, run: str | None, *, with_log: bool, as_json: bool) -> None:
    """Run one step (validate_file) or one state (load_file.IsFileValid) alone, with an input.

    A step is called as its function on the stage; a state runs as its workflow has it there, with its own
    parameters, retries left out. Whatever it does, it does for real. Exit code 1 when it ends in an error.
    """
    workflow, dot, state = name.partition(".")
    if source is not None and run is not None:
        raise click.UsageError("--input and --run: give one of them")
    if dot:
        document = _input_in(run, state) if run else _read(source)
        result = _try_state(workflow, state, document)
    elif run:
        raise click.UsageError(
            f"--run: name a state, such as load_file.{_camel(name)}: a step has no place in a run"
        )
    else:
        result = _try_step(name, _read(source))
    if as_json:
        print_json(result)
    else:
        _print(result, with_log=with_log)
    raise SystemExit(0 if result["succeeded"] else 1)


def _try_step(step: str, document: Any) -> dict[str, Any]:
    known = [each["step"] for each in _steps()]
    if step not in known:
        named = "A state is named with its workflow, as in load_file.IsFileValid"
        raise Failure(f"{unknown('step', step, known)}. {named}")
    answer = _called(
        stage_client("lambda").invoke,
        FunctionName=f"decant-{stage_name()}-{step}",
        Payload=json.dumps(document).encode(),
        LogType="Tail",
    )
    returned = json.loads(answer["Payload"].read() or "null")
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    failed = "FunctionError" in answer
    return {
        "what": step,
        "succeeded": not failed,
        "output": None if failed else returned,
        "error": returned.get("errorType") if failed else None,
        "cause": _cause(returned) if failed else None,
        "next": None,
        "log": log.splitlines(),
    }


def _cause(returned: dict[str, Any]) -> str:
    message = str(returned.get("errorMessage", ""))
    return f"the input lacks {message}" if returned.get("errorType") == "KeyError" else message


def _try_state(workflow: str, state: str, document: Any) -> dict[str, Any]:
    states = stage_client("stepfunctions")
    workflows = sorted(
        path.name.removesuffix(".asl.json") for path in (root() / "workflows").glob("*.asl.json")
    )
    if workflow not in workflows:
        raise Failure(unknown("workflow", workflow, workflows))
    account = stage_client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:states:{states.meta.region_name}:{account}:stateMachine:decant-{stage_name()}-{workflow}"
    machine = _called(states.describe_state_machine, stateMachineArn=arn)
    definition = json.loads(machine["definition"])
    known = dict(with_inner(definition["States"]))
    if state not in known:
        raise Failure(f"state {state!r}: {workflow} has none of this name; it has {', '.join(known)}")
    alone = {**known[state]}
    if "QueryLanguage" in definition:
        alone.setdefault("QueryLanguage", definition["QueryLanguage"])
    answer = _called(
        states.test_state,
        definition=json.dumps(alone),
        roleArn=machine["roleArn"],
        input=json.dumps(document),
        inspectionLevel="INFO",
    )
    return {
        "what": f"{workflow}.{state}",
        "succeeded": answer["status"] == "SUCCEEDED",
        "output": json.loads(answer["output"]) if answer.get("output") else None,
        "error": answer.get("error"),
        "cause": answer.get("cause"),
        "next": answer.get("nextState"),
        "log": [],
    }


def _called(call: Any, **arguments: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore takes 0.2 s

    try:
        return call(**arguments)
    except (BotoCoreError, ClientError) as error:
        raise Failure(str(error)) from error


def _input_in(run: str, state: str) -> Any:
    """Return the input that a state had when a run entered it last."""
    after: int | None = 0
    found = None
    while after is not None:
        page = service().get(f"/runs/{run}/events", after=after)
        for event in page["events"]:
            if event["type"].endswith("StateEntered") and event["details"].get("name") == state:
                found = event["details"].get("input")
        after = page["next"]
    if found is None:
        raise Failure(f"run {run}: it has not entered a state {state!r}; see: decant runs show {run}")
    return json.loads(found)


def _read(source: Any) -> Any:
    if source is None:
        if sys.stdin.isatty():
            raise click.UsageError(
                "--input FILE or --run RUN: say what the step is to work on; - reads it here"
            )
        source = sys.stdin
    try:
        return json.load(source)
    except ValueError as error:
        raise Failure(f"--input: not JSON: {error}") from error


def _steps() -> list[dict[str, Any]]:
    callers: dict[str, list[str]] = {}
    for path in sorted((root() / "workflows").glob("*.asl.json")):
        workflow = path.name.removesuffix(".asl.json")
        definition = json.loads(path.read_text(encoding="utf-8"))
        for name, state in with_inner(definition["States"]):
            callers.setdefault(_function_of(state), []).append(f"{workflow}.{name}")
    return [
        {
            "step": path.stem,
            "states": callers.get(f"${{{_camel(path.stem)}Arn}}", []),
            "what": _first_sentence(path),
        }
        for path in sorted((root() / "chalicelib" / "steps").glob("[a-z]*.py"))
    ]


def _function_of(state: dict[str, Any]) -> str:
    given = state.get("Parameters") or state.get("Arguments") or {}
    return str(given.get("FunctionName") or state.get("Resource", ""))


def _first_sentence(path: Path) -> str:
    return path.read_text(encoding="utf-8").split('"""')[1].partition(".")[0].replace("\n", " ").strip()


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _print(result: dict[str, Any], *, with_log: bool) -> None:
    for line in result["log"] if with_log else ():
        console.print(line, style="dim", markup=False, soft_wrap=True)
    if result["succeeded"]:
        click.echo(json.dumps(result["output"], indent=2, ensure_ascii=False))
        if result["next"]:
            console.print(f"next: {result['next']}", style="bold", markup=False)
    else:
        console.print(f"{result['error']}: {result['cause']}", style="red", markup=False, soft_wrap=True)
        if result["next"]:
            console.print(f"caught; next: {result['next']}", style="bold", markup=False)
