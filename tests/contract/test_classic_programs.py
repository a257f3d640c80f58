"""The programs that start from seed tasks, in every domain, with and without a text: they end by themselves, every round
says why it ended, and nothing is removed at the end for lacking what these methods do not write."""

import pytest
import scripted as s

from autodata_dspy import generate, registry
from autodata_dspy.report.narrative import MEANING
from autodata_dspy.types import Document

PROGRAMS = ("self_instruct", "cot_self_instruct")
TEXTS = [
    Document("ferry", "The ferry leaves at noon. A seat costs four coins, and bicycles travel for two."),
    Document("tower", "The tower of the town hall is 40 m high, and its clock was repaired after the storm."),
    Document("market", "On market days the square closes at six. Sellers pay a fee for each metre of their stall."),
]
SLOTS = [Document(f"slot-0000{i}", "") for i in (1, 2, 3)]
THINGS = "anchor bridge candle donkey engine feather garden hammer island jacket kettle ladder magnet needle".split()
QUESTIONS = ("How many does a {} need", "Sum up what a {} is for", "Which of two is better for the {} of a sailor")


class Fills:
    """A model that fills whatever form it is given: answers of the domain's seed tasks, questions of its own, and now
    and then nothing, which is where a method has to explain itself."""

    def __init__(self, domain):
        self.answers = [task.instances[0].output for task in domain.seed_tasks()]
        self.label_first = bool(domain.labels)

    def __call__(self, call):
        form = call.request.config.response_format
        if call.seed % 7 == 0:
            return "I would rather not."
        return {name: self.value(name, field, call.seed) for name, field in _properties(form).items()}

    def value(self, name, field, seed):
        answer = self.answers[seed % len(self.answers)]
        if name == "new_tasks":
            return "\n".join(f"{9 + i}. {_question(seed + i)}" for i in range(3)) + "\n12. Draw a map of it, please."
        if name == "examples":
            pairs = [(_question(seed), answer), ("The same.", "The same.")]
            if self.label_first:
                return "\n\n".join(f"Label: {output}\nInput: {text}" for text, output in pairs)
            return "\n\n".join(f"Input: {text}\nOutput: {output}" for text, output in pairs)
        if name == "question":
            return _question(seed)
        return field["enum"][seed % len(field["enum"])] if "enum" in field else answer


def _properties(form):
    return form["schema"]["properties"]


def _question(seed):
    first, second = THINGS[seed % 14], THINGS[seed // 14 % 14]
    return QUESTIONS[seed % 3].format(first) + f", when a {second} lies near {seed % 9973} others?"


@pytest.mark.parametrize("documents", [SLOTS, TEXTS], ids=["slots", "texts"])
@pytest.mark.parametrize("domain", registry.names("domains"))
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_classic_program_ends_in_every_domain_and_explains_every_round(program, domain, documents):
    model = Fills(registry.load("domains", domain))
    roles = s.scripted_roles(challenger=model, strong_solver=model, judge=model, schema=True)
    maker = registry.load("generators", program)(domain, roles, per_document=2)
    result = generate(maker, documents, concurrency=1)
    assert result.stopped is None and [t.status for t in result.trajectories] == ["done"] * len(documents)
    rounds = [r for t in result.trajectories for r in t.rounds]
    assert len(rounds) >= len(documents)
    for round_ in rounds:
        assert round_.decision.reason in MEANING
        assert round_.decision.accepted or round_.decision.feedback, round_
        assert round_.decision.reason != "filtered" or round_.verdicts[0].verifier
    assert {r.verifier for r in result.removed} <= {"near_duplicates"}
    read = {"passage" in call.inputs for call in s.calls_of(roles, "challenger")}
    assert (True in read) is (documents is TEXTS)


@pytest.mark.parametrize("domain", registry.names("domains"))
def test_self_instruct_makes_examples_in_every_domain(domain):
    """The contract above holds of a run that rejects everything; this one shows that there is a way through."""
    model = Fills(registry.load("domains", domain))
    maker = registry.load("generators", "self_instruct")(domain, s.scripted_roles(challenger=model, schema=True))
    result = generate(maker, SLOTS, concurrency=1)
    assert result.accepted and {row["verified"] for row in result.accepted} == {"none"}
