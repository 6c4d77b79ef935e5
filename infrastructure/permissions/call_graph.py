"""Which definitions of the source tree a function can reach, found by the types that mypy works out."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mypy import build
from mypy.modulefinder import BuildSource
from mypy.nodes import RefExpr, TypeInfo
from mypy.options import Options
from mypy.types import AnyType, CallableType, Instance, TupleType, TypeType, UnionType, get_proper_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy.nodes import Expression, MypyFile, SymbolNode
    from mypy.types import Type

OURS = ("app", "chalicelib")


@dataclass
class Definition:
    """A function, method, class or module variable.

    Attributes:
        name: such as `chalicelib.aws.s3.S3.find`.
        module: such as `chalicelib.aws.s3`.
        uses: the definitions that its body names: called at once, or handed on to be called later.
        untyped: attributes of values whose type is not known, and texts: how boto3's operations appear.
        decorators: the last names of its decorators, such as `endpoint`.
    """

    name: str
    module: str
    uses: set[str] = field(default_factory=set)
    untyped: set[str] = field(default_factory=set)
    decorators: set[str] = field(default_factory=set)


class CallGraph:
    """The definitions of app.py and chalicelib, and which of them each one uses."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self.definitions = definitions

    def reached(self, start: str, without: frozenset[tuple[str, str]] = frozenset()) -> dict[str, str]:
        """Return every definition that `start` can reach, with the one through which it is reached first.

        Args:
            start: a definition's name.
            without: uses that do not count, as (user, used).
        """
        through = {start: ""}
        waiting = deque([start])
        while waiting:
            name = waiting.popleft()
            for used in sorted(self.definitions[name].uses):
                if used in self.definitions and used not in through and (name, used) not in without:
                    through[used] = name
                    waiting.append(used)
        return through


@functools.cache
def read(root: Path) -> CallGraph:
    """Return the call graph of the source tree at `root`; takes about four seconds of a core."""
    options = Options()
    options.incremental = False
    options.export_types = options.preserve_asts = options.check_untyped_defs = True
    options.ignore_errors = options.ignore_missing_imports = True
    options.follow_imports = "skip"  # what other libraries do is no part of the graph
    options.mypy_path = [str(root)]
    texts = _texts(root)
    sources = [BuildSource(None, module, text) for module, text in texts.items()]
    result = build.build(sources, options)
    reader = _Reader(result.types)
    for module, text in texts.items():
        reader.read(ast.parse(text), module)
    _link_classes(reader.definitions, [result.files[module] for module in texts])
    return CallGraph(reader.definitions)


def _texts(root: Path) -> dict[str, str]:
    """Return each module's source, moved down so that no two modules share a line's number.

    mypy gives the types of all modules in one table, whose entries know their line but not their module.
    """
    texts, lines = {}, 0
    for path in [root / "app.py", *sorted((root / "chalicelib").rglob("*.py"))]:
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        texts[module] = "\n" * lines + path.read_text(encoding="utf-8")
        lines = texts[module].count("\n") + 1
    return texts


class _Reader:
    """Collects definitions: the syntax is from Python's own parser, the types are from mypy."""

    def __init__(self, types: Mapping[Expression, Type]) -> None:
        self.definitions: dict[str, Definition] = {}
        self._module = ""
        self._types: dict[tuple[Any, ...], list[tuple[Expression, Type]]] = defaultdict(list)
        for expression, kind in types.items():
            place = (expression.line, expression.column, expression.end_line, expression.end_column)
            self._types[place].append((expression, kind))

    def read(self, tree: ast.Module, module: str) -> None:
        """Read one module."""
        self._module = module
        self._collect(tree, module)

    def _collect(self, node: ast.AST, owner: str) -> None:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.FunctionDef):
                self._define(f"{owner}.{each.name}", each)
            elif isinstance(each, ast.ClassDef):
                self.definitions[f"{owner}.{each.name}"] = Definition(f"{owner}.{each.name}", self._module)
                self._collect(each, f"{owner}.{each.name}")
            elif isinstance(each, ast.Assign | ast.AnnAssign):
                for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
                    for name in ast.walk(target):
                        if isinstance(name, ast.Name):
                            self._define(f"{owner}.{name.id}", each.value or target)
            elif isinstance(each, ast.If | ast.Try):
                self._collect(each, owner)

    def _define(self, name: str, node: ast.AST) -> None:
        definition = self.definitions.setdefault(name, Definition(name, self._module))
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                definition.untyped.add(each.value)
            elif isinstance(each, ast.Name):
                definition.uses |= {_name(found.node) for found in self._references(each)}
            elif isinstance(each, ast.Attribute):
                self._attribute(each, definition)
        for each in getattr(node, "decorator_list", []):
            called = each.func if isinstance(each, ast.Call) else each
            definition.decorators.add(str(getattr(called, "attr", getattr(called, "id", ""))))

    def _attribute(self, node: ast.Attribute, definition: Definition) -> None:
        """Note what an attribute stands for, by the type of what it is an attribute of."""
        definition.uses |= {_name(found.node) for found in self._references(node)}
        for _, kind in self._found(node.value):
            for found in _plain(kind):
                if isinstance(found, AnyType):
                    definition.untyped.add(node.attr)
                elif owner := _class_of(found):
                    symbol = owner.get(node.attr)
                    definition.uses.add(_name(symbol.node if symbol else None))

    def _references(self, node: ast.expr) -> Iterator[RefExpr]:
        for expression, _ in self._found(node):
            if isinstance(expression, RefExpr):
                yield expression

    def _found(self, node: ast.expr) -> list[tuple[Expression, Type]]:
        return self._types.get((node.lineno, node.col_offset, node.end_lineno, node.end_col_offset), [])


def _link_classes(definitions: Mapping[str, Definition], trees: list[MypyFile]) -> None:
    """Let who makes an object reach what Python and other libraries call on it; and overrides."""
    for info in [each.node for tree in trees for each in tree.names.values()]:
        if not isinstance(info, TypeInfo) or info.fullname not in definitions:
            continue
        made = definitions[info.fullname]
        for name in info.names:
            method = f"{info.fullname}.{name}"
            if name.startswith("__"):
                made.uses.add(method)
            for base in info.mro[1:]:
                if name not in base.names:
                    continue
                if base.fullname.split(".")[0] not in OURS:
                    made.uses.add(method)
                elif f"{base.fullname}.{name}" in definitions:
                    definitions[f"{base.fullname}.{name}"].uses.add(method)


def _name(node: SymbolNode | None) -> str:
    return node.fullname if node is not None else ""


def _class_of(kind: object) -> TypeInfo | None:
    if isinstance(kind, Instance):
        return kind.type
    if isinstance(kind, CallableType) and kind.is_type_obj():
        return kind.type_object()
    return None


def _plain(kind: Type | None) -> Iterator[object]:
    """Yield what a type consists of, without unions and tuples."""
    found = get_proper_type(kind)
    if isinstance(found, UnionType):
        for item in found.items:
            yield from _plain(item)
    elif isinstance(found, TupleType):
        yield found.partial_fallback
    elif isinstance(found, TypeType):
        yield from _plain(found.item)
    elif found is not None:
        yield found
