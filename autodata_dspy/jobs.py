"""One document and one data-maker → a trajectory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import dspy

from autodata_dspy.budget import current_meter, one_line
from autodata_dspy.errors import ConfigError, StopRun
from autodata_dspy.evaluation_log import telling_calls
from autodata_dspy.events import listening
from autodata_dspy.store import job_key
from autodata_dspy.types import Decision, Document, Round, Trajectory

logger = logging.getLogger(__name__)
Told = list[list[list[Any]]]  # what `telling_calls` gives


@dataclass(frozen=True, slots=True)
class Job:
    """One document in one pass; `seed` differs by pass."""

    document: Document
    seed: int

    @property
    def key(self) -> str:
        return job_key(self.document.id, self.seed)


def made(maker: Any, job: Job) -> Trajectory:
    """What a generator makes of a document. One document that breaks its generator is recorded as failed.

    Raises:
        StopRun: the run must stop; for a ConfigError, too, which says nothing about the document.
    """
    try:
        return as_trajectory(maker(document=job.document, seed=job.seed), job)
    except ConfigError as error:  # the next document would meet it too
        current_meter().stop(error)
        raise StopRun(error) from error
    except Exception as error:
        return failed(job, error, getattr(maker, "without", ()))


def failed(job: Job, error: Exception, without: tuple[str, ...] = ()) -> Trajectory:
    """The record of a document that could not be worked on; the traceback is logged."""
    logger.error("document %s failed", job.document.id, exc_info=error)
    note = f"{type(error).__name__}: {one_line(error)}"
    return Trajectory(job.document.id, job.seed, status="failed", note=note, without=without)


def traced(maker: Any, job: Job) -> tuple[Trajectory, Told]:
    """The same, and the calls that its accepted examples rest on."""
    calls, ends = [], []
    with dspy.context(trace=calls), listening(lambda *_: ends.append(len(calls))):
        trajectory = made(maker, job)
    return trajectory, telling_calls(calls, maker, trajectory, ends)


def as_trajectory(prediction: Any, job: Job) -> Trajectory:
    """What any generator returned, as a Trajectory.

    Raises:
        ConfigError: the prediction has none of `trajectory`, `accepted`, `challenge`.
    """
    trajectory = getattr(prediction, "trajectory", None)
    if isinstance(trajectory, Trajectory):
        return trajectory
    found = getattr(prediction, "accepted", None)
    if found is None and hasattr(prediction, "challenge"):
        found = [prediction.challenge] if prediction.challenge is not None else []
    if found is None:
        raise ConfigError("the generator's prediction has none of the fields trajectory, accepted, challenge")
    rounds = [r if isinstance(r, Round) else Round(i, Decision(True, "accepted"), r) for i, r in enumerate(found)]
    return Trajectory(job.document.id, job.seed, tuple(rounds))
