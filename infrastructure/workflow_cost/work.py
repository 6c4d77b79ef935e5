"""What one Task uses: its functions, Glue jobs, queries and requests."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infrastructure.workflow_cost import assumptions as assume
from infrastructure.workflow_cost.integrations import Call, argument, called
from infrastructure.workflow_cost.question import GlueCapacity
from infrastructure.workflow_cost.usage import Usage

if TYPE_CHECKING:
    from infrastructure.definition import State
    from infrastructure.workflow_cost.prices import Prices
    from infrastructure.workflow_cost.question import Question

DDL = re.compile(
    r"\s*(create\s+(external\s+table|database|schema|(or\s+replace\s+)?view)|drop|alter|show|describe|msck)\b",
    re.IGNORECASE,
)
"""Statements that Athena does not bill."""

S3_READS = re.compile(r"(get|head|select)\w*")
S3_FREE = re.compile(r"(delete|abort)\w*")

UNKNOWN_JOB = GlueCapacity(dpus=2, source="assumed: 2 workers G.1X, the fewest; see --workers")

SECONDS_A_MINUTE = 60


@dataclass(frozen=True)
class Done:
    """What a Task used, and what it set going.

    Attributes:
        usage: with the Task's own seconds; transitions and events are counted elsewhere.
        starts: seconds that work goes on which a later loop waits for, or 0.
        sources: what was assumed, by what it is about.
    """

    usage: Usage
    starts: float = 0.0
    sources: dict[str, str] = field(default_factory=dict)


def done(name: str, state: State, question: Question, prices: Prices) -> Done:
    """Return what the Task `name` uses in one run."""
    call = called(state)
    found = _by_service(call, name, state, question, prices)
    if name in question.durations:
        return _lasting(found, call, question.durations[name], question, name)
    if call.callback:
        waited = question.job_seconds or assume.OUTSIDE_SECONDS
        return Done(
            found.usage + Usage(seconds=waited), found.starts, {**found.sources, name: assume.OUTSIDE_SOURCE}
        )
    return found


def _by_service(call: Call, name: str, state: State, question: Question, prices: Prices) -> Done:
    if call.service == "lambda":
        return _function(_own_name(call.action, question), question, prices)
    if call.service == "glue" and call.action == "startJobRun":
        job = argument(state, "JobName")
        return _waited(_glue_job(job, question, prices), call)
    if call.service == "glue" and call.action == "startCrawler":
        return _crawler(question, prices)
    if call.service == "athena" and call.action == "startQueryExecution":
        return _waited(_query(name, _statement(state), question, prices), call)
    if call.service == "s3":
        return _s3(call.action)
    known_free = call.service in {"glue", "athena", "redshiftdata", "sfn"} and call.action.startswith(
        ("get", "list")
    )
    charged = Counter() if known_free else Counter({call.name: 1})
    return Done(Usage(seconds=assume.CALL_SECONDS, unpriced=charged), sources={call.name: assume.CALL_SOURCE})


def _function(name: str, question: Question, prices: Prices) -> Done:
    memory = question.memory.get(name, assume.DEFAULT_MEMORY_MB)
    work = _work(name, question.format, memory)
    seconds = work.duration(question.size)
    usage = Usage(
        seconds=seconds,
        lambda_requests=1,
        lambda_gb_seconds=memory / 1024 * seconds,
        s3_puts=work.puts,
        s3_gets=work.gets,
    )
    sources = {f"{name}, {memory} MB": work.source}
    if re.search(r"start.*glue", name):
        job = _glue_job(question.glue_by_step.get(name, ""), question, prices)
        return Done(usage + job.usage, job.starts, sources | job.sources)
    return Done(usage, sources=sources)


def _own_name(name: str, question: Question) -> str:
    """Return the project's name of a function whose deployed name has the app and the stage before it."""
    return next((own for own in question.memory if name.endswith(f"_{own}")), name)


def _work(name: str, form: str, memory: int) -> assume.Work:
    if name == "validate_file":
        return assume.VALIDATION.get(form, assume.VALIDATION["csv"])
    if name == "transform_file":
        return assume.TRANSFORM["ndjson" if form in {"json", "ndjson"} else "csv"]
    unknown = assume.UNKNOWN_READER if memory >= assume.READERS_MEMORY_MB else assume.UNKNOWN_FUNCTION
    return assume.FUNCTIONS.get(name, unknown)


def _glue_job(name: str, question: Question, prices: Prices) -> Done:
    """Return what a job run uses; it starts for a while, which is not billed, and then runs."""
    capacity = question.glue.get(name.strip("${}"), question.glue.get("", UNKNOWN_JOB))
    if capacity.python_shell:
        start, minimum = assume.PYTHON_SHELL_START_SECONDS, prices.minimums["glue_python_shell_seconds"]
        seconds = question.size / assume.PYTHON_SHELL_BYTES_PER_SECOND
        why = {"Python Shell job": assume.PYTHON_SHELL_SOURCE}
    else:
        start, minimum = assume.GLUE_START_SECONDS, prices.minimums["glue_spark_seconds"]
        speed = assume.SPARK_BYTES_PER_DPU_SECOND * max(capacity.dpus - 1, 1)
        seconds = assume.SPARK_SECONDS + question.size / speed
        why = {"start of a Glue job": assume.GLUE_START_SOURCE, "Glue job": assume.SPARK_SOURCE}
    if question.job_seconds is not None:
        seconds = max(question.job_seconds - start, 0)
    minutes = max(seconds, minimum) / SECONDS_A_MINUTE * capacity.dpus
    why[f"Glue job {name or 'of unknown name'}, {capacity.dpus:g} DPU"] = capacity.source
    return Done(Usage(glue_dpu_minutes=minutes), starts=start + seconds, sources=why)


def _crawler(question: Question, prices: Prices) -> Done:
    seconds = assume.CRAWLER_SECONDS if question.job_seconds is None else question.job_seconds
    billed = max(seconds, prices.minimums["glue_crawler_seconds"]) / SECONDS_A_MINUTE * assume.CRAWLER_DPUS
    usage = Usage(seconds=assume.CALL_SECONDS, glue_dpu_minutes=billed)
    return Done(usage, starts=seconds, sources={"crawler": assume.CRAWLER_SOURCE})


def _query(name: str, statement: str, question: Question, prices: Prices) -> Done:
    given = question.scans.get(name)
    sources = {"Athena": assume.ATHENA_SOURCE}
    if given == 0 or (given is None and DDL.match(statement)):
        return Done(Usage(s3_puts=1), starts=assume.ATHENA_SECONDS, sources=sources)
    if given is None and not statement:
        sources[f"query of {name}"] = assume.UNKNOWN_QUERY
    scanned = question.size if given is None else given
    billed = max(scanned, prices.minimums["athena_bytes_per_query"])
    seconds = assume.ATHENA_SECONDS + scanned / assume.ATHENA_BYTES_PER_SECOND
    return Done(Usage(athena_bytes=billed, s3_puts=2, s3_gets=1), starts=seconds, sources=sources)


def _statement(state: State) -> str:
    """Return the text of a query as far as the definition holds it."""
    formatted = re.match(r"\s*States\.Format\('(.*)", argument(state, "QueryString.$"), re.DOTALL)
    return formatted.group(1) if formatted else argument(state, "QueryString")


def _s3(action: str) -> Done:
    reads, free = S3_READS.fullmatch(action), S3_FREE.fullmatch(action)
    usage = Usage(seconds=assume.CALL_SECONDS, s3_gets=int(bool(reads)), s3_puts=int(not reads and not free))
    return Done(usage, sources={f"s3:{action}": assume.CALL_SOURCE})


def _waited(found: Done, call: Call) -> Done:
    """Put the time of the work into the state's own when the state waits for it."""
    if call.waits:
        return Done(found.usage + Usage(seconds=found.starts), sources=found.sources)
    return Done(found.usage + Usage(seconds=assume.CALL_SECONDS), found.starts, found.sources)


def _lasting(found: Done, call: Call, seconds: float, question: Question, name: str) -> Done:
    """Return the same work for a state that is known to take so many seconds."""
    gb_seconds = 0.0
    if call.service == "lambda":
        own = _own_name(call.action, question)
        memory = question.memory.get(own, assume.DEFAULT_MEMORY_MB)
        gb_seconds = memory / 1024 * seconds - found.usage.lambda_gb_seconds
    change = Usage(seconds=seconds - found.usage.seconds, lambda_gb_seconds=gb_seconds)
    return Done(
        found.usage + change, found.starts, {**found.sources, name: f"{math.ceil(seconds)} s, as given"}
    )
