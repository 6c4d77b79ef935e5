"""Stand-ins for the wrappers in chalicelib/aws, kept in memory. They pass the same contract tests."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import pipelines, settings
from chalicelib.aws.glue import JobRun
from chalicelib.errors import GlueIsBusy, LedgerChanged, RunConflict, UnknownFile, UnknownRun
from chalicelib.files import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class FakeS3:
    """Buckets as a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.landed: dict[tuple[str, str], datetime] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def put(self, bucket: str, key: str, body: bytes, age: timedelta = timedelta()) -> File:
        self.objects[bucket, key] = body
        self.landed[bucket, key] = self.clock() - age
        return self.find(bucket, key)

    def find(self, bucket: str, key: str, version: str | None = None) -> File:
        if (bucket, key) not in self.objects:
            raise UnknownFile(f"s3://{bucket}/{key}: there is no such file")
        body = self.objects[bucket, key]
        return File(bucket=bucket, key=key, etag=md5(body).hexdigest(), size=len(body), version=version)

    def is_current(self, file: File) -> bool:
        try:
            return self.find(file.bucket, file.key).etag == file.etag
        except UnknownFile:
            return False

    def open(self, file: File) -> io.BytesIO:
        if not self.is_current(file):
            raise UnknownFile(f"{file.uri}: the file is gone or was replaced since it landed")
        return io.BytesIO(self.objects[file.bucket, file.key])

    open_seekable = open

    def listing(self, bucket: str, prefix: str) -> Iterator[tuple[File, datetime]]:
        for found, key in sorted(self.objects):
            if found == bucket and key.startswith(prefix):
                yield self.find(bucket, key), self.landed[bucket, key]

    def read(self, bucket: str, key: str) -> tuple[bytes, str]:
        file = self.find(bucket, key)
        return self.objects[bucket, key], file.etag

    def replace(self, bucket: str, key: str, body: bytes, etag: str | None) -> None:
        if etag != (self.find(bucket, key).etag if (bucket, key) in self.objects else None):
            raise LedgerChanged(key)
        self.put(bucket, key, body)

    def put_text(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        self.put(bucket, key, body)

    def delete(self, bucket: str, key: str) -> None:
        self.objects.pop((bucket, key), None)

    def put_json(self, bucket: str, key: str, document: Any) -> None:
        self.put(bucket, key, json.dumps(document).encode())

    def read_json(self, bucket: str, key: str) -> Any:
        return json.load(self.open(self.find(bucket, key)))

    def copy(self, file: File, bucket: str, key: str) -> File:
        return self.put(bucket, key, self.open(file).read())

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        self.put(bucket, key, path.read_bytes())

    @contextlib.contextmanager
    def writing(self, bucket: str, key: str) -> Iterator[io.BytesIO]:
        sink = io.BytesIO()
        yield sink
        self.put(bucket, key, sink.getvalue())

    def move(self, file: File, bucket: str, key: str) -> None:
        if (file.bucket, file.key) in self.objects:
            self.put(bucket, key, self.objects.pop((file.bucket, file.key)))
        elif (bucket, key) not in self.objects:
            raise UnknownFile(file.uri)


@dataclass
class FakeLogs:
    """Log groups as lists of (milliseconds, message); a pattern selects by the run that it names."""

    groups: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def matching(
        self, group: str, since: int, until: int, *, pattern: str = "", streams: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        run = pattern.partition('"')[2].partition('"')[0]
        for number, (moment, message) in enumerate(self.groups.get(group, [])):
            if since <= moment <= until and run in message:
                yield {"eventId": f"{group}-{number}", "timestamp": moment, "message": message}


@dataclass
class FakeGlue:
    """Jobs whose runs stand as the test says."""

    states: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, dict[str, str]] = field(default_factory=dict)
    busy: bool = False
    started_at: float = 1000.0
    stopped: list[str] = field(default_factory=list)
    tables: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)
    places: dict[tuple[str, ...], str] = field(default_factory=dict)

    def start_job_run(self, job: str, arguments: dict[str, str]) -> JobRun:
        if self.busy:
            raise GlueIsBusy(f"Glue job {job}: concurrent runs exceeded")
        run_id = f"jr_{len(self.states)}"
        self.states[run_id], self.arguments[run_id] = "STARTING", dict(arguments)
        return self.job_run(job, run_id)

    def find_job_run(self, job: str, argument: str, value: str) -> JobRun | None:
        for run_id, arguments in self.arguments.items():
            if arguments.get(argument) == value:
                return self.job_run(job, run_id)
        return None

    def job_run(self, job: str, run_id: str) -> JobRun:
        state = self.states[run_id]
        error = "" if state == "SUCCEEDED" else "Java heap space"
        return JobRun(id=run_id, state=state, error=error, started_at=self.started_at)

    def stop_job_run(self, job: str, run_id: str) -> None:
        self.stopped.append(run_id)

    def put_table(self, database: str, table: str, columns: Any, partition_keys: Any, location: str) -> None:
        self.tables[table] = tuple(columns)

    def put_partition(self, database: str, table: str, values: Any, columns: Any, location: str) -> None:
        self.partitions[tuple(values)] = location

    def drop_runs(self, database: str, table: str, runs: Any) -> None:
        self.partitions = {key: place for key, place in self.partitions.items() if key[-1] not in runs}

    def point_partition(self, database: str, table: str, values: Any, columns: Any, location: str) -> None:
        self.places[table, *values] = location


@dataclass
class FakeJobs:
    """Job runs that have not ended: (job, id, the run's name)."""

    running: list[tuple[str, str, str]] = field(default_factory=list)

    def live(self, job: str, argument: str) -> list[tuple[str, str]]:
        return [(job_run, run) for known, job_run, run in self.running if known == job]

    def stop(self, job: str, run_id: str) -> None:
        self.running = [each for each in self.running if each[1] != run_id]


class FakeStepFunctions:
    """Executions as a list, newest first."""

    def __init__(self) -> None:
        self.executions: list[dict[str, Any]] = []
        self.redriven: list[str] = []
        self.failing: Exception | None = None
        self.made = datetime(2026, 1, 1, tzinfo=UTC)
        self.limit: int | None = 3600
        self.succeeded: list[tuple[str, dict[str, Any]]] = []
        self.failed: list[tuple[str, str, str]] = []
        self.ended_tokens: set[str] = set()

    def succeed_task(self, token: str, output: dict[str, Any]) -> None:
        self.keep_task_alive(token)
        self.succeeded.append((token, output))

    def fail_task(self, token: str, error: str, cause: str) -> None:
        self.keep_task_alive(token)
        self.failed.append((token, error, cause))

    def keep_task_alive(self, token: str) -> None:
        if token in self.ended_tokens:
            raise RunConflict(token)

    def created(self, machine: str) -> datetime:
        return self.made

    def time_limit(self, machine: str) -> int | None:
        return self.limit

    def add(self, execution: dict[str, Any]) -> None:
        self.executions.insert(0, execution)

    def start(self, machine: str, name: str, document: dict[str, Any]) -> bool:
        if self.failing:
            raise self.failing
        if any(found["name"] == name for found in self.executions):
            return False
        now = datetime.now(UTC)
        found = {"name": name, "status": "RUNNING", "startDate": now, "input": json.dumps(document)}
        self.add({**found, "machine": machine})
        return True

    def describe(self, machine: str, name: str) -> dict[str, Any]:
        for found in self.executions:
            if found["name"] == name:
                return found
        raise UnknownRun(f"run {name!r}: there is no such run")

    def page(
        self, machine: str, *, status: str | None, limit: int, token: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        rows = [
            found
            for found in self.executions
            if status in (None, found["status"])
            and machine == (found.get("machine") or machine_of(found["name"]))
        ]
        first = int(token or 0)
        more = first + limit < len(rows)
        keys = ("name", "status", "startDate", "stopDate", "redriveDate")
        page = [{key: row[key] for key in keys if row.get(key)} for row in rows[first : first + limit]]
        return page, str(first + limit) if more else None

    def definition(self, machine: str) -> tuple[dict[str, Any], datetime]:
        workflow = machine.removeprefix(settings.state_machine(""))
        text = (Path(__file__).parents[1] / "workflows" / f"{workflow}.asl.json").read_text(encoding="utf-8")
        return json.loads(text), self.made

    def definition_of_run(self, machine: str, name: str) -> dict[str, Any]:
        self.describe(machine, name)
        return self.definition(machine)[0]

    def map_run(self, arn: str) -> dict[str, int]:
        return {"total": 3, "succeeded": 1, "failed": 1, "timedOut": 0, "aborted": 0, "running": 1}

    def children(self, map_run: str, limit: int) -> list[dict[str, Any]]:
        return [{"name": "child", "status": "RUNNING", "startDate": self.made}]

    def history(self, machine: str, name: str) -> Iterator[dict[str, Any]]:
        yield from self.describe(machine, name).get("history", [])

    def stop(self, machine: str, name: str, cause: str) -> None:
        self.describe(machine, name).update(status="ABORTED", cause=cause, stopDate=datetime.now(UTC))

    def redrive(self, machine: str, name: str) -> None:
        if self.describe(machine, name)["status"] == "SUCCEEDED":
            raise RunConflict(name)
        self.redriven.append(name)


def machine_of(run: str) -> str:
    """Return the state machine of a run's pipeline."""
    return settings.state_machine(pipelines.named(run.partition("-")[0]).workflow)


@dataclass
class FakeAthena:
    """Queries whose results the test gives, by their ids."""

    results: dict[str, list[dict[str, str | None]]]

    def rows(self, query: str) -> list[dict[str, str | None]]:
        return self.results[query]


@dataclass
class FakeSNS:
    """A topic that remembers; `published` holds the text for people, `texts` that of every protocol."""

    published: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    texts: list[dict[str, str]] = field(default_factory=list)
    failing: Exception | None = None

    def publish(self, topic: str, subject: str, texts: dict[str, str], attributes: dict[str, str]) -> str:
        if self.failing:
            raise self.failing
        self.published.append((topic, subject, texts["default"], attributes))
        self.texts.append(texts)
        return f"message-{len(self.published)}"


class FakeTransaction:
    """Remembers statements; answers queries by the words that they contain."""

    def __init__(self, answers: dict[str, list[list[Any]]]) -> None:
        self.answers = answers
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    def run(self, statement: str, *values: Any) -> None:
        self.statements.append((statement, values))

    def rows(self, statement: str, *values: Any) -> list[list[Any]]:
        self.statements.append((statement, values))
        return next((rows for words, rows in self.answers.items() if words in statement), [])


class FakeRedshift:
    """A warehouse with one transaction at a time; `committed` holds those that ended well."""

    def __init__(self, answers: dict[str, list[list[Any]]] | None = None) -> None:
        self.answers = answers or {}
        self.committed: list[FakeTransaction] = []

    @contextlib.contextmanager
    def transaction(self) -> Iterator[FakeTransaction]:
        transaction = FakeTransaction(self.answers)
        yield transaction
        self.committed.append(transaction)
