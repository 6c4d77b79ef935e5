"""JSONata expressions and workflow variables."""

from __future__ import annotations

import functools
import hashlib
import json
import random
import re
import threading
import uuid
from typing import TYPE_CHECKING, Any

from jsonata import Jsonata
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
    StringJSONata,
    StringVariableSample,
)
from moto.stepfunctions.parser.asl.eval.variable_store import NoSuchVariable, VariableStore
from moto.stepfunctions.parser.asl.jsonata.jsonata import extract_jsonata_variable_references

from local_aws.services.step_functions.mending import mend
from local_aws.services.step_functions.paths import read
from local_aws.services.step_functions.quieting import copied

if TYPE_CHECKING:
    from local_aws.services.step_functions.environment import LocalEnvironment

EXPRESSIONS_KEPT = 512  # for each thread, because an expression under evaluation holds state
VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)
HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
FORBIDDEN = re.compile(r"\$eval\b")

_local = threading.local()


def install() -> None:
    """Evaluate JSONata in this process, with inputs and variables bound instead of pasted into the text."""
    mend(StringJSONata, "_eval_body", _evaluate_jsonata)
    mend(StringVariableSample, "_eval_body", _evaluate_variable)
    mend(string_expression, "eval_jsonata_expression", lambda expression: evaluate(expression, {}))


def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """Return the value of a JSONata expression as plain JSON; undefined is None, as null is."""
    return _plain(_compiled(expression).evaluate(None, bindings))


def _compiled(expression: str) -> Jsonata:
    if not hasattr(_local, "compiled"):
        _local.compiled = functools.lru_cache(EXPRESSIONS_KEPT)(_compile)
    compiled: Jsonata = _local.compiled(expression)
    return compiled


def _compile(expression: str) -> Jsonata:
    if FORBIDDEN.search(expression):
        raise ValueError("$eval is not available in Step Functions; use $parse for JSON")
    compiled = Jsonata(expression)
    for name, function in FUNCTIONS.items():
        compiled.register_lambda(name, function)
    return compiled


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict | list):
        return copied(value)
    raise TypeError("returned an unsupported result type")


def _evaluate_jsonata(self: StringJSONata, env: LocalEnvironment) -> None:
    extract_jsonata_variable_references(self.expression)  # refuses $ and $$
    bindings = {"states": env.states._states_data, **variables(env.variable_store)}  # noqa: SLF001 - moto hands it out as text only
    try:
        value = evaluate(self.expression, bindings)
        undefined = value is None and not evaluate(f"$exists({self.expression})", bindings)
    except TypeError as error:
        raise _failure(env, f"The JSONata expression '{self.expression}' {error}.") from error
    except Exception as error:
        cause = f"The JSONata expression '{self.expression}' threw an error during evaluation. {error}"
        raise _failure(env, cause) from error
    if undefined:
        raise _failure(env, f"The JSONata expression '{self.expression}' returned nothing (undefined).")
    env.stack.append(value)


def _failure(env: LocalEnvironment, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = {"error": name.error_name, "cause": cause}
    failure = FailureEventException(
        FailureEvent(env, name, HistoryEventType.EvaluationFailed, {"evaluationFailedEventDetails": details})
    )
    env.event_manager.add_event(
        env.event_history_context,
        HistoryEventType.EvaluationFailed,
        {"evaluationFailedEventDetails": failure.get_evaluation_failed_event_details()},
    )
    return failure


def _evaluate_variable(self: StringVariableSample, env: LocalEnvironment) -> None:
    """Read a variable, or a path into it; in JSONPath too, where moto asked JSONata."""
    matched = VARIABLE.fullmatch(self.expression)
    if self.query_language_mode == QueryLanguageMode.JSONata or matched is None:
        env.stack.append(evaluate(self.expression, variables(env.variable_store)))
        return
    name, path = matched.groups()
    try:
        value = env.variable_store.get(name)
    except NoSuchVariable as error:
        raise _failure(env, f"The variable '${name}' is not defined.") from error
    env.stack.append(copied(read(f"${path}", value) if path else value))


def variables(store: VariableStore) -> dict[str, Any]:
    """Return every variable in scope."""
    return store._outer_scope | store._inner_scope  # noqa: SLF001 - moto hands them out as text only


def _partition(values: list[Any], size: int) -> list[list[Any]]:
    return [values[start : start + int(size)] for start in range(0, len(values), int(size))]


def _range(first: int, last: int, step: int) -> list[int]:
    count = int((last - first) // step) + 1
    return [first + number * step for number in range(max(0, count))]


def _hash(value: Any, algorithm: str = "SHA-256") -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _random(seed: Any = None) -> float:
    return random.Random(seed).random()  # nosec B311  # noqa: S311 - a workflow's own random number, no secret


FUNCTIONS = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": json.loads,
}
