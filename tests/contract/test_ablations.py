"""Every part can be left out in every domain, alone and with others, and the trajectory says so.

The first draft of each run is empty, so that there is a failure to tell of; the second is a worked example of the
domain. The strong solver answers well, the weak one badly (or half, where there is a last word).
"""

import ast
import inspect
import itertools
import textwrap

import dspy
import pytest

from autodata_dspy import registry
from autodata_dspy.ablations import ABLATIONS
from autodata_dspy.errors import ConfigError
from autodata_dspy.generation import models_of
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.report.narrative import story
from autodata_dspy.sandbox import monty
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.types import Document, Trajectory, from_dict, to_dict

COMBINATIONS = [("feedback", "verifiers"), ("answer_verifier", "gap"), tuple(ABLATIONS)]
ARMS = [(), *((name,) for name in ABLATIONS), *COMBINATIONS]
GOOD, HALF, BAD = "GOODANSWER to the whole of it, with what follows from it.", "HALFANSWER to some of it.", "y + 17"
SHORTER = "    return min(2 * ((minutes + 59) // 60), 8)"
LABELLED = "If a crate goes astray we owe its owner three hundred francs at most, whatever lay inside it."


class World:
    """Scripted models for one domain."""

    def __init__(self, domain):
        self.domain, self.drafts, self.turns = domain, itertools.count(), itertools.count()
        demo = dict(domain.demos[0])
        self.document = Document("d", demo["passage"], domain=domain.name)
        self.fields = {name: demo[name] for name in domain.write.output_fields}
        if domain.for_task:  # its own worked examples are refused as copies
            self.fields["text"] = LABELLED
        if domain.name == "code":  # likewise: the same function in other words
            self.fields["function"] = demo["function"].partition("    hours")[0] + SHORTER

    def challenger(self, call):
        if "angle" not in call.inputs:
            return {name: self.domain.extract_demos[0][name] for name in self.domain.extract.output_fields}
        if next(self.drafts) == 0:
            return dict.fromkeys(self.fields, "")
        self.challenge = self.domain.build(dspy.Prediction(**self.fields), call.inputs["angle"])
        return self.fields

    def solver(self, strength):
        mode = self.domain.solving[getattr(self.domain, f"{strength}_mode")]
        names = list(mode.signature.output_fields)

        def answer(call):
            half = self.domain.last_word and next(self.turns) % 2  # a loop judge demands that attempts differ
            text = GOOD if strength == "strong" else HALF if half else BAD
            exact = {"label": self.challenge.answer, "code": self.challenge.answer, "program": self.challenge.program}
            if strength == "strong":
                return {name: exact.get(name, text) for name in names}
            wrong = {"label": next((label for label in self.domain.labels if label != self.challenge.label), "")}
            return {name: wrong.get(name, text) for name in names}

        return answer

    def judge(self, call):
        given = call.inputs
        if "criterion" in given:
            criteria = self.challenge.rubric.criteria
            wanted = [c.text for c in criteria if c.weight > 0] if "GOODANSWER" in given["answer"] else []
            wanted = criteria[0].text if "HALFANSWER" in given["answer"] else wanted
            return {"reason": "r", "verdict": "met" if given["criterion"] in wanted else "not met"}
        if "reply_a" in given:
            return {"reason": "r", "better": "A" if "GOODANSWER" in given["reply_a"] else "B"}
        if "packet" in given:
            said = dict.fromkeys(("weak_pattern", "strong_pattern", "gap", "rubric_concerns", "suggestion"), "none")
            return said | {"suitability": "high", "verdict": "accept"}
        right = "GOODANSWER" in given["answer"] or "HALFANSWER" in given["answer"]
        return {"reason": "r", "verdict": "correct" if right else "incorrect"}

    def roles(self, scripted):
        fields = self.domain.review.output_fields if self.domain.review else ()
        review = dict.fromkeys(fields, "this") | {"verdict": self.domain.sound}
        return scripted.roles(
            challenger=self.challenger,
            quality_verifier=review,
            weak_solver=self.solver("weak"),
            strong_solver=self.solver("strong"),
            judge=self.judge,
            schema=True,
        )


@pytest.fixture(params=registry.names("domains"))
def domain(request):
    if request.param == "code" and not isinstance(find_box(), Box) and monty.missing():
        pytest.skip("no sandbox on this machine")
    return registry.load("domains", request.param)


@pytest.mark.parametrize("without", ARMS, ids="+".join)
def test_a_part_can_be_left_out_in_every_domain(scripted, domain, without):
    world = World(domain)
    roles = world.roles(scripted)
    if "learner" in without and domain.learner is None:
        with pytest.raises(ConfigError, match=f"without 'learner': the weak solver of the domain {domain.name!r} is"):
            AgenticSelfInstruct(domain, roles, without=without)
        if without == ("learner",):
            return
        without = tuple(name for name in without if name != "learner")
    maker = AgenticSelfInstruct(domain, roles, max_rounds=2, per_document=1, without=without)
    trajectory = maker(document=world.document).trajectory
    first, last = trajectory.rounds
    assert (first.decision.reason, last.decision.reason) == ("malformed", "accepted"), last
    told = [call.inputs["feedback"] for call in scripted.calls(roles, "challenger") if "angle" in call.inputs]
    assert told[0] == "none" and (told[1] == "none") is bool({"feedback", "loop"} & set(without))

    spoke = [v.verifier for v in last.verdicts]
    checks = [check.name for check in domain.challenge_verifiers()]
    kept = [name for name in checks if "answer_verifier" not in without or name != "test_adequacy"]
    assert spoke[: -1 if domain.last_word and "gap" not in without else None] == (
        [] if "verifiers" in without else [*kept, "quality_verifier"] if domain.review else kept
    )
    reviewed = domain.review is not None and "verifiers" not in without
    assert bool(scripted.calls(roles, "quality_verifier")) is reviewed
    weak = [r for r in last.rollouts if r.solver == "weak_solver"]
    assert bool(weak) is ("gap" not in without)
    learns = bool(domain.learner) and "learner" not in without
    assert {r.verdict.verifier == "learner" for r in weak} == ({learns} if weak else set())
    assert (models_of(maker)["weak_solver"] == "learner") is learns
    judges = {r.verdict.verifier for r in last.rollouts if r.solver == "strong_solver"}
    assert judges == {"answer_judge" if "answer_verifier" in without else domain.answer_verifier(roles).name}
    assert maker.domain.verified == ("judged" if "answer_verifier" in without else domain.verified)

    assert trajectory.without == maker.without == without
    assert from_dict(Trajectory, to_dict(trajectory)) == trajectory
    assert (f"without {', '.join(without)}" in next(iter(story(trajectory)))) is bool(without)
    full = AgenticSelfInstruct(domain, roles)
    assert [name for name, _ in maker.named_predictors()] == [name for name, _ in full.named_predictors()]


# -- the loop itself knows of nothing that was left out -------------------------------------------------------

LOOP = ("forward", "_round", "_screen", "_attempt")
SPOKEN_OF = {"without", "ablations", "ABLATIONS", "leave_out", *ABLATIONS} - {"feedback", "verifiers", "loop", "gap"}


def mentions(source: str) -> set[str]:
    """What a function says of ablations: a name of theirs, or the name of one as a text."""
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
        found |= ({name} & SPOKEN_OF) | ({text} & {*SPOKEN_OF, *ABLATIONS} if isinstance(text, str) else set())
    return found


@pytest.mark.parametrize("method", LOOP)
def test_the_loop_does_not_mention_ablations(method):
    assert mentions(inspect.getsource(getattr(AgenticSelfInstruct, method))) == set()


@pytest.mark.parametrize(
    "line", ["self.without", 'x == "loop"', '"feedback" in parts', "ablations.leave_out(x)", "ABLATIONS['gap']"]
)
def test_a_loop_that_mentions_them_is_found(line):
    assert mentions(f"def forward(self):\n    if {line}:\n        pass")
