"""Checks a definition before it is accepted, and keeps the parsed program of each one in use."""

from __future__ import annotations

import functools
import json
import threading
from typing import TYPE_CHECKING, Any

from antlr4 import CommonTokenStream, InputStream
from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException, SyntaxErrorListener
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from local_aws.services.step_functions.errors import InvalidDefinition
from local_aws.services.step_functions.graph import Finding, findings
from local_aws.services.step_functions.record import EXPRESS, STANDARD

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.component.program.program import Program

DEFINITION_LIMIT = 1_048_576  # bytes
PROGRAMS_KEPT = 256

_parsing = threading.Lock()  # the preprocessor keeps its query language in a list of the class


def check(definition: str, kind: str = STANDARD) -> None:
    """Raise InvalidDefinition with the first thing that is wrong with the definition."""
    for finding in diagnose(definition, kind):
        raise InvalidDefinition(f"Invalid State Machine Definition: '{finding}'")


@functools.lru_cache(maxsize=PROGRAMS_KEPT)
def diagnose(definition: str, kind: str = STANDARD) -> tuple[Finding, ...]:
    """Return everything that is wrong with the definition; nothing means that it can run."""
    if len(definition.encode()) > DEFINITION_LIMIT:
        return (Finding("DEFINITION_TOO_LARGE", f"The definition exceeds {DEFINITION_LIMIT} bytes", "/"),)
    try:
        document = json.loads(definition)
    except ValueError as error:
        return (Finding("INVALID_JSON_DESCRIPTION", str(error), "/"),)
    found = findings(document, express=kind == EXPRESS)
    if found:
        return tuple(found)
    try:
        program(definition)
    except ASLParserException as error:
        return (Finding("SCHEMA_VALIDATION_FAILED", "; ".join(error.errors), "/"),)
    except Exception as error:  # noqa: BLE001 - the preprocessor raises every built-in exception for bad fields
        return (Finding("SCHEMA_VALIDATION_FAILED", f"{type(error).__name__}: {error}", "/"),)
    return ()


@functools.lru_cache(maxsize=PROGRAMS_KEPT)
def program(definition: str) -> Program:
    """Return the program of a state machine. Programs hold no state, so executions share them."""
    text = json.dumps(_in_grammar(json.loads(definition)), ensure_ascii=False)
    listener = SyntaxErrorListener()
    with _parsing:
        Preprocessor._query_language_per_scope = []  # noqa: SLF001 - a bad definition leaves its scopes in it
        parser = ASLParser(CommonTokenStream(ASLLexer(InputStream(text))))
        parser.removeErrorListeners()
        parser.addErrorListener(listener)
        tree = parser.state_machine()
        if listener.errors:
            raise ASLParserException(errors=listener.errors)
        parsed: Program = Preprocessor().visit(tree)
        return parsed


def _in_grammar(value: Any, key: str = "") -> Any:
    """Write what AWS accepts in the one form that moto's grammar has for it."""
    if isinstance(value, dict):
        value = _limited_listing(value) if key == "ItemReader" else value
        return {name: _in_grammar(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_in_grammar(item) for item in value]
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and key == "ToleratedFailurePercentage" else value


def _limited_listing(reader: dict[str, Any]) -> dict[str, Any]:
    """Let the listing itself stop at MaxItems: the grammar has no ReaderConfig without an InputType."""
    limits = reader.get("ReaderConfig")
    if not isinstance(limits, dict) or "InputType" in limits:
        return reader
    renamed = {name.replace("MaxItemsPath", "MaxItems.$"): limit for name, limit in limits.items()}
    where = "Arguments" if "Arguments" in reader else "Parameters"
    return {
        **{name: item for name, item in reader.items() if name != "ReaderConfig"},
        where: {**reader.get(where, {}), "PaginationConfig": renamed},
    }
