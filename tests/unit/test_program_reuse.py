"""Programs in other projects: loaded by name or path, inside a user's module, compiled further, saved again."""

import dataclasses
import json

import dspy
import pytest

import autodata_dspy as ad
from autodata_dspy import artifact, program_sources, registry
from autodata_dspy.artifact import load_program, save_program
from autodata_dspy.domains import legal_labels
from autodata_dspy.errors import ArtifactError, ConfigError, UnknownPluginError
from autodata_dspy.generators import AgenticSelfInstruct, CoTSelfInstruct, SelfInstruct
from autodata_dspy.labelled_task import LabelledTask

TASK = LabelledTask("weather", {"wet": "It rains.", "dry": "The sun shines."}, kind="sentence")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The domain "tiny" of tests/scripted.py as an installed package."""
    folder = tmp_path / "site"
    info = folder / "tiny_domain-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-domain\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[autodata_dspy.domains]\ntiny = tiny_domain:PLUGIN\n")
    (folder / "tiny_domain.py").write_text("from scripted import tiny_domain\n\nPLUGIN = tiny_domain()\n")
    monkeypatch.syspath_prepend(str(folder))
    registry._entry_points.cache_clear()
    yield "tiny"
    registry._entry_points.cache_clear()


@pytest.fixture
def roles(scripted):
    return scripted.fated_roles(lambda call: scripted.fated(f"{call.seed:x}"), schema=True)


class Mine(dspy.Module):
    """A user's own program around ours."""

    def __init__(self, maker):
        super().__init__()
        self.maker = maker
        self.title = dspy.Predict("question -> title")

    def forward(self, document, seed):
        made = self.maker(document=document, seed=seed)
        question = made.accepted[0].challenge.question if made.accepted else "none"
        return dspy.Prediction(accepted=made.accepted, title=self.title(question=question).title)


def bootstrapped(module, scripted):
    trainset = [dspy.Example(document=d, seed=0).with_inputs("document", "seed") for d in scripted.documents(3)]
    optimizer = dspy.BootstrapFewShot(
        metric=lambda example, made, trace=None: bool(made.accepted), max_bootstrapped_demos=2, max_labeled_demos=0
    )
    with dspy.context(lm=scripted.lm({"title": "a title"})):
        return optimizer.compile(module, trainset=trainset)


def prompts(module):
    return {name: (p.signature.instructions, [dict(d) for d in p.demos]) for name, p in module.named_predictors()}


def sent(maker, roles, scripted):
    """What the challenger's model is sent for a fresh document."""
    before = len(scripted.calls(roles, "challenger"))
    maker(document=scripted.documents(4)[-1], seed=5)
    return [call.prompt for call in scripted.calls(roles, "challenger")[before:]]


def test_a_loaded_program_is_compiled_further_inside_a_users_module_saved_and_reloaded(tiny, roles, scripted, tmp_path):
    first = AgenticSelfInstruct(tiny, roles, per_document=1, max_rounds=2)
    first.challenger.write.signature = first.challenger.write.signature.with_instructions("Ask about the sea.")
    save_program(first, tmp_path / "first.json")

    compiled = bootstrapped(Mine(load_program(tmp_path / "first.json", roles)), scripted)
    instruction, demos = prompts(compiled)["maker.challenger.write"]
    assert (instruction, len(demos)) == ("Ask about the sea.", 2)

    save_program(compiled.maker, tmp_path / "second.json")
    again = ad.load_program(tmp_path / "second.json", roles)
    assert type(again) is AgenticSelfInstruct
    assert (again.per_document, again.max_rounds, again.roles) == (1, 2, roles)
    assert sent(again, roles, scripted) == sent(compiled.maker, roles, scripted)
    assert demos[0]["question"] in sent(again, roles, scripted)[0]

    save_program(compiled, tmp_path / "mine.json")  # the whole module, loaded into another of its kind
    reloaded = load_program(tmp_path / "mine.json", maker=Mine(AgenticSelfInstruct(tiny, roles)))
    stripped = {
        n: (i, [{k: v for k, v in d.items() if k != "augmented"} for d in ds])
        for n, (i, ds) in prompts(compiled).items()
    }
    assert prompts(reloaded) == stripped
    with pytest.raises(
        UnknownPluginError, match=r"mine\.json: unknown generator 'Mine'.*loaded with load_program\(…, m"
    ):
        load_program(tmp_path / "mine.json")


def test_a_frozen_program_is_left_alone_by_an_optimizer(tiny, roles, scripted, tmp_path):
    save_program(AgenticSelfInstruct(tiny, per_document=1), tmp_path / "p.json")
    loaded = load_program(tmp_path / "p.json", roles)
    loaded._compiled = True
    compiled = bootstrapped(Mine(loaded), scripted)
    assert [name for name, _ in compiled.named_predictors()] == ["title"]
    assert compiled.maker.challenger.write.demos == []


@pytest.mark.parametrize("kind", [AgenticSelfInstruct, SelfInstruct, CoTSelfInstruct])
def test_every_generator_comes_back_as_it_was(tiny, kind, tmp_path):
    made = kind(tiny, per_document=3)
    save_program(made, tmp_path / "p.json")
    again = load_program(tmp_path / "p.json")
    assert (type(again), again.per_document, prompts(again)) == (kind, 3, prompts(made))


def test_a_program_without_parts_comes_back_without_them(tiny, tmp_path):
    save_program(AgenticSelfInstruct(tiny, without=("gap", "feedback")), tmp_path / "p.json")
    assert load_program(tmp_path / "p.json").without == ("feedback", "gap")


def test_a_program_for_a_task_brings_the_task(tmp_path):
    save_program(AgenticSelfInstruct(legal_labels.for_task(TASK)), tmp_path / "p.json")
    assert load_program(tmp_path / "p.json").domain.task == TASK
    with pytest.raises(ArtifactError, match="task: the program is for another classification task"):
        load_program(tmp_path / "p.json", maker=AgenticSelfInstruct("legal_labels"))
    # Texts that somebody gives as examples make no other task of it, nor does their length.
    examples = {next(iter(TASK.labels)): ("A text of it.",)}
    richer = legal_labels.for_task(dataclasses.replace(TASK, examples=examples, words=(5, 9)))
    assert load_program(tmp_path / "p.json", maker=AgenticSelfInstruct(richer)).domain is richer
    other = legal_labels.for_task(dataclasses.replace(TASK, kind="something else"))
    with pytest.raises(ArtifactError, match="task: the program is for another classification task"):
        load_program(tmp_path / "p.json", maker=AgenticSelfInstruct(other))
    save_program(AgenticSelfInstruct("legal_labels"), tmp_path / "own.json")
    assert "task" not in json.loads((tmp_path / "own.json").read_text())
    assert load_program(tmp_path / "own.json").domain is legal_labels.PLUGIN


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"generator": "os"}, UnknownPluginError, "unknown generator 'os'; "),
        ({"generator": "autodata_dspy.cli:main"}, UnknownPluginError, "unknown generator 'autodata_dspy.cli:main'; "),
        ({"generator": "../cli"}, UnknownPluginError, "unknown generator"),
        ({"domain": "tinny"}, UnknownPluginError, "unknown domain 'tinny'; did you mean 'tiny'"),
        ({"domain": "../../etc"}, UnknownPluginError, "unknown domain"),
        ({"domain": ""}, ConfigError, "the file does not tell the domain"),
        ({"task": {"name": "x"}}, ConfigError, "the domain 'tiny' takes no task, but the file has one"),
        ({"domain": "legal_labels", "task": {"name": "x"}}, ConfigError, "task: the key 'labels' is missing"),
        ({"options": {"without": ["judge"]}}, ConfigError, "unknown part to leave out 'judge'"),
        (
            {"generator": "self_instruct", "options": {"max_rounds": 3}},
            ArtifactError,
            "options.max_rounds: the generator 'self_instruct' does not take it",
        ),
        (
            {"generator": "self_instruct", "options": {}},
            ArtifactError,
            r"has the predictors \['challenger.write'\], the generator has",
        ),
    ],
)
def test_a_file_that_does_not_fit_what_is_installed_is_refused(tiny, tmp_path, changes, error, says):
    path = tmp_path / "p.json"
    save_program(AgenticSelfInstruct(tiny), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(error, match=says) as caught:
        load_program(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_shipped_program_is_loaded_by_its_name(tiny, tmp_path, monkeypatch):
    (tmp_path / "programs" / "tiny").mkdir(parents=True)
    monkeypatch.setattr(program_sources, "_SHIPPED", tmp_path / "programs")
    made = AgenticSelfInstruct(tiny, per_document=7)
    save_program(made, tmp_path / "programs" / "tiny" / "bootstrap.json")
    assert list(program_sources.shipped()) == ["tiny/bootstrap"]
    assert load_program("tiny/bootstrap").per_document == 7
    with pytest.raises(ConfigError, match="unknown program 'tiny/bootstrip'; did you mean 'tiny/bootstrap'"):
        load_program("tiny/bootstrip")


def test_whatever_ships_loads():
    assert program_sources._SHIPPED.joinpath("README.md").is_file()
    for name in program_sources.shipped():
        assert artifact.load_program(name).domain.name == name.split("/")[0]


def test_a_maker_and_roles_are_not_taken_together(tiny, roles, tmp_path):
    save_program(AgenticSelfInstruct(tiny), tmp_path / "p.json")
    with pytest.raises(ConfigError, match="give roles or a maker, not both"):
        load_program(tmp_path / "p.json", roles, AgenticSelfInstruct(tiny))


@pytest.mark.parametrize("source", ["hf:", "hf:me", "hf:me/x/../../p.json", "hf:me/x/p.pkl", "hf:me/a b"])
def test_a_hub_address_that_is_none_is_refused(source):
    with pytest.raises(ConfigError, match="expected hf:OWNER/REPOSITORY or hf:OWNER"):
        load_program(source)


def test_a_hub_out_of_reach_is_told_in_one_line(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        ArtifactError, match=r"program 'hf:me/programs': cannot be fetched .*check the name and the"
    ) as caught:
        load_program("hf:me/programs")
    assert "\n" not in str(caught.value)


def test_a_program_in_the_hubs_cache_is_found_without_a_network(tiny, tmp_path, monkeypatch):
    import huggingface_hub.constants

    snapshot = tmp_path / "models--me--programs" / "snapshots" / "abc"
    (snapshot / "tiny").mkdir(parents=True)
    (tmp_path / "models--me--programs" / "refs").mkdir()
    (tmp_path / "models--me--programs" / "refs" / "main").write_text("abc")
    save_program(AgenticSelfInstruct(tiny, per_document=7), snapshot / "tiny" / "gepa.json")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.file_download.constants, "HF_HUB_CACHE", str(tmp_path))
    assert load_program("hf:me/programs/tiny/gepa.json").per_document == 7
