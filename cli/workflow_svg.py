"""A workflow's definition as an SVG picture, laid out by the console's own code."""

from __future__ import annotations

import functools
import json
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from cli.project import root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Errors = Literal["summary", "all", "none"]

LAYOUT = "chalicelib/console/layout.js"
"""The console's layout, built from console/src/layout; it has one function that takes and gives JSON."""

MARGIN = 12

CUT = 13
"""Pixels that a Choice's corners are cut by."""

CLONE = """
  globalThis.structuredClone = function clone(value) {
    if (Array.isArray(value)) return value.map(clone);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, clone(inner)]));
  };
"""
"""What browsers have and the engine has not; dagre copies plain documents with it."""

STYLE = """
  svg { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
  .ground { fill: #fff }
  .shape { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.3 }
  .box { fill: none; stroke-dasharray: 4 3 }
  .Choice { fill: #fff8e5; stroke: #9a6700 }
  .Succeed { fill: #e6f4ea; stroke: #1e7d32 }
  .Fail { fill: #fdeceb; stroke: #b3261e }
  .start { fill: #57606a }
  text { fill: #1f2328; text-anchor: middle }
  .arrow { fill: none; stroke: #57606a; stroke-width: 1.3 }
  .error { stroke: #b3261e; stroke-dasharray: 3 3 }
  .label { fill: #57606a; font-size: 11px }
  .label-ground { fill: #fff }
  .tip { fill: #57606a }
  .tip-error { fill: #b3261e }
  @media (prefers-color-scheme: dark) {
    .ground, .label-ground { fill: #0d1117 }
    .shape { fill: #161b22; stroke: #8b949e }
    .box { fill: none }
    .Choice { fill: #2b2111; stroke: #d29922 }
    .Succeed { fill: #12261a; stroke: #3fb950 }
    .Fail { fill: #2d1416; stroke: #f85149 }
    .start, .tip { fill: #8b949e }
    text { fill: #e6edf3 }
    .arrow { stroke: #8b949e }
    .error { stroke: #f85149 }
    .tip-error { fill: #f85149 }
    .label { fill: #9da7b3 }
  }
"""
"""Colours for light and dark: a page that shows the picture as an image can give it none."""


def svg(name: str, definition: dict[str, Any], *, errors: Errors = "summary") -> str:
    """Return the picture of a definition.

    Args:
        name: the workflow's, for those who hear the picture.
        definition: the workflow.
        errors: where a caught error leads: `summary` draws one source for those that most states share,
            `all` an arrow from each state, `none` neither them nor what they alone lead to.
    """
    picture = json.loads(_layout()(json.dumps(definition), json.dumps({"errors": errors})))
    width, height = picture["width"], picture["height"]
    told = (
        f"{definition.get('Comment', '')} Begins with {definition['StartAt']}; {len(picture['nodes'])} boxes."
    )
    size, named = f'width="{width}" height="{height}"', 'aria-labelledby="title told"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img" {named}>',
        f'<title id="title">Workflow {escape(name)}</title>',
        f'<desc id="told">{escape(told.strip())}</desc>',
        f"<style>{STYLE}</style>",
        _tip("tip"),
        _tip("tip-error"),
        f'<rect class="ground" width="{width}" height="{height}" rx="8"/>',
        *(_box(node) for node in picture["nodes"] if node["box"]),
        *(line for edge in picture["edges"] for line in _arrow(edge)),
        *(_node(node) for node in picture["nodes"] if not node["box"]),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@functools.cache
def _layout() -> Any:
    import quickjs  # noqa: PLC0415 - an engine that only drawing needs

    engine = quickjs.Context()
    engine.eval(CLONE)
    engine.eval((root() / LAYOUT).read_text(encoding="utf-8"))
    return engine.eval("decantLayout.layOutText")


def _tip(name: str) -> str:
    return (
        f'<marker id="{name}" class="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse" markerUnits="userSpaceOnUse">'
        '<path d="M0 0.5 8 4 0 7.5Z"/></marker>'
    )


def _box(node: dict[str, Any]) -> str:
    shape = (
        f'<rect class="shape box" x="{node["x"]}" y="{node["y"]}" width="{node["width"]}" '
        f'height="{node["height"]}" rx="8"/>'
    )
    return shape + _text(node, node["y"] + 18, f"{node['name']} ({node['type']})")


def _node(node: dict[str, Any]) -> str:
    x, y, width, height = (node[key] for key in ("x", "y", "width", "height"))
    if node["type"] == "Start":
        return f'<circle class="start" cx="{x + 8}" cy="{y + 8}" r="6"/>'
    if node["type"] == "Error":
        return _text(node, y + height / 2, node["name"], "label")
    told = f"<title>{escape(node['comment'] or node['type'])}</title>"
    if node["type"] == "Choice":
        middle, right = y + height / 2, x + width
        upper = f"M{x + CUT} {y}H{right - CUT}L{right} {middle}"
        path = f"{upper}L{right - CUT} {y + height}H{x + CUT}L{x} {middle}Z"
        shape = f'<path class="shape Choice" d="{path}"/>'
    else:
        round_ = height / 2 if node["type"] in {"Wait", "Succeed", "Fail"} else 5
        place = f'x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_}"'
        shape = f'<rect class="shape {node["type"]}" {place}/>'
    return f"<g>{told}{shape}{_text(node, y + height / 2, node['name'])}</g>"


def _text(node: dict[str, Any], middle: float, words: str, kind: str = "") -> str:
    of_kind = f' class="{kind}"' if kind else ""
    place = f'x="{node["x"] + node["width"] / 2:g}" y="{middle:g}"'
    return f'<text{of_kind} {place} dy="0.35em">{escape(words)}</text>'


def _arrow(edge: dict[str, Any]) -> Iterator[str]:
    error = edge["kind"] == "error"
    kind, tip = ("arrow error", "tip-error") if error else ("arrow", "tip")
    yield f'<path class="{kind}" d="{_curve(edge["points"])}" marker-end="url(#{tip})"/>'
    if edge["label"] and not error:
        half = len(edge["label"]) * 3.1 + 4
        place = f'x="{edge["labelX"] - half:g}" y="{edge["labelY"] - 8:g}" width="{2 * half:g}"'
        yield f'<rect class="label-ground" {place} height="16" rx="4"/>'
        words = f"<title>{escape(edge['title'])}</title>{escape(edge['label'])}"
        yield f'<text class="label" x="{edge["labelX"]}" y="{edge["labelY"]}" dy="0.35em">{words}</text>'


def _curve(points: Sequence[Sequence[float]]) -> str:
    """Return a line through the middle of every stretch, round at every bend."""
    (x, y), *rest = points
    if len(rest) == 1:
        return f"M{x} {y}L{rest[0][0]} {rest[0][1]}"
    drawn = f"M{x} {y}"
    for number, (point, after) in enumerate(pairwise(rest), 1):
        last = number == len(rest) - 1
        end = after if last else ((point[0] + after[0]) / 2, (point[1] + after[1]) / 2)
        drawn += f"Q{point[0]} {point[1]} {end[0]:g} {end[1]:g}"
    return drawn
