"""Runs queries on a few threads: QUEUED, RUNNING, then how it ended."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local_aws.services.athena.catalogue import Catalogue
from local_aws.services.athena.ddl import DDL
from local_aws.services.athena.engine_errors import as_failure
from local_aws.services.athena.failure import QueryCancelledError, QueryFailedError, unsupported
from local_aws.services.athena.results import write_rows, write_text
from local_aws.services.athena.session import Session
from local_aws.services.athena.show import SHOW
from local_aws.services.athena.statement import bound, parsed, without_comments_before
from local_aws.services.athena.write_statements import WRITES

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.runtime import Runtime
    from local_aws.services.athena.execution import Execution
    from local_aws.services.athena.execution_store import ExecutionStore

# AWS runs at least 20 at once; here each has an engine of its own, and DuckDB has all cores already.
_AT_ONCE = 4
_INTERRUPT_SECONDS = 0.05


class Runner:
    """The queries of one embedded AWS that have not ended."""

    def __init__(self, runtime: Runtime, store: ExecutionStore) -> None:
        self._runtime = runtime
        self.store = store
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._unfinished: dict[str, Execution] = {}
        self._sessions: dict[str, Session] = {}
        self._stopped: set[str] = set()
        self._closing = False

    def submit(self, execution: Execution) -> None:
        """Keep an execution and queue it; it is on disk when this returns."""
        self.store.save(execution)
        with self._lock:
            self._unfinished[execution.id] = execution
        self._threads.submit(self._run, execution)

    def stop(self, execution_id: str) -> None:
        """Cancel a query; one that has ended stays as it is."""
        with self._lock:
            execution = self._unfinished.get(execution_id)
            if execution is None:
                return
            self._stopped.add(execution_id)
            if execution.state == "QUEUED":
                self._end(execution, "CANCELLED", None)
                return
        threading.Thread(target=self._interrupt, args=(execution,), name="athena-stop", daemon=True).start()

    def close(self) -> None:
        """End what runs; the next start finds it unfinished and fails it."""
        self._closing = True
        with self._lock:
            running = [self._unfinished[each] for each in self._sessions]
        for execution in running:
            self._interrupt(execution)
        self._threads.shutdown(cancel_futures=True)

    def _interrupt(self, execution: Execution) -> None:
        """Interrupt a query until it ends: DuckDB forgets an interrupt that comes between two statements."""
        while execution.id in self._unfinished:
            with self._lock:
                session = self._sessions.get(execution.id)
                if session is not None:
                    session.interrupt()
            time.sleep(_INTERRUPT_SECONDS)

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.has_ended:
                return
            execution.state, execution.started = "RUNNING", time.time()
            self.store.save(execution)
        failure = self._failure(execution)
        with self._lock:
            if failure is not None and self._closing:
                self._unfinished.pop(execution.id, None)
            elif execution.id in self._stopped:
                self._end(execution, "CANCELLED", None)
            elif failure is None:
                self._end(execution, "SUCCEEDED", None)
            elif isinstance(failure, QueryCancelledError):
                self._end(execution, "CANCELLED", str(failure))
            else:
                execution.error = failure.athena_error()
                self._end(execution, "FAILED", str(failure))

    def _end(self, execution: Execution, state: str, reason: str | None) -> None:
        execution.state, execution.reason, execution.completed = state, reason, time.time()
        self.store.save(execution)
        self._unfinished.pop(execution.id, None)
        self._stopped.discard(execution.id)

    def _failure(self, execution: Execution) -> QueryFailedError | QueryCancelledError | None:
        """Run a query and return how it failed, if it did."""
        place = (execution.region, execution.account, execution.role, execution.session)
        s3, glue = (self._runtime.client(service, *place) for service in ("s3", "glue"))
        session = Session(s3, Catalogue(glue), execution.database or "default", execution.cutoff)
        with self._lock:
            self._sessions[execution.id] = session
        try:
            execute(session, execution)
        except (QueryFailedError, QueryCancelledError) as failure:
            return failure
        except ClientError as error:
            return QueryFailedError("", f"FAILED: {error}")
        except Exception as error:  # noqa: BLE001 - whatever the engine raised, the query ends FAILED
            known = session.file_system.cancelled or as_failure(error, None, "")
            if "INTERNAL" in getattr(known, "name", ""):
                traceback.print_exc(file=sys.stderr)
            return known
        finally:
            execution.scanned = session.file_system.scanned
            with self._lock:  # nobody interrupts a closed engine
                del self._sessions[execution.id]
            session.close()
        return None


def execute(session: Session, execution: Execution) -> None:
    """Run one statement to its end and write its result.

    Raises:
        QueryFailedError: in Athena's words.
    """
    sql = bound(without_comments_before(execution.query), execution.parameters)
    kind = execution.substatement_type
    if kind == "SELECT":
        write_rows(session, execution, session.planned(parsed(sql), sql))
    elif kind in WRITES:
        WRITES[kind](session, execution, sql)
    elif kind in SHOW:
        columns, rows = SHOW[kind](session, sql)
        write_text(session.s3, execution, columns, rows)
    elif kind in DDL:
        DDL[kind](session, sql)
        write_text(session.s3, execution, [], [])
    else:
        raise unsupported(" ".join(sql.split()[:2]).upper())


def store_path(runtime: Runtime) -> Path:
    """Return where the executions are kept."""
    return runtime.path("athena", "executions.sqlite")
