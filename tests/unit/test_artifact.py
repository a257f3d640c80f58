"""Programs as JSON files: what is saved comes back, and what does not fit is refused without doing harm."""

import json

import dspy
import pytest

from autodata_dspy.artifact import load_program, save_program
from autodata_dspy.errors import ArtifactError
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
    save_program(maker, path)
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))
    return path


def test_instructions_and_demonstrations_come_back(maker, tmp_path):
    before = maker()
    before.challenger.write.signature = before.challenger.write.signature.with_instructions("Write it well: ∫ ≤ 🙂")
    before.challenger.write.demos = [DEMO, {**DEMO, "question": "q2"}]
    save_program(before, tmp_path / "p.json")
    assert [p.name for p in tmp_path.iterdir()] == ["p.json"]
    after = load_program(str(tmp_path / "p.json"), maker=maker())
    assert predictors(after) == predictors(before)
    assert predictors(after)["challenger.write"] == ("Write it well: ∫ ≤ 🙂", [DEMO, {**DEMO, "question": "q2"}])


def test_the_file_holds_prompts_and_neither_model_nor_key_nor_endpoint(maker, tmp_path):
    save_program(maker(), tmp_path / "p.json")
    text = (tmp_path / "p.json").read_text()
    assert not any(secret in text for secret in ("s3cret", "vllm", "127.0.0.1"))
    body = json.loads(text)
    assert (body["schema"], body["generator"]) == (1, "AgenticSelfInstruct")
    assert list(body["predictors"]) == ["challenger.write", "quality_verifier.review"]
    assert body["predictors"]["challenger.write"]["fields"] == ["passage", "angle", "feedback", "question", "answer"]


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
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArtifactError, match="folder: cannot be written: Is a directory"):
        save_program(maker(), tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


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
        (change_at("schema", to=9), "schema 9, this version reads 1"),
        (change_at("schema", to=None), r"not a program file \(expected schema, generator, predictors\)"),
        (change_at("predictors", to=[1]), "not a program file"),
        (change_at(*REVIEW, to=None), r"has the predictors \['challenger.write'\], the generator has \['challenger.wr"),
        (change_at("predictors", "judge", to={"fields": [], "instructions": "", "demos": []}), "has the predictors"),
        (
            change_at(*REVIEW, to=5),
            "predictor 'quality_verifier.review' is not of the form fields, instructions, demos",
        ),
        (change_at(*REVIEW, "lm", to="x"), "'quality_verifier.review' is not of the form"),
        (change_at(*REVIEW, "fields", to="question"), "'quality_verifier.review' is not of the form"),
        (change_at(*REVIEW, "instructions", to=7), "'quality_verifier.review' is not of the form"),
        (change_at(*REVIEW, "demos", to={}), "'quality_verifier.review' is not of the form"),
        (change_at(*REVIEW, "demos", to=["x"]), "'quality_verifier.review' is not of the form"),
        (
            change_at(*REVIEW, "fields", to=["verdict", "question"]),
            r"quality_verifier.review has the fields \['verdict', 'question'\], the generator has \['question', 'ver",
        ),
        (
            change_at(*REVIEW, "demos", to=[{"question": "q", "score": 1}]),
            "a demo of quality_verifier.review has a field other than",
        ),
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
    assert predictors(made) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not json", "not a program file"),
        (b"[1, 2]", "not a program file"),
        (b"\xff\xfe", "not a program file"),
        (b"[" * 100_000, "not a program file .maximum recursion depth"),
        (b" " * 5_000_001, "too large for a program file .limit 5 MB"),
    ],
    ids=["text", "list", "binary", "deep", "large"],
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
