"""Every optimizer improves the agentic data-maker of every domain where it can, and only there.

The first draft of a document is good when the prompt holds MARKER (instructions) or an earlier good draft
(demonstrations), and for a few training documents without either; the second is poor.
"""

import copy
import dataclasses
import functools
import itertools
import json
from types import SimpleNamespace

import compiling
import domain_scripts
import pytest
from domain_scripts import LINES, TAUGHT
from dspy import Prediction, lm15

from autodata_dspy import registry
from autodata_dspy.artifact import load_program
from autodata_dspy.candidates import state_of
from autodata_dspy.compilable import ROLLOUT
from autodata_dspy.compilation import compile
from autodata_dspy.errors import ConfigError, ProviderError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.held_out import TEST_SEED
from autodata_dspy.metrics import Score
from autodata_dspy.modules import challenger
from autodata_dspy.modules.base import seed_for
from autodata_dspy.sandbox import monty, processes
from autodata_dspy.sandbox.bubblewrap import Box, find_box
from autodata_dspy.splitting import split_documents
from autodata_dspy.types import Document

DOMAINS, OPTIMIZERS = registry.names("domains"), registry.names("optimizers")
DEMONSTRATE, INSTRUCT = ("bootstrap", "mipro", "random"), ("boltzmann", "copro", "gepa", "simba")
# Every domain with one optimizer of each kind, so that each optimizer has its turn.
CROSS_SECTION = [(domain, kind[i % len(kind)]) for i, domain in enumerate(DOMAINS) for kind in (DEMONSTRATE, INSTRUCT)]
N_DOCUMENTS = 14  # five of them for the test, of which fewer prove nothing
N_CHARS = 600
NEW = Document(
    "new", "A ferry leaves Lindholm at six in the morning. Whoever comes late pays for the next one as well."
)
JOBS = (0, TEST_SEED, 5, *(i * 10_000 for i in range(1, 5)), *(i * ROLLOUT for i in range(1, 4)))
BUDGET = {"boltzmann": 15, "bootstrap": 21, "copro": 18, "gepa": 14, "mipro": 21, "random": 25, "simba": 38}
LARGER = {"boltzmann": 26, "copro": 28, "gepa": 24}  # where the extractor has its turn first
OPTIONS = {
    "copro": {"breadth": 2, "depth": 1},
    "mipro": {"candidates": 2},
    "simba": {"bsize": 3, "candidates": 2},
}


# One warning for each of 20 000 calls.
pytestmark = pytest.mark.filterwarnings("ignore:Passing OpenAI-style message:DeprecationWarning")


class Killed(BaseException):
    """As sudden as a signal: nothing in the package knows of it."""


@pytest.fixture(scope="module", autouse=True)
def equal_code_is_run_once():
    """The same job gives the same outcome; a sandbox for each of a thousand would take minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monty, "in_monty", functools.cache(monty.in_monty))
        patch.setattr(processes, "in_bubblewrap", functools.cache(processes.in_bubblewrap))
        yield


@pytest.fixture(scope="module", autouse=True)
def all_demonstrations_are_shown():
    """A good one among those of a program must be seen for a score to rise to 1; see `Challenger` for labels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(challenger, "N_SHOWN", 99)
        yield


@pytest.fixture(params=DOMAINS)
def domain(request):
    return _usable(request.param)


def _usable(domain):
    if domain == "code" and not isinstance(find_box(), Box) and monty.missing():
        pytest.skip("no sandbox on this machine")
    return domain


@functools.cache
def plugin(domain):
    """The domain; equal examples are checked again but once, because that may start a process each time."""
    found = registry.load("domains", domain)
    recheck = functools.cache(found.recheck) if found.recheck else None
    return dataclasses.replace(found, recheck=recheck and (lambda challenges: recheck(tuple(challenges))))


@functools.cache
def documents(domain):
    """The beginnings of the domain's own documents, and of others where these are too few."""
    found = [d for name in (domain, "code") for d in plugin(name).documents()][:N_DOCUMENTS]
    return tuple(dataclasses.replace(d, text=d.text[:N_CHARS]) for d in found)


@functools.cache
def easy(domain):
    """Training documents on which the seed program succeeds."""
    return {document.id for document in split_documents(documents(domain)).train[:2]}


@functools.cache
def rounds(domain):
    """Sampling seed of the challenger → (document, seed of the run, round)."""
    places = itertools.product([d.id for d in (*documents(domain), NEW)], JOBS, (0, 1))
    return {seed_for("challenger", document, job, number): (document, job, number) for document, job, number in places}


def maker(domain, hopeless=False, parrot=False, good_round=0):
    """A hopeless one does not follow its prompt, and a parrot says its last demonstration again."""

    def write(call):
        document, job, number = rounds(domain)[call.seed]
        taught = "MARKER" in call.prompt or TAUGHT in call.prompt
        if parrot and taught:
            return call.request.messages[-2].text
        able = (taught and not hopeless) or (document in easy(domain) and job % 2 == 0)
        if able and number == good_round:
            return LINES[domain].draft(call.seed, call.inputs)
        return domain_scripts.poor(plugin(domain))

    roles = domain_scripts.roles(plugin(domain), write, reflection=compiling.propose())
    rule = domain_scripts.one_attempt(plugin(domain).acceptance)
    return AgenticSelfInstruct(plugin(domain), roles, acceptance=rule, max_rounds=2, per_document=2)


def compiled(domain, optimizer, program, metric=None, **options):
    budget = (BUDGET | LARGER if len(program.named_predictors()) > 1 else BUDGET)[optimizer]
    settings = {"optimizer": optimizer, "budget": budget, "concurrency": 1, "repeats": 1} | options
    metric = metric or registry.load("metrics", "acceptance_rate")()
    return compile(program, documents(domain), metric, options=OPTIONS.get(optimizer), **settings)


def engine(program):
    return program.roles._given["challenger"].engine


def disturbed(program, script):
    """The program with a challenger whose model is asked only where `script` (call → answer or None) is silent."""
    healthy = engine(program).script
    engine(program).script = lambda call: healthy(call) if (said := script(call)) is None else said
    return program


def plain(found):
    record = {k: v for k, v in found.record().items() if k != "usage"}  # which of two equal requests was first
    for candidate in record["candidates"]:
        candidate["scores"] = {document: sorted(scores) for document, scores in candidate["scores"].items()}
    return record | {"candidates": sorted(record["candidates"], key=lambda c: c["id"])}


def runs(folder):
    return [json.loads(line) for line in (folder / "evaluations.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(domain, optimizer) → `found`, `folder` and the number of the challenger's calls; each is compiled once."""

    @functools.cache
    def compiled_once(domain, optimizer):
        folder, program = tmp_path_factory.mktemp(f"{domain}-{optimizer}"), maker(domain)
        found = compiled(domain, optimizer, program, run_dir=folder)
        return SimpleNamespace(found=found, folder=folder, n_calls=len(engine(program).calls))

    return compiled_once


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_score_rises_where_it_can(domain, optimizer, whole):
    found = whole(domain, optimizer).found
    assert found.improved and found.verdict.startswith("better by +1.000"), found.verdict
    assert found.test == {"seed": 0.0, "chosen": 1.0} and found.stopped is None
    assert found.validation[found.chosen.id] == 1.0 > found.validation[found.seed.id] == 0.0
    write = found.chosen.state["challenger.write"]
    assert "MARKER" in write["instructions"] or TAUGHT in str(write["demos"])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loaded_program_does_what_the_compiled_one_does(domain, optimizer, whole):
    """The acceptance rule is no part of a program; all else comes from the file."""
    known = whole(domain, optimizer)
    loaded = load_program(known.folder / "program.json", maker(domain).roles)
    loaded.acceptance = known.found.program.acceptance
    assert state_of(loaded) == known.found.chosen.state
    one, other = (
        dataclasses.replace(program(document=NEW, seed=5).trajectory, seconds=0.0)
        for program in (known.found.program, loaded)
    )
    assert one == other and len(one.accepted) == 1 and len(one.rounds) == 2


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_seed_is_kept_where_nothing_helps(domain, optimizer):
    found = compiled(domain, optimizer, maker(domain, hopeless=True))
    assert found.verdict == "no evidence of improvement, the seed is kept: nothing beat it on validation"
    assert not found.improved and state_of(found.program) == found.seed.state
    assert len(found.candidates) > 1  # it did try


def test_saying_a_demonstration_again_is_no_improvement(domain):
    program = maker(domain, parrot=True)
    found = compiled(domain, "bootstrap", program)
    assert found.verdict == "no evidence of improvement, the seed is kept: nothing beat it on validation"
    assert any(TAUGHT in call.prompt for call in engine(program).calls)


def test_demonstrations_are_examples_that_were_accepted(domain, whole):
    """Not the poor draft that came after a good one, and of a repaired program the one that runs."""
    known = whole(domain, "bootstrap")
    accepted = {
        r["challenge"]["question"]
        for run in runs(known.folder)
        for r in run["trajectory"]["rounds"]
        if r["decision"]["accepted"]
    }
    drawn = [
        demo
        for c in known.found.candidates
        for demo in c.state["challenger.write"]["demos"]
        if demo not in known.found.seed.state["challenger.write"]["demos"]
    ]
    assert drawn and {plugin(domain).build(Prediction(**demo), demo["angle"]).question for demo in drawn} <= accepted


@pytest.mark.parametrize(("domain", "optimizer"), CROSS_SECTION)
def test_killed_and_continued_with_four_threads_is_the_same(domain, optimizer, whole, tmp_path):
    known = whole(_usable(domain), optimizer)

    def kill(call):
        if call.number > known.n_calls // 2:
            raise Killed

    with pytest.raises(Killed):
        compiled(domain, optimizer, disturbed(maker(domain), kill), run_dir=tmp_path, concurrency=4)
    again = compiled(domain, optimizer, maker(domain), run_dir=tmp_path, concurrency=4)
    assert again.n_replayed > 0 and plain(again) == plain(known.found)


@pytest.mark.parametrize(("domain", "optimizer"), CROSS_SECTION)
def test_an_outage_stops_it_with_the_best_so_far(domain, optimizer, whole):
    known = whole(_usable(domain), optimizer)
    first = known.n_calls * 2 // 5

    def out(call):
        return lm15.ServerError("down") if first <= call.number < first + 4 else None

    found = compiled(domain, optimizer, disturbed(maker(domain), out))
    assert isinstance(found.stopped, ProviderError) and "down" in str(found.stopped)
    assert "(stopped: role 'challenger'" in found.verdict
    assert found.validation[found.chosen.id] == max(found.validation.values())
    assert state_of(found.program) == (found.chosen if found.improved else found.seed).state


@pytest.mark.parametrize(("domain", "optimizer"), CROSS_SECTION)
def test_output_that_cannot_be_read_is_a_failed_round(domain, optimizer, tmp_path):
    def garbled(call):
        return "{ no" if "angle" in call.inputs and rounds(domain)[call.seed][2] == 0 else None

    program = disturbed(maker(_usable(domain), good_round=1), garbled)
    found = compiled(domain, optimizer, program, run_dir=tmp_path)
    assert found.improved and found.stopped is None and found.test == {"seed": 0.0, "chosen": 1.0}
    for run in runs(tmp_path):
        first, second = (r["decision"] for r in run["trajectory"]["rounds"])
        assert first["reason"] == "malformed" and "demanded fields" in first["feedback"]
        assert second["accepted"] is bool(run["score"]["score"])


def test_an_optimizers_copies_share_no_part_of_the_examiner(domain):
    original = maker(domain)
    twin = copy.deepcopy(original)  # `deepcopy` of a module falls back to sharing what cannot be copied
    assert not {id(check) for check in original.checks} & {id(check) for check in twin.checks}


def test_a_metric_that_fails_in_feedback_alone_is_found_before_the_budget_is_spent(domain):
    def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
        if pred_name == "challenger.write":
            raise KeyError("nothing here")
        return Score(float(bool(pred.accepted)))

    program = maker(domain)
    with pytest.raises(ConfigError, match=r"the metric failed in the feedback for 'challenger.write': KeyError"):
        compiled(domain, "gepa", program, metric)
    assert len(engine(program).calls) <= 4  # one run


def test_too_few_documents_are_refused_before_anything_is_spent(domain):
    program = maker(domain)
    with pytest.raises(ConfigError, match="compiling needs at least 6") as refused:
        compile(program, documents(domain)[:5], registry.load("metrics", "acceptance_rate")())
    assert "\n" not in str(refused.value) and not engine(program).calls
