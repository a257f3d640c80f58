"""Every plugin of every room obeys its protocol."""

import copy
import dataclasses
import inspect
import itertools
import json
import typing

import dspy
import pytest
from pydantic import TypeAdapter
from scripted import scripted_roles, tiny_domain

from autodata_dspy import registry
from autodata_dspy.documents import check_documents
from autodata_dspy.domains.base import Domain, Malformed, builtin_documents, passage
from autodata_dspy.errors import ConfigError
from autodata_dspy.metrics import DataMetric, Score, make
from autodata_dspy.optimizers.base import Task, check
from autodata_dspy.probes import Probe
from autodata_dspy.roles import Roles
from autodata_dspy.types import Challenge, Decision, Document, Round, Trajectory, Verdict
from autodata_dspy.verifiers.base import Checks, Cost, Verifier, VerifierExample

DOMAINS = registry.names("domains")
GENERATORS = registry.names("generators")
VERIFIERS = registry.names("verifiers")


@pytest.mark.parametrize("room", registry.ROOMS)
def test_every_room_has_plugins_and_each_exposes_one(room):
    assert registry.names(room)
    assert all(registry.load(room, name) is not None for name in registry.names(room))


# -- verifiers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VERIFIERS)
def test_a_verifier_says_what_it_is(name):
    plugin = registry.load("verifiers", name)
    assert plugin.name == name
    assert plugin.checks in typing.get_args(Checks) and plugin.cost in typing.get_args(Cost)
    assert plugin.__doc__ and plugin.verify.__doc__
    assert list(inspect.signature(plugin.verify).parameters) == ["self", "subject", "reference", "context"]


@pytest.mark.parametrize("name", VERIFIERS)
def test_a_verifiers_examples_show_a_pass_and_a_failure(name):
    examples = registry.load("verifiers", name).EXAMPLES
    assert all(isinstance(e, VerifierExample) and e.why for e in examples)
    assert {True, False} <= {e.expected for e in examples}


@pytest.mark.parametrize("name", [n for n in VERIFIERS if registry.load("verifiers", n).cost != "lm"])
def test_a_verifier_does_on_its_examples_as_it_says(name):
    verifier = registry.load("verifiers", name)()
    assert isinstance(verifier, Verifier)
    for example in verifier.EXAMPLES:
        verdict = verifier.verify(example.subject, example.reference, example.context)
        found = None if verdict.undecided else verdict.passed
        assert found is example.expected, (example.why, verdict)
        assert verdict.verifier == name and (verdict.passed or verdict.feedback)


# -- domains --------------------------------------------------------------------------------------------------


@pytest.fixture(params=DOMAINS)
def domain(request):
    return registry.load("domains", request.param)


def inputs(signature):
    return list(signature.input_fields)


def test_a_domain_is_named_as_its_file_and_described_in_a_line(request, domain):
    assert isinstance(domain, Domain)
    assert domain.name in DOMAINS and domain.summary and "\n" not in domain.summary


def test_a_domains_signatures_have_the_inputs_the_modules_give(domain):
    extracted = list(domain.extract.output_fields) if domain.extract else []
    assert domain.extract is None or inputs(domain.extract) == ["passage"]
    assert [name for name in inputs(domain.write) if name not in extracted] == ["passage", "angle", "feedback"]
    if domain.review is not None:
        assert "question" in inputs(domain.review) and "verdict" in domain.review.output_fields
        assert set(inputs(domain.review)) <= {field.name for field in dataclasses.fields(Challenge)}
        assert domain.sound in typing.get_args(domain.review.output_fields["verdict"].annotation)
    for mode in domain.solving.values():
        assert inputs(mode.signature)[:2] == ["context", "question"]  # neither document nor reference answer
        assert inputs(mode.signature)[2:] in ([], ["remark"])


def test_every_prompt_of_a_domain_is_its_own(domain):
    """Optimizers tell predictors apart by their signature."""
    prompts = [form.instructions for form in (domain.write, domain.review) if form is not None]
    prompts += [mode.signature.instructions for mode in domain.solving.values()]
    prompts += [domain.extract.instructions] if domain.extract else []
    assert len(set(prompts)) == len(prompts) and all(prompts)


def test_a_domains_demos_fill_exactly_the_fields_of_their_signature(domain):
    groups = [(domain.write, domain.demos)]
    groups += [(domain.review, domain.review_demos)] if domain.review else []
    groups += [(mode.signature, mode.demos) for mode in domain.solving.values()]
    groups += [(domain.extract, domain.extract_demos)] if domain.extract else []
    for signature, demos in groups:
        for demo in demos:
            assert set(demo) == set(signature.fields) and all(demo.values())
            for name, field in signature.fields.items():
                TypeAdapter(field.annotation).validate_python(demo[name], strict=True)


def test_a_domains_modes_rule_and_verifiers_fit_together(domain):
    assert {domain.weak_mode, domain.strong_mode} <= set(domain.solving)
    assert domain.angles and len(set(domain.angles)) == len(domain.angles)
    assert domain.acceptance.n_weak >= 1 and domain.acceptance.n_strong >= 1
    assert isinstance(domain.answer_verifier(Roles()), Verifier) and domain.answer_verifier(Roles()).checks == "answer"
    # Those of texts (quotes, language) read a challenge too; only those of whole data sets cannot.
    assert all(isinstance(v, Verifier) and v.checks != "dataset" for v in domain.challenge_verifiers())
    assert all(isinstance(v, Verifier) and v.checks == "dataset" for v in domain.final_checks())


def test_a_domain_calls_an_empty_challenge_malformed(domain):
    empty = dspy.Prediction(**dict.fromkeys(domain.write.output_fields, ""))
    with pytest.raises(Malformed) as malformed:
        domain.build(empty, domain.angles[0])
    assert str(malformed.value)


def test_a_domain_brings_documents_of_its_own(domain):
    documents = domain.documents()
    check_documents(documents)
    assert len(documents) >= 12 and documents == builtin_documents(domain.name)
    assert all(d.domain == domain.name and d.title and d.licence for d in documents)


def test_a_passage_is_whole_paragraphs_and_not_too_long():
    long = Document("d", "\n\n".join(f"Paragraph {i}. " + "x" * 300 for i in range(20)))
    chosen = {passage(long, seed) for seed in range(40)}
    assert len(chosen) > 5
    assert all(len(p) <= 1400 and set(p.split("\n\n")) <= set(long.text.split("\n\n")) for p in chosen)
    assert passage(long, 3) == passage(long, 3)
    assert passage(Document("d", "  short \n"), 3) == "short"
    assert passage(Document("d", "y" * 5000), 3) == "y" * 1400


# -- optimizers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.names("optimizers"))
def test_an_optimizer_says_what_it_needs_and_stays_within_its_budget(name):
    plugin = registry.load("optimizers", name)
    assert plugin.__doc__ and isinstance(plugin.reflects, bool)
    assert all(isinstance(value, (int, float)) and value > 0 for value in plugin.OPTIONS.values())
    lm = Roles(challenger="openai/none", reflection="openai/none")
    for n_train, n_val, n_predictors in itertools.product((10, 40), (5, 20), (1, 2)):
        task = Task(lambda *_: None, 10**6, 0, n_train, n_val, n_predictors, lm)
        fewest = plugin.fewest(task)[1]
        assert plugin.fewest(task)[0] <= n_train and 0 < fewest < 10**6
        task = dataclasses.replace(task, budget=fewest)
        check(plugin, name, task) if name != "mipro" else None
        assert plugin.n_proposals(task) >= 1 and callable(plugin.build(task).compile)
        with pytest.raises(ConfigError, match=f"give at least {fewest}"):
            check(DoesNotNeedPackages(plugin), name, dataclasses.replace(task, budget=fewest - 1))


class DoesNotNeedPackages:
    needs: typing.ClassVar = {}

    def __init__(self, plugin):
        self.plugin = plugin

    def __getattr__(self, name):
        return getattr(self.plugin, name)


# -- generators -----------------------------------------------------------------------------------------------


@pytest.fixture(params=GENERATORS)
def kind(request):
    return registry.load("generators", request.param)


def test_a_generator_is_a_dspy_module_with_the_shared_options(kind):
    assert issubclass(kind, dspy.Module) and kind.__doc__
    parameters = inspect.signature(kind.__init__).parameters
    assert list(parameters)[:3] == ["self", "domain", "roles"]
    assert "per_document" in parameters
    assert list(inspect.signature(kind.forward).parameters) == ["self", "document", "seed"]


def test_a_generator_gives_a_trajectory_and_shows_no_examiner_to_optimizers(kind, scripted):
    lists = {"new_tasks": "9. Say how a lighthouse warns ships.", "classification": "no", "plan": "a sum"}
    lists |= {"examples": "Input: fog\nOutput: a horn"}
    roles = scripted.fated_roles(lambda call: scripted.fated(f"{call.seed:x}") | lists, schema=True)
    maker = kind(scripted.domain(), roles, per_document=1)
    prediction = maker(document=scripted.documents(1)[0], seed=0)
    assert isinstance(prediction.trajectory, Trajectory)
    assert prediction.accepted == prediction.trajectory.accepted and len(prediction.accepted) == 1
    assert not any(
        part in name for name, _ in maker.named_predictors() for part in ("weak", "strong", "quality", "judge")
    )


def test_a_generator_without_roles_can_be_made_before_any_model_is_there(kind, scripted):
    assert isinstance(kind(scripted.domain()).roles, Roles)


# -- metrics --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_a_metric_says_what_it_is_and_can_be_called_as_dspy_does(name):
    plugin = registry.load("metrics", name)
    assert issubclass(plugin, DataMetric) and plugin.name == name and plugin.summary and plugin.__doc__
    asked = list(inspect.signature(plugin.__call__).parameters)
    assert asked == ["self", "gold", "pred", "trace", "pred_name", "pred_trace"]


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_a_metric_scores_the_same_for_evaluation_and_for_feedback(name):
    probe = Probe.of([{"question": f"Is {n} even?", "answer": "yes" if n % 2 == 0 else "no"} for n in range(6)])
    rounds = [
        Round(n, Decision(True, "accepted"), Challenge(f"Is the number {n} even?", "yes" if n % 2 == 0 else "no"))
        for n in range(12)
    ]
    trajectory = Trajectory("d", rounds=tuple(rounds))
    pred = dspy.Prediction(trajectory=trajectory, accepted=trajectory.accepted)
    domain = tiny_domain(recheck=lambda challenges: [Verdict.of(True) for _ in challenges])
    given = {"probe": probe, "domain": domain, "roles": scripted_roles(student={"answer": "yes"})}
    metric = make(name, **given, parts={make("acceptance_rate"): 1.0})
    first = metric(dspy.Example(), pred)
    second = metric(dspy.Example(), pred, [], "challenger.predict", [])
    assert isinstance(first, Score) and 0 <= first.score <= 1 and first.score == second.score
    assert second.feedback == f"[challenger.predict] {first.feedback}" or first.undecided
    assert first.undecided is (name == "solver_gap")  # nobody attempted these
    assert copy.deepcopy(metric) is metric and json.dumps(metric.about())
