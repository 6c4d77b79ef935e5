"""Intrinsic functions: their text is JSON-decoded, and a fault in it is an error, not a guess."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from antlr4 import CommonTokenStream, InputStream
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicLexer import ASLIntrinsicLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicParser import ASLIntrinsicParser
from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import ArgumentLiteral
from moto.stepfunctions.parser.asl.parse.asl_parser import ASLParserException, SyntaxErrorListener
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor

from local_aws.services.step_functions.mending import mend

if TYPE_CHECKING:
    import re


def install() -> None:
    """Mend the parser of intrinsic functions."""
    mend(IntrinsicParser, "parse", staticmethod(_parse))
    mend(Preprocessor, "visitFunc_arg_float", _float)
    mend(Preprocessor, "_replace_escaped_characters", staticmethod(_unescaped))


def _parse(source: str) -> tuple[Any, Any]:
    """Return the function that a string of the definition calls, and its parse tree."""
    text = json.loads(f'"{source}"')
    listener = SyntaxErrorListener()
    lexer = ASLIntrinsicLexer(InputStream(text))
    parser = ASLIntrinsicParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(listener)
    tree = parser.func_decl()
    if listener.errors:
        raise ASLParserException(errors=[f"{text}: {error}" for error in listener.errors])
    return Preprocessor().visit(tree), tree


def _float(_: Preprocessor, ctx: Any) -> ArgumentLiteral:
    return ArgumentLiteral(definition_value=float(ctx.getText()))


def _unescaped(escape: re.Match[str]) -> str:
    return escape[1] if escape[1] in "'\\" else escape[0]
