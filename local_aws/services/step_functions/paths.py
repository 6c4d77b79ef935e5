"""JSONPath: a path that can mean one value gives that value, any other gives a list."""

from __future__ import annotations

import functools
import re
from typing import Any

from jsonpath_ng.ext.parser import parse
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

from local_aws.services.step_functions.mending import mend, mend_everywhere

PATHS_KEPT = 4096
STEP = re.compile(r"""\.([^\W\d][\w-]*)|\[(-?\d+)\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]""")
# Of the paths that are not a plain walk: those that can match more than once.
MANY = re.compile(r"\*|\.\.|\?\(|\[[^\]'\"]*[:,]")
ENDS_WITH_INDEX = re.compile(r"\[\d+\]$")


def install() -> None:
    """Mend how paths are read: `$.list[1].key` is a value, `$.a-b` has a hyphen in its name."""
    mend_everywhere("extract_json", read)
    mend(result_path, "parse", functools.lru_cache(maxsize=PATHS_KEPT)(result_path.parse))


def read(path: str, data: Any) -> Any:
    """Return what `path` leads to in `data`.

    Raises:
        NoSuchJsonPathError: it leads nowhere, and can mean one value only.

    """
    steps = _walk(path)
    if steps is not None:
        return _walked(path, steps, data)
    values = [match.value for match in _parsed(path).find(data)]
    if MANY.search(path):
        return values[0] if len(values) == 1 and ENDS_WITH_INDEX.search(path) else values
    if not values:
        raise NoSuchJsonPathError(json_path=path, data=data)
    return values[0]


@functools.lru_cache(maxsize=PATHS_KEPT)
def _walk(path: str) -> tuple[str | int, ...] | None:
    """Return the names and indexes of a plain path such as `$.a.b[0]['c d']`, or None."""
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    place = 1
    while place < len(path):
        matched = STEP.match(path, place)
        if matched is None:
            return None
        name, index, *quoted = matched.groups()
        steps.append(
            int(index) if index is not None else next(text for text in (name, *quoted) if text is not None)
        )
        place = matched.end()
    return tuple(steps)


def _walked(path: str, steps: tuple[Any, ...], data: Any) -> Any:
    value = data
    try:
        for step in steps:
            if not isinstance(value, list if isinstance(step, int) else dict):
                raise NoSuchJsonPathError(json_path=path, data=data)
            value = value[step]
    except (KeyError, IndexError) as error:
        raise NoSuchJsonPathError(json_path=path, data=data) from error
    return value


_parsed = functools.lru_cache(maxsize=PATHS_KEPT)(parse)
