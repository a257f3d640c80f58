"""A document that is worked on in another process.

What travels: the data-maker (pickled, our own object for our own processes), and as JSON the document, what was learnt
so far, calls that are paid already, and a lease of the budget. No LM travels: roles are made there of their model
strings. What comes back is JSON: trajectory, calls and usage, which the driver logs and counts. Nothing is written
there, so a process that is lost takes with it the calls of its document, which are made again, and nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cloudpickle
import dspy

from autodata_dspy import errors
from autodata_dspy.budget import Limits, Meter, RoleUsage, current_meter, metered, one_line
from autodata_dspy.call_log import CallLog, logged, working_on, writing
from autodata_dspy.errors import AutodataError, ConfigError, Interrupted, StopRun
from autodata_dspy.events import listening, round_finished
from autodata_dspy.executors import Elsewhere
from autodata_dspy.jobs import Job, Told, failed, made, traced
from autodata_dspy.roles import ROLES, Roles
from autodata_dspy.types import Challenge, Document, Trajectory, from_dict, to_dict

logger = logging.getLogger(__name__)
DRIVERS = ("student", "reflection")  # roles that only the driver asks


# -- what travels ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Packet:
    """A data-maker as it travels, with DSPy's adapter; and which of its parts are left out."""

    data: bytes
    without: tuple[str, ...]


def packed(maker: Any) -> Packet:
    """A data-maker, ready to travel.

    Raises:
        ConfigError: a role is an LM object or has its key in clear, or something else cannot travel.
    """
    data = io.BytesIO()
    try:
        _Packer(data).dump((maker, dspy.settings.adapter))
    except AutodataError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{type(maker).__name__} cannot travel to another process ({type(error).__name__}: {one_line(error)}); "
            "use the executor threads"
        ) from None
    return Packet(data.getvalue(), getattr(maker, "without", ()))


class _Packer(cloudpickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Roles):
            _check(obj)
        return super().reducer_override(obj)


def _check(roles: Roles) -> None:
    told = "name a model for it, such as 'openai/gpt-4o-mini', or use the executor threads"
    for role in (r for r in ROLES if r not in DRIVERS):
        if roles.is_object(role):
            model = roles.model_of(role)
            raise ConfigError(f"role {role!r} is played by an LM object ({model}), which stays in its process; {told}")
        if role in roles.specs and "api_key" in roles.specs[role].params:
            raise ConfigError(
                f"role {role!r}: an api_key stays in its process; let api_key_env name an environment variable that "
                "the workers have"
            )


class HeldCalls(CallLog):
    """A call log in memory: `known` calls are replayed, and `new` ones go home."""

    def __init__(self, known: Iterable[dict[str, Any]]):
        self._known = {record["key"]: record for record in known}
        self.new: list[dict[str, Any]] = []

    def get(self, key: str) -> dict[str, Any] | None:
        return self._known.get(key)

    def add(self, record: dict[str, Any]) -> None:
        self.new.append(record)


class _Heard(logging.Handler):
    """What the library logs in this thread: another one works on another document."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[tuple[int, str]] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.records.append((record.levelno, self.format(record)))


# -- there ------------------------------------------------------------------------------------------------------------


def perform(packet: bytes, errand: str) -> str:
    """Work on a document in this process, for a driver in another one; see `Errands` for what both say."""
    told = json.loads(errand)
    report: dict[str, Any] = {"trajectory": None, "told": [], "stopped": None}
    try:
        maker, adapter = cloudpickle.loads(packet)  # of `packed`, by our own driver
    except Exception as error:  # every document would fail like this one
        why = f"the generator cannot be read by a worker: {type(error).__name__}: {one_line(error)}; install there what"
        report["stopped"] = ("ConfigError", f"{why} it needs")
        return json.dumps(report | {"calls": [], "usage": {}, "log": []})
    for accepted in told["learned"]:
        maker.learn([from_dict(Challenge, challenge) for challenge in accepted])
    job = Job(from_dict(Document, told["document"]), told["seed"])
    meter, calls = Meter(Limits(**told["lease"]), answered=told["answered"]), HeldCalls(told["calls"])
    with contextlib.ExitStack() as stack:
        for context in (metered(meter), logged(calls), working_on(told["job"]), listening(None)):
            stack.enter_context(context)
        stack.enter_context(dspy.context(adapter=adapter, trace=None, lm=None))
        heard = stack.enter_context(_hearing())
        try:
            trajectory, report["told"] = traced(maker, job) if told["traced"] else (made(maker, job), [])
        except StopRun as stop:
            trajectory, report["stopped"] = stop.partial, (type(stop.cause).__name__, str(stop.cause))
        except BaseException as error:  # it would end the worker, again and again
            trajectory, report["stopped"] = None, ("ConfigError", f"{type(error).__name__}: {one_line(error)}")
    report["trajectory"] = to_dict(trajectory) if trajectory is not None else None
    return json.dumps(report | {"calls": calls.new, "usage": meter.to_dict(), "log": heard.records}, default=str)


@contextlib.contextmanager
def _hearing() -> Iterator[_Heard]:
    library, heard = logging.getLogger("autodata_dspy"), _Heard()
    library.addHandler(heard)
    try:
        yield heard
    finally:
        library.removeHandler(heard)


# -- here -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Errands:
    """Sends documents elsewhere, in the context (meter, listener) of a run here. Safe to use from several threads.

    Limits hold over all processes: each document spends from a lease, and is sent again, with its calls so far, when
    that is used up and more is left. So `max_calls` is never exceeded, and tokens and money at most by the call that
    each document has in flight. Not in this: what a lost process had spent on its document, at most its lease.

    Args:
        elsewhere: where to.
        log: of the run; calls that are there are not paid again.
        n_parts: documents that are worked on at a time.
    """

    elsewhere: Elsewhere
    log: CallLog | None
    n_parts: int

    def run(
        self, packet: Packet, job: Job, key: str, learned: Sequence[Sequence[Challenge]] = (), traced: bool = False
    ) -> tuple[Trajectory, Told]:
        """What `traced` gives, or without the calls what `made` does. Rounds are told when the document is finished.

        Args:
            packet: the data-maker.
            key: under which the document's calls are logged.
            learned: accepted challenges of each document that is finished, for a data-maker that learns.

        Raises:
            StopRun: the run must stop; `.partial` holds the trajectory so far. After a second Ctrl-C the document is
                given up, with the calls that were made for it.
        """
        errand = {"document": to_dict(job.document), "seed": job.seed, "job": key, "traced": traced}
        errand |= {"learned": to_dict(list(learned)), "calls": self.log.of(key) if self.log is not None else []}
        partial: Trajectory | None = None
        again = False
        try:
            while True:
                report, again = self._sent(packet, errand, again), True
                partial = from_dict(Trajectory, report["trajectory"]) if report["trajectory"] else None
                if report["stopped"] is None:
                    assert partial is not None
                    return _told(partial), report["told"]
                kind, why = report["stopped"]
                if kind != "BudgetExceeded" or not report["spent"]:
                    cause = getattr(errors, kind, AutodataError)(why)
                    current_meter().stop(cause)
                    raise StopRun(cause)
                errand["calls"] += report["calls"]
        except StopRun as stop:
            stop.partial = partial and _told(dataclasses.replace(partial, note=str(stop)))
            raise
        except Exception as error:  # the engine gave the document up
            return failed(job, error, packet.without), [[]]

    def _sent(self, packet: Packet, errand: dict[str, Any], again: bool) -> dict[str, Any]:
        """The report on an errand; its calls are logged and counted. `spent`: a next lease may let it go on."""
        meter, used = current_meter(), {}
        lease = meter.lease(self.n_parts, empty=not again)
        try:
            told = json.dumps(errand | {"lease": asdict(lease), "answered": meter.answered})
            report = json.loads(self.elsewhere(perform, packet.data, told, until=lambda: _interrupted(meter)))
            used = {role: RoleUsage(**usage) for role, usage in report["usage"].items()}
        finally:
            for usage in used.values():
                usage.replayed *= not again  # its own calls of a moment ago
            meter.settle(lease, used)
        report["spent"] = lease.max_calls == 0 or any(usage.calls for usage in used.values())
        for level, text in report["log"]:
            logger.log(level, "%s", text)
        if self.log is not None:
            with writing():
                for record in report["calls"]:
                    self.log.add(record)
        return report


def _interrupted(meter: Meter) -> AutodataError | None:
    return meter.stopped_by if isinstance(meter.stopped_by, Interrupted) else None


def _told(trajectory: Trajectory) -> Trajectory:
    for round_ in trajectory.rounds:
        round_finished(trajectory.document_id, round_)
    return trajectory
