"""Every optimizer and Evaluate take the metric as it is. Programs and proposals are scripted."""

import dspy
import pytest

from autodata_dspy.errors import ConfigError, StopRun
from autodata_dspy.metrics import as_metric, combine, make
from autodata_dspy.probes import Probe
from autodata_dspy.types import Challenge, Decision, Document, Round, Trajectory, Verdict


class Exact:
    """Is the answer the reference? Undecided about "?"."""

    name, checks, cost, EXAMPLES = "exact", "answer", "free", ()

    def verify(self, subject, reference="", context=""):
        if subject == "?":
            return Verdict.undecidable("cannot read it", self.name)
        return Verdict.of(subject == reference, f"{subject} is not {reference}", self.name)


class Short:
    name, checks, cost, EXAMPLES = "short", "answer", "free", ()

    def verify(self, subject, reference="", context=""):
        return Verdict(1.0 if len(subject) < 5 else 0.5, "use fewer letters", {}, self.name)


def answers(call):
    """Right once the instruction says HOW; before that it is right about even numbers."""
    number = int(call.inputs["question"])
    if number == 7:
        return {"answer": "?"}
    right = "HOW" in call.prompt or number % 2 == 0
    return {"answer": str(number + 1) if right else "wrong answer"}


@pytest.fixture
def program(scripted):
    dspy.configure(lm=scripted.lm(answers))
    return dspy.Predict("question -> answer")


def examples(*numbers):
    return [dspy.Example(question=str(n), answer=str(n + 1)).with_inputs("question") for n in numbers]


def test_evaluate_adds_scores_up(program):
    metric = combine([Exact(), Short()], weights=[1, 1])
    result = dspy.Evaluate(devset=examples(2, 3, 4), metric=metric, num_threads=1, display_progress=False)(program)
    assert result.score == pytest.approx(100 * (1 + 0.25 + 1) / 3, abs=0.01)
    assert [score.score for _, _, score in result.results] == [1.0, 0.25, 1.0]


def test_bootstrap_keeps_what_passes_and_neither_failures_nor_undecided(program):
    optimizer = dspy.BootstrapFewShot(metric=as_metric(Exact()), max_bootstrapped_demos=4, max_labeled_demos=0)
    compiled = optimizer.compile(program, trainset=examples(2, 3, 4, 7))
    assert [demo.answer for demo in compiled.demos] == ["3", "5"]


def test_bootstrap_goes_by_the_pass_mark(program):
    def compiled(**options):
        optimizer = dspy.BootstrapFewShot(
            metric=combine([Exact(), Short()], **options), max_bootstrapped_demos=4, max_labeled_demos=0
        )
        return [demo.answer for demo in optimizer.compile(program, trainset=examples(2, 3)).demos]

    assert compiled() == ["3", "wrong answer"]
    assert compiled(pass_mark=1.0) == ["3"]


def gepa(scripted, metric, reflection, **options):
    return dspy.GEPA(
        metric=metric, max_metric_calls=24, reflection_lm=scripted.lm(reflection), num_threads=1, **options
    )


def test_gepa_reads_the_feedback_and_the_objectives(program, scripted):
    read = []

    def reflect(call):
        read.append(call.prompt)
        return {"new_instruction": "Say HOW."}

    metric = combine([Exact(), Short()], weights={"exact": 3})
    optimizer = gepa(scripted, metric, reflect, track_stats=True, gepa_kwargs={"frontier_type": "objective"})
    compiled = optimizer.compile(program, trainset=examples(1, 3, 5), valset=examples(2, 3, 7))
    assert compiled.signature.instructions == "Say HOW."
    assert "exact: score 0.00: wrong answer is not" in read[0] and "use fewer letters" in read[0]
    # 7 is undecided for `exact`: it is left out of the objectives, not counted as 0.
    assert compiled.detailed_results.val_aggregate_subscores[-1] == {"exact": 1.0, "short": 1.0}


def test_gepa_finds_the_same_score_for_the_program_and_for_a_predictor(program, scripted, caplog):
    optimizer = gepa(scripted, as_metric(Exact()), {"new_instruction": "Say HOW."})
    optimizer.compile(program, trainset=examples(1, 3, 5), valset=examples(2, 3))
    assert "different from the overall metric score" not in caplog.text


def test_a_metric_that_reads_a_missing_field_stops_gepa_instead_of_returning_the_seed(program, scripted):
    metric = as_metric(Exact(), reference="solution")
    with pytest.raises(StopRun, match="unknown field of the gold example 'solution'") as stopped:
        gepa(scripted, metric, {"new_instruction": "Say HOW."}).compile(
            program, trainset=examples(1), valset=examples(2)
        )
    assert isinstance(stopped.value.cause, ConfigError)


# -- downstream metrics ---------------------------------------------------------------------------------------


class Maker(dspy.Module):
    """Writes one labelled text for each document; a text without its label's word is not accepted."""

    def __init__(self):
        super().__init__()
        self.write = dspy.Predict("label -> text")

    def forward(self, document):
        text = self.write(label=document.text).text
        decision = Decision("rent" in text, "accepted" if "rent" in text else "failed_check", "say what is due")
        challenge = Challenge(text, document.text, label=document.text)
        trajectory = Trajectory(document.id, rounds=(Round(0, decision, challenge),))
        return dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)


CANARIES = Probe.of(
    [{"question": f"CANARY rent of {n}", "answer": "money", "context": "CANARY"} for n in range(3)]
    + [{"question": f"CANARY dog in room {n}", "answer": "pets", "context": "CANARY"} for n in range(3)]
)


@pytest.mark.parametrize("name", ["acceptance_rate", "data_value", "classifier_student"])
def test_gepa_improves_a_data_maker_and_no_prompt_holds_the_probe(scripted, name):
    def write(call):
        return {"text": "the rent is due" if "HOW" in call.prompt else "dogs are not allowed"}

    def reflect(call):
        read.append(call.prompt)
        return {"new_instruction": "Say HOW."}

    read, lm = [], scripted.lm(write)
    dspy.configure(lm=lm)
    documents = [dspy.Example(document=Document(f"d{n}", "money")).with_inputs("document") for n in range(4)]
    metric = make(name, probe=CANARIES, context=[Challenge("the dog sleeps", "pets", label="pets")])
    compiled = gepa(scripted, metric, reflect).compile(Maker(), trainset=documents[:2], valset=documents[2:])
    assert compiled.write.signature.instructions == "Say HOW."
    assert read and all("CANARY" not in prompt for prompt in [*read, *(c.prompt for c in lm.engine.calls)])
    assert name == "classifier_student" or "say what is due" in read[0]


def test_bootstrap_goes_by_the_pass_mark_of_a_downstream_metric(scripted):
    dspy.configure(lm=scripted.lm(lambda call: {"text": "the rent is due"}))
    documents = [dspy.Example(document=Document(f"d{n}", "money")).with_inputs("document") for n in range(3)]

    def n_demos(pass_mark):
        metric = make("data_value", probe=CANARIES, context=[Challenge("the dog sleeps", "pets", label="pets")])
        metric.pass_mark = pass_mark
        optimizer = dspy.BootstrapFewShot(metric=metric, max_bootstrapped_demos=2, max_labeled_demos=0)
        return len(optimizer.compile(Maker(), trainset=documents).write.demos)

    assert n_demos(0.0) == 2 and n_demos(0.99) == 0
