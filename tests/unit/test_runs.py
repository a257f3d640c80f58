"""A configured run: what a configuration builds, what a folder tells, and what may change when a run is resumed."""

import json

import model_server
import pytest

from autodata_dspy import generate, runs
from autodata_dspy.acceptance import ExactCounts
from autodata_dspy.artifact import load_program, save_program
from autodata_dspy.config import RunConfig
from autodata_dspy.domains.base import LONG_PASSAGE_CHARS
from autodata_dspy.errors import ArtifactError, ConfigError, StoreError, UnknownPluginError
from autodata_dspy.generation import fingerprint
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.store import RunFolder


@pytest.fixture
def server():
    with model_server.serving() as running:
        yield running


@pytest.fixture
def config(server, tmp_path):
    """A configuration of two documents on the server's model; `changes` go on top."""
    documents = [model_server.document("alpha", "accept"), model_server.document("beta", "easy", "accept")]
    (tmp_path / "d.jsonl").write_text(model_server.lines(*documents))
    spec = {"model": "vllm:scripted", "api_base": server.url, "num_retries": 0}
    roles = dict.fromkeys(("challenger", "quality_verifier", "weak_solver", "strong_solver"), spec)

    def make(**changes):
        fixed = {"documents": str(tmp_path / "d.jsonl"), "n": 2, "per_document": 1, "concurrency": 1, "roles": roles}
        return RunConfig.of({**fixed, **changes})

    return make


def made_in_python(scripted, run_dir):
    """A run of one document that `generate` was given as objects."""
    roles = scripted.fated_roles(lambda call: scripted.fated("how?"))
    maker = AgenticSelfInstruct(scripted.domain(), roles, per_document=1)
    return generate(maker, scripted.documents(1), run_dir=run_dir)


def test_a_configuration_builds_its_generator():
    config = RunConfig.of({"per_document": 3, "max_rounds": 5, "quality_check": False, "acceptance": {"max_weak": 0}})
    maker = runs.build_maker(config)
    assert type(maker) is AgenticSelfInstruct
    assert (maker.domain.name, maker.per_document, maker.max_rounds) == ("math_objects", 3, 5)
    assert maker.quality_verifier is None
    assert maker.acceptance == ExactCounts(max_weak=0)


@pytest.mark.parametrize(("domain", "asks"), [("cs_research", "Rubric: 10 to 15"), ("legal", "rubric: 15 to 25")])
def test_the_form_of_the_paper_is_a_setting(domain, asks):
    small, paper = (runs.build_maker(RunConfig(domain=domain, paper_form=form)) for form in (False, True))
    assert asks in paper.challenger.write.signature.instructions
    assert asks not in small.challenger.write.signature.instructions
    assert paper.domain.passage_chars == LONG_PASSAGE_CHARS > 5 * small.domain.passage_chars
    assert fingerprint(paper, [], 0) != fingerprint(small, [], 0)


@pytest.mark.parametrize("domain", ["cs_research", "legal"])
def test_a_program_brings_the_form_and_the_quality_check_that_it_was_made_with(domain, tmp_path):
    config = RunConfig(domain=domain, paper_form=True, quality_check=False)
    program = str(tmp_path / "paper.json")
    save_program(runs.build_maker(config), program)
    told = runs.completed(RunConfig(program=program))
    assert (told.domain, told.paper_form, told.quality_check) == (domain, True, False)
    for maker in (load_program(program), runs.build_maker(told)):
        assert maker.domain.passage_chars == LONG_PASSAGE_CHARS and maker.quality_verifier is None
    assert "| paper\\_form | True |" in (tmp_path / "paper.md").read_text()
    with pytest.raises(ArtifactError, match=r"paper_form: the program is for the paper's form"):
        runs.build_maker(RunConfig(program=program, domain=domain))
    short = str(tmp_path / "short.json")
    save_program(runs.build_maker(RunConfig(domain=domain)), short)
    told = runs.completed(RunConfig(program=short))
    assert not told.paper_form and told.quality_check
    assert load_program(short).domain.passage_chars < LONG_PASSAGE_CHARS
    with pytest.raises(ArtifactError, match=r"paper_form: the program is for the short form"):
        load_program(short, maker=runs.build_maker(config))


def test_a_program_file_puts_its_prompts_into_the_generator(tmp_path):
    maker = runs.build_maker(RunConfig())
    maker.challenger.write.signature = maker.challenger.write.signature.with_instructions("Write better ones.")
    save_program(maker, tmp_path / "better.json")
    built = runs.build_maker(RunConfig(program=str(tmp_path / "better.json")))
    assert built.challenger.write.signature.instructions == "Write better ones."


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"domain": "alchemy"}, UnknownPluginError),
        ({"program": "by_hand"}, UnknownPluginError),
        ({"program": "nowhere.json"}, ArtifactError),
        ({"acceptance": {"min_strong": 99}}, ConfigError),
    ],
)
def test_what_cannot_be_built_is_refused(changes, error):
    with pytest.raises(error):
        runs.build_maker(RunConfig.of(changes))


def test_builtin_documents_are_the_domains_own():
    documents = runs.read_documents(RunConfig())
    assert len(documents) >= 12
    assert {d.domain for d in documents} == {"math_objects"}


def test_documents_of_a_file_carry_the_domain(config):
    assert [(d.id, d.domain) for d in runs.read_documents(config())] == [
        ("alpha", "math_objects"),
        ("beta", "math_objects"),
    ]


def test_a_run_is_started_in_a_folder_and_told_from_it(config, server, tmp_path):
    assert runs.n_accepted(tmp_path / "r") == 0
    result = runs.start(config(), tmp_path / "r")
    assert [row["document_id"] for row in result.accepted] == ["alpha", "beta"]
    outline = runs.outline(tmp_path / "r")
    assert outline.config == config()
    assert sorted(outline.documents) == ["alpha", "beta"]
    assert [len(t.rounds) for t in outline.trajectories] == [1, 2]
    assert {role: u["calls"] for role, u in outline.usage["by_role"].items()} == server.by_role()
    assert runs.n_accepted(tmp_path / "r") == 2
    assert [v.score for v in runs.recheck("math_objects", result)] == [1.0, 1.0]


def test_a_resumed_run_takes_changes_and_keeps_the_rest(config, server, tmp_path):
    first = runs.start(config(limits={"max_calls": 10, "max_tokens": 90_000}), tmp_path / "r")
    assert str(first.stopped) == "the limit of 10 model calls is reached"
    assert runs.n_accepted(tmp_path / "r") == 1
    second = runs.resume(tmp_path / "r", n=None, limits={"max_calls": 12, "max_tokens": None})
    assert str(second.stopped) == "the limit of 12 model calls is reached"
    tokens = runs.resume(tmp_path / "r", limits={"max_calls": 500, "max_tokens": 1300})
    assert str(tokens.stopped).startswith("the limit of 1300 tokens is reached")
    assert str(runs.resume(tmp_path / "r").stopped).startswith("the limit of 1300 tokens is reached")  # from now on
    last = runs.resume(tmp_path / "r", n=3, passes=2, concurrency=2, limits={"max_tokens": 90_000})
    assert last.stopped is None
    assert len(last.accepted) == 3
    # A second pass may meet a question again: the reviewer, who does not know the pass, is then asked the same.
    asked = [raw for role, raw in server.requests if role != "quality_verifier"]
    assert len(asked) == len(set(asked))


def test_a_stopped_documents_examples_are_not_counted_as_kept(config, tmp_path):
    """They are made again, from the log of calls, when the run is resumed."""
    runs.start(config(per_document=2, n=4, limits={"max_calls": 12}), tmp_path / "r")
    [alpha] = runs.outline(tmp_path / "r").trajectories
    assert (alpha.status, len(alpha.accepted)) == ("stopped", 1)
    assert runs.n_accepted(tmp_path / "r") == 0


def test_a_run_that_was_made_in_python_can_be_looked_at_but_not_resumed_from_its_folder(scripted, tmp_path):
    made_in_python(scripted, tmp_path / "r")
    outline = runs.outline(tmp_path / "r")
    assert outline.config is None
    assert len(outline.trajectories) == 1
    with pytest.raises(StoreError, match=r"was made in Python by `generate\(…\)` without a configuration; continue it"):
        runs.resume(tmp_path / "r")
    again = made_in_python(scripted, tmp_path / "r")
    assert len(again.accepted) == 1


def test_a_file_is_no_place_for_a_run(config, tmp_path):
    (tmp_path / "r").write_text("mine")
    with pytest.raises(StoreError, match="r is a file; name a folder for the run"):
        runs.start(config(), tmp_path / "r")
    assert (tmp_path / "r").read_text() == "mine"


def test_a_folder_of_another_configuration_is_refused(config, tmp_path):
    runs.start(config(n=1), tmp_path / "r")
    with pytest.raises(StoreError, match="belongs to another configuration"):
        runs.start(config(seed=1), tmp_path / "r")


def test_a_stored_configuration_that_this_version_does_not_know_is_refused(config, tmp_path):
    RunFolder(tmp_path / "r").create({**json.loads(config().model_dump_json()), "colour": "red"}, "x", [])
    with pytest.raises(ConfigError, match="unknown setting 'colour'"):
        runs.resume(tmp_path / "r")


def test_where_nothing_was_accepted_there_is_nothing_to_check_again(config, tmp_path):
    (tmp_path / "easy.jsonl").write_text(model_server.lines(model_server.document("easy", "easy")))
    result = runs.start(config(max_rounds=1, documents=str(tmp_path / "easy.jsonl")), tmp_path / "r")
    assert len(result.trajectories) == 1
    assert runs.recheck("math_objects", result) == []


@pytest.mark.parametrize(("domain", "said"), [("math_objects", "checked"), ("support_tone", "judged"), ("gone", "")])
def test_a_domain_says_what_stands_behind_its_examples_also_where_it_is_not_installed(domain, said):
    assert runs.verified(RunConfig(domain=domain)) == said
