"""Parallel branches and inline Map iterations: in pooled threads, at most 40 at once, never recursive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (  # noqa: E501 - moto's own module path
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import (
    IterationWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job, JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker

from local_aws.services.step_functions.mending import mend

if TYPE_CHECKING:
    from local_aws.services.step_functions.environment import LocalEnvironment

INLINE_CONCURRENCY = 40  # AWS's own limit for an inline Map


def install() -> None:
    """Mend how iterations and branches are run."""
    mend(InlineIterationComponent, "_eval_body", _iterate)
    mend(IterationWorker, "_eval_pool", _work_off)
    mend(BranchWorker, "start", _start_branch)


def _iterate(self: InlineIterationComponent, env: LocalEnvironment) -> None:
    """Run the iterations of an inline Map and leave their outputs, in order, on the stack."""
    asked = env.stack.pop()
    items = asked.input_items
    pool = JobPool(job_program=self._get_iteration_program(), job_inputs=items)
    most = min(asked.max_concurrency or INLINE_CONCURRENCY, INLINE_CONCURRENCY, len(items))
    for _ in range(most):
        worker = self._create_worker(env=env, eval_input=asked, job_pool=pool)
        env.running.engine.threads.run(worker.eval)
    pool.await_jobs()
    error = pool.get_worker_exception()
    if error is not None:
        raise error
    env.stack.append([job.job_output for job in pool.get_closed_jobs()])


def _work_off(self: IterationWorker, job: Job | None, worker_frame: LocalEnvironment) -> None:
    """Run one iteration after another; moto calls itself for each and runs out of stack at about 900."""
    while job is not None:
        frame: Any = worker_frame.open_inner_frame()
        self._eval_job(env=frame, job=job)
        worker_frame.close_frame(frame)
        failed = isinstance(job.job_output, Exception) or self.stopped()
        following = None if failed else self._job_pool.next_job()
        if following is None:
            if not failed:
                last = frame.event_history_context.last_published_event_id
                worker_frame.event_history_context.source_event_id = last
            self._env.close_frame(worker_frame)  # before the job: the Map goes on once all jobs are closed
        self._job_pool.close_job(job)
        if following is None:
            return
        job = following
    self._env.close_frame(worker_frame)


def _start_branch(self: BranchWorker) -> None:
    """Run one branch of a Parallel state."""

    def run() -> None:
        self._program.eval(self.env)
        self._branch_worker_comm.on_terminated(env=self.env)

    self.env.running.engine.threads.run(run)
