"""Run independent jobs concurrently. The driver alone sees results and writes.

Threads on one machine for now: model calls release the interpreter. Jobs are plain functions of plain
data, so that joblib's back ends can take over whole documents.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")


def run_threads(  # noqa: C901 - one hand-over, seen from both sides
    work: Callable[[Job], Done], jobs: Iterable[Job], n_threads: int
) -> Iterator[tuple[Job, Done | None, BaseException | None]]:
    """Yield (job, result, exception) as jobs finish; a job is drawn only when a thread is free for it and the
    consumer has dealt with a result for each one before: what it learned from them may be the reason to stop.

    Threads inherit the caller's context variables (DSPy's settings, the meter, the call log). When the
    consumer stops iterating, no further job is drawn and those in flight are waited for.
    """
    pending, results = iter(jobs), queue.SimpleQueue()
    draw_lock, closed = threading.Lock(), threading.Event()
    dealt_with = threading.Semaphore(0)
    finished = object()
    broken: list[BaseException] = []  # why no further job could be drawn

    def loop() -> None:
        try:
            while not closed.is_set():
                with draw_lock:
                    job = next(pending, finished)
                if job is finished:
                    break
                results.put((job, *_attempt(work, job)))  # type: ignore[arg-type] - it is not `finished`
                dealt_with.acquire()
        except BaseException as error:
            broken.append(error)
        results.put(finished)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(loop,), daemon=True) for _ in range(n_threads)
    ]
    for thread in threads:
        thread.start()
    alive = len(threads)
    try:
        while alive:
            item = results.get()
            if item is finished:
                alive -= 1
            else:
                yield item
                dealt_with.release()
        if broken:
            raise broken[0]
    finally:
        closed.set()
        for _ in threads:
            dealt_with.release()
        for thread in threads:
            thread.join()


def _attempt(work: Callable[[Job], Done], job: Job) -> tuple[Done | None, BaseException | None]:
    try:
        return work(job), None
    except BaseException as error:  # handed to the driver, which decides
        return None, error
