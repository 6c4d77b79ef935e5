"""The Distributed Map state: reads its items, runs the Map Run, writes its results."""

from __future__ import annotations

import functools
import json
import uuid
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3 as ItemReaderS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (  # noqa: E501 - moto's own module path
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3 import (  # noqa: E501 - moto's own module path
    ResourceEvalS3 as ResultWriterS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import (
    ResultWriter,
)
from moto.stepfunctions.parser.asl.eval.states import ItemData, MapData

from local_aws.services.step_functions.clients import client_of
from local_aws.services.step_functions.graph import inner_scopes
from local_aws.services.step_functions.map_runs import COUNTED, MapRun
from local_aws.services.step_functions.mending import mend
from local_aws.services.step_functions.record import moment
from local_aws.services.step_functions.shapes import iso_dated

if TYPE_CHECKING:
    from local_aws.services.step_functions.environment import LocalEnvironment
    from local_aws.services.step_functions.record import Record

RESULT_FIELDS = (
    "executionArn",
    "input",
    "name",
    "output",
    "error",
    "cause",
    "startDate",
    "stopDate",
    "status",
)


def install() -> None:
    """Run Distributed Maps with child executions."""
    mend(DistributedIterationComponent, "_eval_body", _run)
    mend(ItemReaderS3, "_handle_list_objects_v2", staticmethod(_listed))
    mend(ResultWriter, "_eval_body", _place_results)
    mend(ResultWriterS3, "_handle_put_object", staticmethod(_write_results))


def _run(_: DistributedIterationComponent, env: LocalEnvironment) -> None:
    """Leave the children's outputs on the stack, or raise when too many of them failed."""
    asked = env.stack.pop()
    record = env.running.record
    map_run = MapRun(
        engine=env.running.engine,
        parent=record,
        label=asked.label or str(uuid.uuid4()),
        definition=processor(record.definition, asked.state_name),
        inputs=[],
        concurrency=asked.max_concurrency,
        tolerated_count=asked.tolerated_failure_count,
        tolerated_percentage=asked.tolerated_failure_percentage,
    )
    env.map_run = map_run
    started = {"mapRunStartedEventDetails": {"mapRunArn": map_run.arn}}
    env.event_manager.add_event(env.event_history_context, HistoryEventType.MapRunStarted, started)
    try:
        map_run.set_inputs(_inputs(env, asked))
        _follow(env, map_run)
    except FailureEventException as failure:
        map_run.finish("FAILED")
        error, cause = failure.extract_error_cause_pair() or (None, None)
        details = {key: value for key, value in (("error", error), ("cause", cause)) if value}
        env.event_manager.add_event(
            env.event_history_context, HistoryEventType.MapRunFailed, {"mapRunFailedEventDetails": details}
        )
        raise
    env.stack.append(map_run.outputs())


def _follow(env: LocalEnvironment, map_run: MapRun) -> None:
    with env.waking(map_run.abort):
        map_run.begin()
        map_run.over.wait()
    if not env.is_running():
        map_run.finish("ABORTED")
        return
    if map_run.exceeded():
        map_run.abort()
        cause = "The specified tolerated failure threshold was exceeded"
        raise _failure(env, StatesErrorNameType.StatesExceedToleratedFailureThreshold, cause)
    map_run.finish("SUCCEEDED")
    env.event_manager.add_event(env.event_history_context, HistoryEventType.MapRunSucceeded)


def _failure(env: LocalEnvironment, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=kind)
    details = {"mapRunFailedEventDetails": {"error": name.error_name, "cause": cause}}
    return FailureEventException(FailureEvent(env, name, HistoryEventType.MapRunFailed, details))


def _inputs(env: LocalEnvironment, asked: Any) -> list[Any]:
    """Return each child's input: the item, or what the ItemSelector makes of it."""
    whole = env.stack[-1] if env.stack else env.states.get_input()
    if asked.item_reader:
        try:
            asked.item_reader.eval(env=env)
        except FailureEventException:
            raise
        except Exception as error:
            raise _failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error
        items = env.stack.pop()
    else:
        items = asked.input_items
    selector = asked.item_selector or asked.parameters
    if selector is None:
        return list(items)
    return [_selected(env, selector, whole, number, item) for number, item in enumerate(items)]


def _selected(env: LocalEnvironment, selector: Any, whole: Any, number: int, item: Any) -> Any:
    frame = env.open_inner_frame()
    frame.states.context_object.context_object_data["Map"] = MapData(Item=ItemData(Index=number, Value=item))
    frame.states.reset(input_value=whole)
    frame.stack.append(whole)
    selector.eval(frame)
    env.delete_frame(frame)
    return frame.stack.pop()


@functools.lru_cache(maxsize=256)
def processor(definition: str, state: str) -> str:
    """Return the ItemProcessor of a Map state as a definition of its own."""
    document = json.loads(definition)
    language = document.get("QueryLanguage")
    found = next(scope for name, scope in inner_scopes(document) if name == state)
    child = {key: value for key, value in found.items() if key != "ProcessorConfig"}
    if language and "QueryLanguage" not in child:
        child["QueryLanguage"] = language
    return json.dumps(child)


def _listed(env: LocalEnvironment, part: Any, credentials: Any) -> None:
    """Leave every object under the prefix on the stack; moto reads the first 1,000."""
    parameters = env.stack.pop()
    client = _s3(env, part, credentials)
    pages = client.get_paginator("list_objects_v2").paginate(**parameters)
    env.stack.append(
        [
            {
                "Etag": found["ETag"],
                "Key": found["Key"],
                "LastModified": int(found["LastModified"].timestamp()),
                "Size": found["Size"],
                "StorageClass": found.get("StorageClass", "STANDARD"),
            }
            for page in pages
            for found in page.get("Contents", ())
        ]
    )


def _place_results(self: ResultWriter, env: LocalEnvironment) -> None:
    """Say where the results go by the state's input, as AWS does; moto looks for it in the results."""
    env.stack.append(env.states.get_input())
    self.parargs.eval(env)
    parameters = env.stack.pop()
    env.stack.pop()
    env.stack.append(parameters)
    self.resource_eval.eval_resource(env)


def _write_results(env: LocalEnvironment, part: Any, credentials: Any) -> None:
    """Write one file of results for each way of ending, and the manifest that names them."""
    parameters = env.stack.pop()
    env.stack.pop()  # the outputs: they are in the files instead
    map_run = env.map_run
    client, bucket = _s3(env, part, credentials), parameters["Bucket"]
    prefix = parameters.get("Prefix", "")
    folder = f"{prefix}{'/' if prefix and not prefix.endswith('/') else ''}{map_run.arn.rsplit(':', 1)[1]}"
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status, chosen in (("SUCCEEDED", {"SUCCEEDED"}), ("FAILED", set(COUNTED) - {"SUCCEEDED"})):
        results = [_result(child) for child in map_run.children if child and child.status in chosen]
        if results:
            body = json.dumps(results).encode()
            client.put_object(Bucket=bucket, Key=f"{folder}/{status}_0.json", Body=body)
            files[status].append({"Key": f"{folder}/{status}_0.json", "Size": len(body)})
    manifest = {"DestinationBucket": bucket, "MapRunArn": map_run.arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    client.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest, indent=2).encode())
    env.stack.append({"MapRunArn": map_run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}})


def _result(child: Record) -> dict[str, Any]:
    shown = {key: value for key, value in child.described().items() if key in RESULT_FIELDS}
    shown["stateMachineArn"] = child.machine_arn
    for date in ("startDate", "stopDate"):
        if date in shown:
            shown[date] = iso_dated(moment(shown[date]))
    return {key[0].upper() + key[1:]: value for key, value in shown.items()}


def _s3(env: LocalEnvironment, part: Any, credentials: Any) -> Any:
    return client_of(env.running.engine.runtime, "s3", part.region, credentials)
