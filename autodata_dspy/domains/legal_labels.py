"""Labelled legal texts: clauses or fact patterns for a classification task, which the user may define."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import dspy

from autodata_dspy.acceptance import Thresholds
from autodata_dspy.domains.base import Domain, Malformed, SolvingMode, builtin_seed_tasks
from autodata_dspy.errors import ConfigError
from autodata_dspy.feedback import LATEST
from autodata_dspy.labelled_checks import NewWording, NoCommentary
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.modules.learner import Learner
from autodata_dspy.seed_tasks import Instance, SeedTask
from autodata_dspy.types import Challenge, Round
from autodata_dspy.verifiers.balance import Balance
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.exact_match import ExactMatch
from autodata_dspy.verifiers.language import Language
from autodata_dspy.verifiers.length import Length
from autodata_dspy.verifiers.near_duplicates import NearDuplicates

SHORTEST, LONGEST = 2 / 3, 1.8  # of the length that is asked for
MAX_DEMOS = 10  # of a solver: one for each label, as long as there is room
MAX_POOL = 40  # demonstrations of a writer, who is shown a few of them at a time

# What the challenger is told. Numbers and words such as "solver" it writes into its next text.
REMARKS = ("failed_on_strong", "too_easy", "failed_check", "malformed", "duplicate")
UNCLEAR = "an earlier text was taken for another label than it was written for; say one thing, and say it plainly"
TOO_EASY = "an earlier text was too like others of its label; say it in a less usual way"


class WriteText(dspy.Signature):
    """You write texts for a collection in which every text has one label. Write one new text for the label you are
    given, as it would stand in a real document of the kind described below. It clearly belongs to that label and to no
    other one.

    The definition only says what belongs to the label: do not repeat its words. Make up what a real text has: who,
    what, when, where, how much. Take the subject matter from the passage, but your own wording, names and details: copy
    nothing. Write one or two sentences, as long as real ones are: only the text itself, no title, no explanation, no
    advice, and no word about labels. If earlier texts were too easy, say it in a less usual way."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    angle: str = dspy.InputField(desc="the label to write for, and what it means")
    feedback: str = dspy.InputField(desc="why earlier texts were rejected; write a different one")
    text: str = dspy.OutputField()


class SortText(dspy.Signature):
    """Sort a legal text: choose the one label that fits it best. If two seem to fit, choose the one that the main point
    of the text is about."""

    context: str = dspy.InputField()
    question: str = dspy.InputField(desc="the text")
    label: str = dspy.OutputField()


# Kinds of clauses that consumer lawyers look for, and the rest.
DEFAULT = LabelledTask(
    name="clauses of consumer contracts",
    kind="a clause of a contract between a company and its customers",
    words=(12, 50),
    labels={
        "unilateral change": "The company may change the contract, the service or its price by its own decision.",
        "termination": "The company may suspend or end the account, the service or the contract by its own decision.",
        "content removal": "The company may delete, block or refuse what its users write, upload or offer.",
        "limitation of liability": "The company answers for damage only in part, up to an amount, or not at all.",
        "arbitration": "Disputes are decided by an arbitrator instead of a court.",
        "governing law": "It says the law of which country or state applies to the contract.",
        "jurisdiction": "It says the courts of which place decide disputes.",
        "none of these": "It is about something else, such as payment, delivery, privacy, warranty or proper use.",
    },
    examples={
        "unilateral change": ("We can alter these conditions whenever we see a need, by posting a new version here.",),
        "termination": ("If we no longer wish to serve you, we may shut your account down without giving a reason.",),
        "content removal": (
            "Reviews that we find unsuitable are taken off the page, and we owe nobody an explanation.",
        ),
        "limitation of liability": ("Whatever goes wrong, we never owe you more than the price of one month.",),
        "arbitration": ("A quarrel that talks cannot settle goes to one arbitrator, and neither side may sue.",),
        "governing law": (
            "These conditions are to be read under the law of Portugal, leaving aside its conflict rules.",
        ),
        "jurisdiction": ("Only the district court in Bergen may hear a claim that arises from this order.",),
        "none of these": ("Parcels leave our store within two working days after the payment has reached us.",),
    },
)

DEMOS = (
    {
        "passage": "The operator may close a locker whose hirer stores goods that smell, leak or are forbidden.",
        "angle": f"termination: {DEFAULT.labels['termination']}",
        "feedback": "none",
        "text": "Should a cabin remain unpaid for ten days, or should we simply decide to give up a site, we may "
        "withdraw your access code and treat the hire as finished from that hour.",
    },
    {
        "passage": "Members bring their own boots. The hall opens at seven and closes at ten in the evening.",
        "angle": f"jurisdiction: {DEFAULT.labels['jurisdiction']}",
        "feedback": "none",
        "text": "A member who wants to bring an action over a course, a fee or an injury has to do so before the "
        "judges of Graz, wherever he or she lives at that time.",
    },
    {
        "passage": "The licensee receives the program as it is and keeps a copy in case the first one is lost.",
        "angle": f"limitation of liability: {DEFAULT.labels['limitation of liability']}",
        "feedback": f"- {TOO_EASY}",
        "text": "Lost harvests, spoilt recordings and nights without sleep are the user's own affair, even where a "
        "defect of the device has caused them; we replace the device, and that is all.",
    },
    {
        "passage": "A carrier hands over the goods to whoever presents the bill of lading.",
        "angle": f"none of these: {DEFAULT.labels['none of these']}",
        "feedback": "none",
        "text": "Whoever collects the crates shows the numbered slip and signs for them; the driver notes the hour and "
        "any dent that can be seen.",
    },
)


def _told(signature: Any, task: LabelledTask, *, labels: bool) -> Any:
    """A signature whose instructions end with what the task is, and what its labels mean if `labels`."""
    told = f"{signature.instructions}\n\nEach text is: {task.form}."
    if labels:
        told += "\nThe labels:\n" + "\n".join(f"- {label}: {meaning}" for label, meaning in task.labels.items())
    return signature.with_instructions(told)


def _angles(task: LabelledTask) -> dict[str, str]:
    """What the challenger is told → the label. Rounds walk through them, those with few examples first."""
    return {f"{label}: {definition}": label for label, definition in task.labels.items()}


def _build(task: LabelledTask) -> Callable[[Any, str], Challenge]:
    by_angle = _angles(task)

    def build(prediction: Any, angle: str) -> Challenge:
        """The text with the label it was written for; a title that names the label is taken off."""
        label = by_angle[angle]
        text = " ".join(str(prediction.text or "").split()).strip("\"“”' ")
        text = re.sub(rf"^\W*{re.escape(label)}\W*[:–—]\W*", "", text, flags=re.IGNORECASE)
        if not text:
            raise Malformed("the text is empty; write one to three sentences")
        return Challenge(question=text, answer=label, label=label)

    return build


def _solving(task: LabelledTask) -> dict[str, SolvingMode]:
    # With structured output the Literal lets a model write nothing but a label.
    kind = Literal[tuple(task.labels)]  # type: ignore[valid-type]
    signature = _told(SortText, task, labels=True).with_updated_fields("label", type_=kind)

    def answer(prediction: Any) -> str:
        if (label := task.label_of(str(prediction.label or ""))) is None:
            raise Malformed(f"{str(prediction.label)[:80]!r} is none of the labels")
        return label

    demos = [
        {"context": "none", "question": texts[0], "label": label} for label, texts in task.examples.items() if texts
    ]
    # Examples of some labels only would draw a small model to these.
    demos = demos if len(demos) == len(task.labels) <= MAX_DEMOS else []
    # The one attempt that decides is the model's best guess, further ones are drawn: of 67 real clauses the 1.5B sorts
    # 38 as their readers did when it guesses and 30 when it draws.
    request = {"temperature": 0.7, "max_tokens": 40}
    return {"sort": SolvingMode(signature, answer, request, tuple(demos), first={"temperature": 0.0})}


def _demos(task: LabelledTask) -> tuple[dict[str, str], ...]:
    """Worked examples of writing, from a task's own texts: each takes a text of another label as its passage.

    A task with texts of less than two labels gets those of the default task: they show the form.
    """
    known = [(label, text) for label, texts in task.examples.items() for text in texts]
    if len({label for label, _ in known}) < 2:
        return DEMOS
    demos = []
    for i, (label, text) in enumerate(known[:MAX_POOL]):
        others = [t for other, t in known if other != label]
        angle = f"{label}: {task.labels[label]}"
        demos.append({"passage": others[i % len(others)], "angle": angle, "feedback": "none", "text": text})
    return tuple(demos)


def _feedback(rounds: Sequence[Round]) -> str:
    """What is wrong with the latest texts, in words that hold for a text of any label: the next has another one."""
    told = {"failed_on_strong": UNCLEAR, "too_easy": TOO_EASY}
    lines = [told.get(r.decision.reason, r.decision.feedback) for r in rounds[-LATEST:] if r.decision.reason in REMARKS]
    return "\n".join(f"- {line}" for line in dict.fromkeys(lines)) or "none"


def _from_instance(task: LabelledTask) -> Callable[[str, Instance], Challenge]:
    def from_instance(instruction: str, instance: Instance) -> Challenge:
        """The text with its label. What the task is stands in every prompt, so the instruction is dropped."""
        if (label := task.label_of(instance.output)) is None:
            raise Malformed(f"{instance.output[:80]!r} is none of the labels; write one of: {', '.join(task.labels)}")
        if not instance.input.strip():
            raise Malformed("the input is empty; write the text that has the label")
        return Challenge(question=instance.input.strip(), answer=label, label=label)

    return from_instance


def _seeds(task: LabelledTask) -> list[SeedTask]:
    """The built-in seed tasks of the default task; of another one, its own examples. Raises ConfigError if none."""
    if task == DEFAULT:
        return builtin_seed_tasks("legal_labels")
    told = f"Each text is {task.form}. Which label fits: {', '.join(task.labels)}?"
    tasks = [
        SeedTask(f"{label}-{i}", told, (Instance(text, label),), is_classification=True)
        for label, texts in task.examples.items()
        for i, text in enumerate(texts, 1)
    ]
    if not tasks:
        raise ConfigError(f"the task {task.name!r} has no examples to start from; add [examples] or give --seeds FILE")
    return tasks


def for_task(task: LabelledTask, demos: tuple[dict[str, str], ...] | None = None) -> Domain:
    """The domain of a task; `demos` are worked examples of writing, by default from the task's own texts."""
    demos, (low, high) = _demos(task) if demos is None else demos, task.length
    shown = [text for texts in task.examples.values() for text in texts]
    shown += [demo[part] for demo in demos for part in ("text", "passage")]

    def checks() -> tuple[Verifier, ...]:
        return (
            Length(int(SHORTEST * low), round(LONGEST * high)),
            NewWording(task, shown),
            NoCommentary(task),
            Language(),
        )

    return Domain(
        name="legal_labels",
        summary="legal texts with one label each, for a classification task that you may define",
        # Its own definition stands in the angle; with those of all labels a 1.5B writes no better, for more tokens.
        write=_told(WriteText, task, labels=False).with_updated_fields("text", desc=f"{low} to {high} words"),
        demos=demos,
        angles=tuple(_angles(task)),
        build=_build(task),
        # A model's review (of the 1.5B) cost one call in four and refused 3 of 197 texts; the checks find as much.
        review=None,
        sound="",
        feedback=_feedback,
        solving=_solving(task),
        weak_mode="sort",
        strong_mode="sort",
        challenge_verifiers=checks,
        answer_verifier=lambda roles: ExactMatch(),
        # The strong solver vouches for the label, once: of 82 texts, 76 had the outcome that two of three attempts
        # gave, which took 2.2 calls. The weak solver is the learner, and rejects only what it is sure of already; what
        # a weaker model finds hard is of no use to it (see modules.learner).
        acceptance=Thresholds(n_weak=1, weak_at_most=0.9, n_strong=1, strong_min=0.6),
        verified="judged",
        learner=lambda: Learner(task.examples, min_examples=2 * len(task.labels)),
        final_checks=lambda: (NearDuplicates(), Balance(expected=task.labels.keys())),
        for_task=for_task,
        from_instance=_from_instance(task),
        seeds=lambda: _seeds(task),
        labels=task.labels,
        task=task,
        max_rounds=len(task.labels),  # as many as there are labels: each comes once, unless some are rare by then
        per_document=len(task.labels),
        write_tokens=60 + 2 * high,
        passage_chars=250,  # the subject matter only; 600 characters made no better texts, for more tokens
        probe="law_lb_unfair_tos",
    )


PLUGIN = for_task(DEFAULT, DEMOS)
