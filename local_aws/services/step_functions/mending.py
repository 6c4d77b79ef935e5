"""The one way in which parts of moto's interpreter are replaced."""

from __future__ import annotations

import sys
from typing import Any

PARSER = "moto.stepfunctions.parser."


def mend(owner: Any, name: str, replacement: Any) -> None:
    """Replace an attribute of a class or module of moto's interpreter.

    Raises:
        AttributeError: moto has it no more, so an upgrade changed what is mended here.

    """
    getattr(owner, name)
    setattr(owner, name, replacement)


def mend_everywhere(name: str, replacement: Any) -> None:
    """Replace a function in every module of the interpreter that has imported it by name."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(PARSER) and hasattr(module, name):
            setattr(module, name, replacement)
