"""One way through a workflow, walked: what it uses, turn by turn and item by item."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from infrastructure.definition import levels, processor
from infrastructure.workflow_cost import assumptions as assume
from infrastructure.workflow_cost.integrations import called
from infrastructure.workflow_cost.usage import Usage
from infrastructure.workflow_cost.ways import Way, ways
from infrastructure.workflow_cost.work import done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infrastructure.definition import Level, State
    from infrastructure.workflow_cost.prices import Prices
    from infrastructure.workflow_cost.question import Question

INLINE_CONCURRENCY = 40
"""Items of an inline Map that run at once when MaxConcurrency is 0: the documented most."""

DISTRIBUTED_CONCURRENCY = 10_000
"""Child runs of a Distributed Map at once, by default."""

LISTED_AT_ONCE = 1000
"""Keys in one answer of ListObjectsV2."""

MOST_TURNS = 100_000
"""Where the estimate of a loop stops; far beyond the longest history."""

EVENTS = {"Succeed": 2, "Fail": 1, "Map": 4, "Parallel": 4, "Task": 5}
"""Events of a state in the run's history, beside those of its items; 2 of every other type."""

RUN_EVENTS = 2


@dataclass(frozen=True)
class Turns:
    """A loop and how often a run goes round it.

    Attributes:
        states: the loop's states.
        number: turns beyond the states that the way passes anyway.
        reason: what the number was estimated from.
    """

    states: tuple[str, ...]
    number: int
    reason: str


@dataclass(frozen=True)
class Walked:
    """What a way uses.

    Attributes:
        way: its states, those of its level only.
        usage: everything, with the loops' turns and the items.
        turns: each loop, the inner levels' too.
        inside: the way taken inside each Map or Parallel state, by the path of the state.
        sources: what was assumed.
        fails: it ends in a Fail state.
        not_express: why an Express run is not possible, or "".
        longest_call: seconds of the longest call of a function.
    """

    way: Way
    usage: Usage
    turns: tuple[Turns, ...] = ()
    inside: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    not_express: str = ""
    longest_call: float = 0.0

    @property
    def passed(self) -> set[str]:
        """Every state that the way passes, at any level."""
        return {*self.way.states, *(name for names in self.inside.values() for name in names)}


@dataclass(frozen=True)
class Visit:
    """What one visit of a state uses, and what it leaves running."""

    walked: Walked
    starts: float = 0.0


NO_WAY = Way((), ())


class Walker:
    """Walks the levels of one definition for one question."""

    def __init__(self, definition: dict[str, Any], question: Question, prices: Prices) -> None:
        self._question, self._prices = question, prices
        self._levels = list(levels(definition))

    def walk_all(self) -> Iterator[Walked]:
        """Yield every way through the workflow's own level that passes the states asked for."""
        for way in ways(self._levels[0], self._question.assumed):
            walked = self._walk(self._levels[0], way)
            if set(self._question.through) <= walked.passed:
                yield replace(walked, usage=walked.usage + Usage(events=RUN_EVENTS))

    def _walk(self, level: Level, way: Way) -> Walked:
        visits = {name: self._visit(level, name) for name in way.states}
        total = Walked(way, Usage(), fails=level.states[way.states[-1]].get("Type") == "Fail")
        for name in way.states:
            total = _joined(total, visits[name].walked)
        for loop in way.loops:
            turns, usage = self._turns(level, way, loop, visits)
            total = replace(total, usage=total.usage + usage, turns=(*total.turns, turns))
        return total

    def _visit(self, level: Level, name: str, pause: float | None = None) -> Visit:
        state = level.states[name]
        kind = str(state.get("Type"))
        entered = Usage(
            transitions=1,
            events=EVENTS.get(kind, 2),
            seconds=0 if kind == "Fail" else assume.TRANSITION_SECONDS,
        )
        if kind == "Task":
            return self._task(name, state, entered)
        if kind == "Wait":
            seconds = self._pause(state, 0.0) if pause is None else pause
            return Visit(Walked(NO_WAY, entered + Usage(seconds=seconds)))
        if kind == "Parallel":
            return Visit(self._parallel(level, name, entered))
        if kind == "Map":
            return Visit(self._map(level, name, state, entered))
        return Visit(Walked(NO_WAY, entered))

    def _task(self, name: str, state: State, entered: Usage) -> Visit:
        found, call = done(name, state, self._question, self._prices), called(state)
        submitted = Usage(events=int(call.callback or (call.waits and call.service != "lambda")))
        slow = (
            ""
            if call.service == "lambda" and not call.callback
            else _not_express(name, call.waits, call.callback)
        )
        walked = Walked(
            NO_WAY,
            entered + submitted + found.usage,
            sources=found.sources,
            not_express=slow,
            longest_call=found.usage.seconds if call.service == "lambda" and not call.callback else 0.0,
        )
        return Visit(walked, found.starts)

    def _parallel(self, level: Level, name: str, entered: Usage) -> Walked:
        branches = [self._longest(each) for each in self._inside(level, name)]
        total = Walked(NO_WAY, entered)
        for branch in branches:
            total = _joined(total, branch, level.path(name))
        seconds = max((branch.usage.seconds for branch in branches), default=0.0)
        return replace(total, usage=replace(total.usage, seconds=entered.seconds + seconds))

    def _map(self, level: Level, name: str, state: State, entered: Usage) -> Walked:
        inside = self._inside(level, name)
        if not inside:
            return Walked(NO_WAY, entered)
        item, items = self._longest(inside[0]), self._question.items
        config = (processor(state) or {}).get("ProcessorConfig") or {}
        total = _joined(Walked(NO_WAY, Usage()), item, level.path(name))
        if config.get("Mode") == "DISTRIBUTED":
            usage = self._children(state, item, express=config.get("ExecutionType") == "EXPRESS")
            return replace(total, usage=entered + usage, not_express=f"{name} is a Distributed Map")
        at_once = _number(state.get("MaxConcurrency")) or INLINE_CONCURRENCY
        seconds = math.ceil(items / at_once) * item.usage.seconds
        usage = item.usage.times(items) + Usage(events=2 * items)
        return replace(total, usage=entered + replace(usage, seconds=seconds))

    def _children(self, state: State, item: Walked, *, express: bool) -> Usage:
        """Return what a Distributed Map uses: each child run has a history of its own."""
        batcher, reader = state.get("ItemBatcher") or {}, state.get("ItemReader") or {}
        children = math.ceil(self._question.items / (_number(batcher.get("MaxItemsPerBatch")) or 1))
        lists = "list" in str(reader.get("Resource", "")).lower()
        at_once = _number(state.get("MaxConcurrency")) or DISTRIBUTED_CONCURRENCY
        own = Usage(
            events=2,
            seconds=math.ceil(children / at_once) * item.usage.seconds,
            s3_puts=(math.ceil(self._question.items / LISTED_AT_ONCE) if lists else 0)
            + (1 if "ResultWriter" in state else 0),
            s3_gets=int(bool(reader) and not lists),
        )
        used = replace(item.usage, events=0, seconds=0.0)
        if express:
            memory = self._prices.minimums["express_memory_step_mb"] / 1024
            used = replace(
                used, transitions=0, child_requests=1, child_gb_seconds=memory * item.usage.seconds
            )
        return own + used.times(children)

    def _inside(self, level: Level, name: str) -> list[Level]:
        found = [each for each in self._levels if each.within is not None and each.container == name]
        return [each for each in found if each.within is not None and each.within.path("") == level.path("")]

    def _longest(self, level: Level) -> Walked:
        """Return the way with the most transitions that does not fail, through the states asked for."""
        walked = [self._walk(level, way) for way in ways(level, self._question.assumed)]
        through = set(self._question.through)
        return max(
            walked, key=lambda each: (len(through & each.passed), not each.fails, each.usage.transitions)
        )

    def _turns(
        self, level: Level, way: Way, loop: tuple[str, ...], visits: dict[str, Visit]
    ) -> tuple[Turns, Usage]:
        """Go round a loop until what it waits for is done."""
        if not any(level.states[name].get("Type") == "Wait" for name in loop):
            once = sum((self._visit(level, name).walked.usage for name in loop), Usage())
            return Turns(loop, 1, "assumed: one more turn; nothing in it waits"), once
        lasts, elapsed, reason = self._awaited(way, loop, visits)
        waits = [level.states[name] for name in loop if level.states[name].get("Type") == "Wait"]
        busy = sum((self._visit(level, name, 0.0).walked.usage for name in loop), Usage())
        paused, number = 0.0, 0
        while elapsed < lasts and number < MOST_TURNS:
            pause = sum(self._pause(wait, elapsed) for wait in waits)
            paused, elapsed, number = paused + pause, elapsed + pause + busy.seconds, number + 1
        return Turns(loop, number, reason), busy.times(number) + Usage(seconds=paused)

    def _awaited(self, way: Way, loop: tuple[str, ...], visits: dict[str, Visit]) -> tuple[float, float, str]:
        """Return how long the work lasts that a loop waits for, how long ago it began, and why."""
        begun, lasts, clock, starter = 0.0, 0.0, 0.0, ""
        last = max(index for index, name in enumerate(way.states) if name in loop)
        for name in way.states[: last + 1]:
            clock += visits[name].walked.usage.seconds
            if visits[name].starts:
                begun, lasts, starter = clock, visits[name].starts, name
        if starter:
            return lasts, clock - begun, f"what {starter} starts takes {lasts:.0f} s"
        lasts = self._question.job_seconds or assume.OUTSIDE_SECONDS
        return (
            lasts,
            0.0,
            assume.OUTSIDE_SOURCE if self._question.job_seconds is None else f"{lasts:.0f} s, as given",
        )

    def _pause(self, state: State, elapsed: float) -> float:
        if state.get("Type") != "Wait":
            return 0.0
        seconds = state.get("Seconds")
        if isinstance(seconds, int | float):
            return float(seconds)
        if "Timestamp" in state or "TimestampPath" in state:
            return assume.OUTSIDE_SECONDS
        return self._question.waits.pause(elapsed)


def _joined(total: Walked, more: Walked, container: str = "") -> Walked:
    inside = {**total.inside, **more.inside}
    if container:
        inside[container] = (*inside.get(container, ()), *more.way.states)
    return replace(
        total,
        usage=total.usage + more.usage,
        turns=(*total.turns, *more.turns),
        inside=inside,
        sources=total.sources | more.sources,
        not_express=total.not_express or more.not_express,
        longest_call=max(total.longest_call, more.longest_call),
    )


def _not_express(name: str, waits: bool, callback: bool) -> str:
    if callback:
        return f"{name} waits for a task token or an activity"
    return f"{name} waits by .sync" if waits else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
