"""How many workers are prepared before anybody asks for them, and whose place they may take."""

from __future__ import annotations

from typing import Any

from local_aws.services.lambda_functions.pool import Sandbox, WorkerPool

OURS, OLD = Sandbox("here", 2, frozenset()), Sandbox("here", 1, frozenset())


class FakeWorker:
    """A worker without a process."""

    def __init__(self) -> None:
        self.sandbox: Any = None
        self.alive = True

    def kill(self) -> None:
        self.alive = False

    interrupt = kill


def pool(size: int) -> WorkerPool:
    start: Any = FakeWorker
    return WorkerPool(size, start)


def prepared(pool: WorkerPool, most: int) -> int:
    for count in range(10):
        with pool.lend_blank(OURS, most) as worker:
            if worker is None:
                return count
            worker.sandbox = OURS
    return 10


def test_as_many_workers_are_prepared_as_are_asked_for_and_no_more() -> None:
    workers = pool(4)
    assert prepared(workers, 2) == 2
    assert prepared(workers, 2) == 0
    assert prepared(workers, 3) == 1


def test_the_blank_worker_is_the_first_to_be_prepared() -> None:
    workers = pool(4)
    workers.warm()
    with workers.lend(OURS, 0) as blank:
        assert blank.sandbox is None
    with workers.lend_blank(OURS, 1) as worker:
        assert worker is blank


def test_a_worker_of_old_code_makes_room_and_one_at_work_does_not() -> None:
    workers = pool(2)
    with workers.lend(OLD, 0) as first, workers.lend(OLD, 0) as second:
        first.sandbox = second.sandbox = OLD
        assert prepared(workers, 2) == 0
    assert prepared(workers, 2) == 2
    assert (first.alive, second.alive) == (False, False)


def test_no_prepared_worker_is_ended_for_another_one() -> None:
    workers = pool(1)
    assert prepared(workers, 1) == 1
    assert prepared(workers, 2) == 0
    with workers.lend(OURS, 0) as worker:
        assert (worker.sandbox, worker.alive) == (OURS, True)


def test_a_worker_that_starts_while_the_pool_closes_is_ended_at_once() -> None:
    def start() -> Any:
        workers.close()
        return FakeWorker()

    workers = WorkerPool(1, start)
    with workers.lend(OURS, 0) as worker:
        assert not worker.alive
