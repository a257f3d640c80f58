"""Programs as JSON files: what is saved comes back, and what does not fit is refused without doing harm."""

import json
import pickle

import dspy
import pytest

from autodata_dspy.artifact import describe, load_program, save_program
from autodata_dspy.errors import ArtifactError, ConfigError
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.roles import Roles

DEMO = {"passage": "p", "angle": "a", "feedback": "none", "question": "q", "answer": "42"}


@pytest.fixture
def maker(scripted):
    """A fresh generator whose challenger and quality verifier can both change."""

    def make():
        roles = Roles(challenger={"model": "vllm:tiny", "api_key": "s3cret", "api_base": "http://127.0.0.1:1/v1"})
        made = AgenticSelfInstruct(scripted.domain(), roles)
        made.quality_verifier._compiled = False
        return made

    return make


def predictors(maker):
    return {name: (p.signature.instructions, p.demos) for name, p in maker.named_predictors()}


def edited(maker, path, change):
    """Save a program, change its JSON and write it back."""
    save_program(maker, path, card={"seed": 0})
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))
    return path


def test_instructions_and_demonstrations_come_back(maker, tmp_path):
    before = maker()
    before.challenger.write.signature = before.challenger.write.signature.with_instructions("Write it well: ∫ ≤ 🙂")
    before.challenger.write.demos = [DEMO, {**DEMO, "question": "q2"}]
    save_program(before, tmp_path / "p.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.json", "p.md"]
    after = load_program(str(tmp_path / "p.json"), maker=maker())
    assert predictors(after) == predictors(before)
    assert predictors(after)["challenger.write"] == ("Write it well: ∫ ≤ 🙂", [DEMO, {**DEMO, "question": "q2"}])


def test_the_file_holds_prompts_and_models_and_neither_key_nor_endpoint(scripted, tmp_path):
    roles = Roles(
        challenger={
            **{"model": "vllm:tiny", "temperature": 0.9, "api_base": "http://127.0.0.1:1/v1", "api_key": "s3cret"},
            **{"headers": {"Authorization": "s3cret"}, "api_key_env": "S3CRET", "extra_body": {"token": "s3cret"}},
        },
        weak_solver="huggingface/https://127.0.0.1:1/x",
        judge=dspy.LM("openai/given", temperature=0.5, api_key="s3cret", api_base="http://127.0.0.1:1/v1"),
    )
    made = AgenticSelfInstruct(scripted.domain(), roles, per_document=3, max_rounds=4, without=["feedback"])
    save_program(made, tmp_path / "p.json", card={"optimizer": "gepa"})
    for path in tmp_path.iterdir():
        assert not any(secret in path.read_text() for secret in ("s3cret", "S3CRET", "127.0.0.1", "/v1"))
    body = json.loads((tmp_path / "p.json").read_text())
    assert (body["schema"], body["generator"], body["domain"]) == (2, "agentic_self_instruct", "tiny")
    assert body["options"] == {"per_document": 3, "max_rounds": 4, "without": ["feedback"]}
    assert body["roles"]["challenger"] == {"model": "vllm:tiny", "parameters": {"temperature": 0.9}}
    assert body["roles"]["weak_solver"] == {"model": "…"}
    assert body["roles"]["judge"] == {"model": "openai/given", "parameters": {"temperature": 0.5}}
    assert body["roles"]["strong_solver"] == {"model": "embedded/qwen2.5-coder-1.5b"}
    assert body["card"] == {"optimizer": "gepa"}


def test_roles_that_nobody_named_are_those_of_the_configured_model(scripted):
    dspy.configure(lm=scripted.lm({}, "default", temperature=0.2), adapter=dspy.JSONAdapter())
    program = describe(AgenticSelfInstruct(scripted.domain()))
    assert {used.model for used in program.roles.values()} == {"scripted/default"}
    assert program.roles["judge"].parameters == {"temperature": 0.2}
    assert (program.adapter, "student" in program.roles) == ("JSONAdapter", False)


def test_fields_are_told_with_what_the_prompt_says_of_them(maker):
    predictors = describe(maker()).predictors
    assert predictors["challenger.write"].inputs == {"passage": "", "angle": "", "feedback": ""}
    assert predictors["quality_verifier.review"].outputs == {"verdict": "one of: sound, ambiguous"}


def test_frozen_parts_are_not_in_the_file(scripted, tmp_path):
    save_program(AgenticSelfInstruct(scripted.domain()), tmp_path / "p.json")
    assert list(json.loads((tmp_path / "p.json").read_text())["predictors"]) == ["challenger.write"]


def test_what_an_optimizer_notes_beside_a_demonstrations_fields_is_left_out(maker, tmp_path):
    made = maker()
    made.challenger.write.demos = [dspy.Example(augmented=True, document=object(), question="q", answer="42")]
    save_program(made, tmp_path / "p.json")
    after = load_program(tmp_path / "p.json", maker=maker())
    assert after.challenger.write.demos == [{"question": "q", "answer": "42"}]


def test_a_program_compiled_by_bootstrapping_comes_back(scripted, tmp_path):
    class Maker(dspy.Module):
        def __init__(self):
            super().__init__()
            self.write = dspy.Predict("passage -> question")

        def forward(self, passage):
            return self.write(passage=passage)

    trainset = [dspy.Example(passage=f"passage {i}", note="beside it").with_inputs("passage") for i in range(3)]
    with dspy.context(lm=scripted.lm({"question": "why?"})):
        optimizer = dspy.BootstrapFewShot(metric=None, max_bootstrapped_demos=2, max_labeled_demos=3)
        compiled = optimizer.compile(Maker(), trainset=trainset)
    save_program(compiled, tmp_path / "p.json")
    demos = load_program(tmp_path / "p.json", maker=Maker()).write.demos
    assert [d["passage"] for d in demos if "question" in d] == ["passage 0", "passage 1"]
    assert len(demos) == 3


@pytest.mark.parametrize("value", [object(), {1, 2}, "\ud835"], ids=["object", "set", "half a letter"])
def test_what_json_cannot_hold_is_refused_and_the_file_that_was_there_stays(maker, tmp_path, value):
    path = tmp_path / "p.json"
    path.write_text("mine")
    made = maker()
    made.challenger.write.demos = [{**DEMO, "question": value}]
    with pytest.raises(ArtifactError, match="the program cannot be saved: "):
        save_program(made, path)
    assert [p.name for p in tmp_path.iterdir()] == ["p.json"]
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(maker, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=r"file/p\.json: cannot be written: Not a directory"):
        save_program(maker(), tmp_path / "file" / "p.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ArtifactError, match=r"folder\.json: cannot be written: Is a directory"):
        save_program(maker(), tmp_path / "folder.json")
    with pytest.raises(ArtifactError, match=r"p\.md: the name of a program file ends in \.json"):
        save_program(maker(), tmp_path / "p.md")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.json"]


def test_folders_that_do_not_exist_yet_are_made(maker, tmp_path):
    save_program(maker(), tmp_path / "new" / "deep" / "p.json")
    assert sorted(p.name for p in (tmp_path / "new" / "deep").iterdir()) == ["p.json", "p.md"]


def change_at(*where, to):
    def change(body):
        for key in where[:-1]:
            body = body[key]
        if to is None:
            del body[where[-1]]
        else:
            body[where[-1]] = to

    return change


REVIEW = ("predictors", "quality_verifier.review")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (change_at("schema", to=9), "schema 9, this version reads up to 2; install a newer autodata-dspy$"),
        (change_at("schema", to=None), "not a program file .the key 'schema' is missing or no number.$"),
        (change_at("schema", to=True), "the key 'schema' is missing or no number"),
        (change_at("predictors", to=[1]), r"predictors: Input should be a valid dictionary, not \[1\]$"),
        (change_at("generator", to=None), "not a program file .the key 'generator' is missing.$"),
        (change_at("code", to="import os"), "unknown key 'code'; a newer version may know it$"),
        (change_at("card", "pickle", to="gASV"), "unknown key 'card.pickle'"),
        (change_at("options", "per_document", to="two"), "options.per_document: Input should be a valid integer"),
        (change_at("options", "per_document", to=0), "options.per_document: Input should be greater than or equal"),
        (change_at("options", "without", to="gap"), "options.without: Input should be a valid list, not 'gap'$"),
        (change_at("options", "acceptance", to="os.system"), "unknown key 'options.acceptance'"),
        (change_at("domain", to="legal"), "domain: the program is for 'legal', the generator's is 'tiny'$"),
        (change_at("task", to={"name": "other"}), "task: the program is for another classification task"),
        (change_at(*REVIEW, to=None), r"has the predictors \['challenger.write'\], the generator has \['challenger.wr"),
        (
            change_at("predictors", "judge", to={"inputs": {}, "outputs": {}, "instructions": "", "demos": []}),
            "has the predictors",
        ),
        (change_at(*REVIEW, to=5), "predictors.quality_verifier.review: Input should be .*, not 5$"),
        (change_at(*REVIEW, "lm", to="x"), "unknown key 'predictors.quality_verifier.review.lm'"),
        (change_at(*REVIEW, "inputs", to="question"), "quality_verifier.review.inputs: Input should be a valid dict"),
        (change_at(*REVIEW, "instructions", to=7), "quality_verifier.review.instructions: Input should be a valid str"),
        (change_at(*REVIEW, "demos", to={}), "quality_verifier.review.demos: Input should be a valid list"),
        (change_at(*REVIEW, "demos", to=["x"]), "quality_verifier.review.demos.0: Input should be a valid dict"),
        (
            change_at(*REVIEW, "inputs", to={"verdict": "", "question": ""}),
            r"quality_verifier.review has the field 'verdict' where the generator has the field 'question': \['verdict', 'qu",
        ),
        (
            change_at(*REVIEW, "demos", to=[{"question": "q", "score": 1}]),
            r"a demo of quality_verifier.review has the field 'score'; the predictor has \['question', 'verdict'\]$",
        ),
        (change_at("domain", to="\ud835"), "not a program file .'utf-8' codec can't encode"),
        (change_at("card", to={"spend": {"usd": float("inf")}}), "not a program file .Infinity is no number.$"),
    ],
)
def test_a_program_that_does_not_fit_is_refused_and_changes_nothing(maker, tmp_path, change, says):
    other = maker()
    other.challenger.write.signature = other.challenger.write.signature.with_instructions("other")
    path = edited(other, tmp_path / "p.json", change)
    made = maker()
    before = predictors(made)
    with pytest.raises(ArtifactError, match=says) as caught:
        load_program(path, maker=made)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert predictors(made) == before


def test_a_file_with_prompts_of_the_quality_verifier_opens_it_and_a_refused_one_does_not(maker, tmp_path):
    made = maker()
    made.quality_verifier.review.demos = [{"question": "q", "verdict": "sound"}]
    save_program(made, tmp_path / "p.json")
    fresh = AgenticSelfInstruct(made.domain)
    assert predictors(load_program(tmp_path / "p.json", maker=fresh)) == predictors(made)
    edited(made, tmp_path / "bad.json", change_at(*REVIEW, "demos", to=[{"score": 1}]))
    fresh = AgenticSelfInstruct(made.domain)
    with pytest.raises(ArtifactError, match="a demo of quality_verifier"):
        load_program(tmp_path / "bad.json", maker=fresh)
    assert list(predictors(fresh)) == ["challenger.write"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not json", "not a program file .Expecting value: line 1 column 1 .char 0..$"),
        (b"[1, 2]", "not a program file .expected a table.$"),
        (b"\xff\xfe", "not a program file .'utf-8' codec can't decode"),
        (pickle.dumps({"schema": 2}), "not a program file"),
        (b"[" * 100_000, "not a program file .nested too deeply.$"),
        (b'{"schema": 2, "task": ' + b"[" * 20 + b"]" * 20 + b"}", "not a program file .nested too deeply.$"),
        (b'{"schema": 2, "schema": 1}', "not a program file .a key stands twice in one table.$"),
        (b'{"schema": 2, "x": 1e999}', "not a program file .a number is too large.$"),
        (b'{"schema": ' + b"1" * 5000 + b"}", "not a program file .Exceeds the limit"),
        (b" " * 5_000_001, "too large for a program file .limit 5 MB.$"),
    ],
    ids=["text", "list", "binary", "pickle", "deep", "rather deep", "twice", "infinite", "huge number", "large"],
)
def test_a_file_that_is_no_program_is_refused(maker, tmp_path, content, says):
    (tmp_path / "p.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=says):
        load_program(tmp_path / "p.json", maker=maker())


def test_a_file_that_is_not_there_or_a_folder_is_refused(maker, tmp_path):
    with pytest.raises(ArtifactError, match=r"none\.json: cannot be read: No such file or directory"):
        load_program(tmp_path / "none.json", maker=maker())
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        load_program(tmp_path, maker=maker())


def first_schema(path, **changes):
    """A file as version 0.1 wrote it."""
    fields = ["passage", "angle", "feedback", "question", "answer"]
    prompt = {"fields": fields, "instructions": "Old words.", "demos": [DEMO]} | changes
    path.write_text(
        json.dumps({"schema": 1, "generator": "AgenticSelfInstruct", "predictors": {"challenger.write": prompt}})
    )
    return path


def test_a_file_of_the_first_schema_still_loads(scripted, tmp_path):
    made = AgenticSelfInstruct(scripted.domain())
    load_program(first_schema(tmp_path / "p.json"), maker=made)
    assert predictors(made) == {"challenger.write": ("Old words.", [DEMO])}
    with pytest.raises(
        ConfigError, match=r"p\.json: the file does not tell the domain .schema 1.; load it with maker="
    ):
        load_program(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fields": "question"}, "predictors.'challenger.write': not of the form fields, instructions, demos"),
        ({"fields": ["passage"]}, "challenger.write has no more field where the generator has the field 'angle'"),
        ({"fields": [1]}, "not of the form"),
        (
            {"fields": ["question"]},
            r"challenger.write has the field 'question' where the generator has the field 'passage': \['question'\] and",
        ),
        ({"lm": "x"}, "unknown key 'predictors.challenger.write.lm'"),
    ],
)
def test_a_file_of_the_first_schema_that_does_not_fit_is_refused(scripted, tmp_path, changes, says):
    with pytest.raises(ArtifactError, match=says):
        load_program(first_schema(tmp_path / "p.json", **changes), maker=AgenticSelfInstruct(scripted.domain()))


def test_the_first_schema_knew_no_other_keys(scripted, tmp_path):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"schema": 1, "generator": "x", "predictors": {}, "domain": "tiny"}))
    with pytest.raises(ArtifactError, match="unknown key 'domain'"):
        load_program(path, maker=AgenticSelfInstruct(scripted.domain()))
