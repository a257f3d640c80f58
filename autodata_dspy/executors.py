"""Where documents are worked on: threads here, processes here (loky), or the machines of a dask or ray cluster.

The driver alone sees results and writes. A thread of the driver stands behind each document, also where the work
itself is done elsewhere, so that a document is drawn, paid for and kept in the same way everywhere.

Elsewhere the engines' own futures are used: `joblib.Parallel` ends with its first lost worker and draws ahead of the
driver; over ray it gives nothing back before everything is done.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import functools
import logging
import os
import platform
import queue
import signal
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from autodata_dspy import __version__
from autodata_dspy.errors import AutodataError, ConfigError, StopRun, did_you_mean

Job = TypeVar("Job")
Done = TypeVar("Done")
Submit = Callable[..., "concurrent.futures.Future[Any]"]

CONNECT_S = 10  # for a scheduler to be reached
BEGIN_S = 120  # for a process to begin: it loads this package, and a cluster may have to grow
LOST = 3  # processes that may be lost over one document; then the document is taken to be the reason
_DEAF = ["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"]  # as loky's processes are
_HEED_S = 0.2  # how soon Ctrl-C is heard


@dataclass(frozen=True)
class Elsewhere:
    """Other processes, ready to work. Safe to use from several threads.

    Attributes:
        name: what `--executor` says.
        submit: (function, *arguments) → future; both travel there as pickles.
    """

    name: str
    submit: Submit

    def __call__(self, function: Callable[..., Done], *given: Any, until: Callable[[], AutodataError | None]) -> Done:
        """What the function gives there. A lost process is made up for by another one, `LOST` times.

        Args:
            until: asked again and again; what it returns ends the waiting.

        Raises:
            StopRun: because of `until`. The work may go on there, and nobody hears of it.
            Exception: of the engine: the function does not run there.
        """
        lost = 0
        while True:
            future = self.submit(function, *given)
            while not concurrent.futures.wait([future], _HEED_S).done:
                if (cause := until()) is not None:
                    future.cancel()
                    raise StopRun(cause)
            try:
                return future.result()
            except concurrent.futures.BrokenExecutor:  # loky's; dask and ray begin again by themselves
                lost += 1
                if lost > LOST:
                    raise

    def check(self) -> None:
        """Let one process say who it is. Raises ConfigError where none begins, or it is of another kind."""
        try:
            theirs = self.submit(about).result(BEGIN_S)
        except TimeoutError:
            raise ConfigError(f"executor {self.name!r}: no worker has begun within {BEGIN_S} s; start some") from None
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise ConfigError(f"executor {self.name!r}: workers need this package installed ({told})") from None
        if theirs != about():
            raise ConfigError(f"executor {self.name!r}: workers have {theirs}, not {about()}; install the same there")


def about() -> str:
    """What has to be the same in every process of a run."""
    return f"autodata_dspy {__version__} on Python {'.'.join(platform.python_version_tuple()[:2])}"


@contextlib.contextmanager
def started(executor: str | Elsewhere, n_workers: int) -> Iterator[Elsewhere | None]:
    """An executor for a run; None for threads. One that is running already is left running.

    Args:
        executor: "threads"; "loky": processes here; "dask" or "ray": a cluster of that kind on this machine;
            "dask:ADDRESS" (tcp://HOST:PORT, tls://…) or "ray:ADDRESS" (HOST:PORT, "auto", ray://…): one that is there.
        n_workers: processes to start where there is no cluster.

    Raises:
        ConfigError: an unknown name, a missing package, nobody at the address, or no worker that fits.
    """
    if isinstance(executor, Elsewhere):
        yield executor
        return
    name, _, address = executor.partition(":")
    if name not in _ENGINES:
        raise ConfigError(did_you_mean("executor", name, _ENGINES))
    if address and name in ("threads", "loky"):
        raise ConfigError(f"executor {executor!r}: {name} takes no address; dask and ray do")
    if name == "threads":
        yield None
        return
    with _ENGINES[name](address, n_workers) as submit:
        elsewhere = Elsewhere(name, submit)
        elsewhere.check()
        yield elsewhere


@contextlib.contextmanager
def _loky(address: str, n_workers: int) -> Iterator[Submit]:
    """joblib's processes; an executor for each, so that the loss of one is no other's."""
    from joblib.externals.loky import ProcessPoolExecutor

    # Ctrl-C goes to all processes of a terminal, and the driver alone decides what comes of it.
    deaf = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    made = functools.partial(ProcessPoolExecutor, 1, **deaf)
    processes, free = {number: made() for number in range(n_workers)}, queue.SimpleQueue()
    for number in processes:
        free.put(number)

    def submit(function: Callable[..., Any], *given: Any) -> concurrent.futures.Future[Any]:
        number = free.get()

        def ended(future: concurrent.futures.Future[Any]) -> None:
            if not future.cancelled() and isinstance(future.exception(), concurrent.futures.BrokenExecutor):
                processes[number] = made()
            free.put(number)

        try:
            future = processes[number].submit(function, *given)
        except concurrent.futures.BrokenExecutor:  # lost while it had nothing to do
            processes[number] = made()
            future = processes[number].submit(function, *given)
        future.add_done_callback(ended)
        return future

    try:
        yield submit
    finally:
        for process in processes.values():
            process.shutdown(wait=True, kill_workers=True)


@contextlib.contextmanager
def _dask(address: str, n_workers: int) -> Iterator[Submit]:
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise _missing("dask", "distributed") from None
    if address:
        _reach("dask", address, "tcp://HOST:PORT of its scheduler")
    with contextlib.ExitStack() as stack:
        try:
            local = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None, "preload": _DEAF}
            cluster = address or stack.enter_context(LocalCluster(**local))
            client = stack.enter_context(Client(cluster, timeout=CONNECT_S, set_as_default=False))
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(f"executor 'dask:{address}': {error}; is this a dask scheduler?") from None
        yield functools.partial(_submit_to_dask, client)


def _submit_to_dask(client: Any, function: Callable[..., Any], *given: Any) -> concurrent.futures.Future[Any]:
    task, handed_over = client.submit(function, *given, pure=False), concurrent.futures.Future()

    def ended(task: Any) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # nobody waits any more
            try:
                handed_over.set_result(task.result())
            except BaseException as error:
                handed_over.set_exception(error)
        task.release()  # else it is computed again when its worker is lost later on

    task.add_done_callback(ended)
    handed_over.add_done_callback(lambda future: task.cancel() if future.cancelled() else None)
    return handed_over


@contextlib.contextmanager
def _ray(address: str, n_workers: int) -> Iterator[Submit]:
    try:
        import ray
    except ImportError:
        raise _missing("ray", "ray") from None
    if address and address != "auto":
        _reach("ray", address, "HOST:PORT of its head, or auto for the one on this machine")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else a cluster that is started here reports to its makers
    ours = not ray.is_initialized()
    if ours:
        where = {"address": address} if address else {"address": "local", "num_cpus": n_workers}
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
        try:
            ray.init(**where, **({} if address else quiet))
        except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
            raise ConfigError(f"executor 'ray:{address}': {' '.join(str(error).split())[:200]}") from None
    task: Any = functools.cache(ray.remote(max_retries=LOST))
    try:
        yield lambda function, *given: task(function).remote(*given).future()
    finally:
        if ours:
            ray.shutdown()


def _missing(extra: str, package: str) -> ConfigError:
    return ConfigError(f"executor {extra!r} needs {package}; install it with: pip install 'autodata-dspy[{extra}]'")


def _reach(name: str, address: str, form: str) -> None:
    """Raises ConfigError where nobody listens: the engines take minutes to say so, in many lines."""
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise ConfigError(f"executor '{name}:{address}': expected {form}")
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"executor '{name}:{address}': nobody answers at {host}:{port} ({why})") from None


_ENGINES: dict[str, Any] = {"threads": None, "loky": _loky, "dask": _dask, "ray": _ray}


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
            try:
                item = results.get(timeout=_HEED_S)  # a signal just before it waits would be heard when it has waited
            except queue.Empty:
                continue
            if item is finished:
                alive -= 1
            else:
                yield item
                dealt_with.release()
        if broken:
            raise broken[0]
    finally:
        closed.set()
        dealt_with.release(len(threads))
        for thread in threads:
            thread.join()


def _attempt(work: Callable[[Job], Done], job: Job) -> tuple[Done | None, BaseException | None]:
    try:
        return work(job), None
    except BaseException as error:  # handed to the driver, which decides
        return None, error
