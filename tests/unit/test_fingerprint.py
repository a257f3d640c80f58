"""What a run folder must agree on to be continued, and what may change from session to session."""

import json

import dspy
import pytest

from autodata_dspy.acceptance import ExactCounts
from autodata_dspy.budget import Limits
from autodata_dspy.errors import StoreError
from autodata_dspy.filters import Filtering
from autodata_dspy.generation import fingerprint, generate
from autodata_dspy.generators import AgenticSelfInstruct, CoTSelfInstruct, SelfInstruct
from autodata_dspy.seed_tasks import Instance, SeedTask
from autodata_dspy.types import Challenge, Document


@pytest.fixture
def make(scripted):
    def make(instructions="Write.", demos=(), model="model", kind=AgenticSelfInstruct, **options):
        lm = scripted.lm("not usable", model, schema=True)
        roles = scripted.roles() if not model else type(scripted.roles())(challenger=lm)
        maker = kind(scripted.domain(), roles, **({"max_rounds": 1} | options))
        maker.challenger.write.signature = maker.challenger.write.signature.with_instructions(instructions)
        maker.challenger.write.demos = [dict(demo) for demo in demos]
        return maker

    return make


class Another(AgenticSelfInstruct):
    pass


def test_the_same_configuration_has_the_same_mark(scripted, make):
    documents = scripted.documents(2)
    assert fingerprint(make(), documents, 0) == fingerprint(make(), list(documents), 0)
    assert len(fingerprint(make(), documents, 0)) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"instructions": "Write well."},
        {"demos": [{"question": "q", "answer": "a"}]},
        {"model": "other"},
        {"kind": Another},
        {"max_rounds": 2},
        {"per_document": 1},
        {"curtail": False},
        {"quality_check": False},
        {"acceptance": ExactCounts(max_weak=0)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_generator_is_refused_in_one_line(scripted, make, tmp_path, change):
    generate(make(), scripted.documents(2), run_dir=tmp_path)
    before = (tmp_path / "trajectories.jsonl").read_bytes()
    with pytest.raises(StoreError, match="belongs to another configuration") as refused:
        generate(make(**change), scripted.documents(2), run_dir=tmp_path)
    assert "\n" not in str(refused.value) and str(tmp_path) in str(refused.value)
    assert (tmp_path / "trajectories.jsonl").read_bytes() == before


SEEDS = [SeedTask(f"s{i}", f"Say what {i} is.", (Instance("", f"It is {i}."),)) for i in range(4)]
CLASSIC = {
    "fewer seeds": {"seeds": SEEDS[:2]},
    "seeds in another order": {"seeds": SEEDS[::-1]},
    "another output of a seed": {"seeds": [*SEEDS[:3], SeedTask("s3", "Say what 3 is.", (Instance("", "Three."),))]},
    "another limit": {"per_document": 7},
    "another domain": {"name": "another"},
}


@pytest.mark.parametrize("change", CLASSIC)
@pytest.mark.parametrize("kind", [SelfInstruct, CoTSelfInstruct])
def test_seeds_and_options_of_a_classic_program_are_part_of_its_mark(scripted, kind, change):
    def mark(name="tiny", **options):
        return fingerprint(kind(scripted.domain(name=name), scripted.roles(), **options), scripted.documents(2), 0)

    assert mark(seeds=SEEDS) == mark(seeds=list(SEEDS)) == mark(seeds=tuple(SEEDS))
    assert mark(**({"seeds": SEEDS} | CLASSIC[change])) != mark(seeds=SEEDS)


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        (SelfInstruct, {"filters": ["too_short"]}),
        (CoTSelfInstruct, {"max_rounds": 7}),
        (CoTSelfInstruct, {"filtering": Filtering(n_samples=2)}),
        (CoTSelfInstruct, {"filtering": Filtering(min_reward=0.25)}),
    ],
)
def test_options_of_one_classic_program_are_part_of_its_mark(scripted, kind, option):
    plain, changed = (kind(scripted.domain(), scripted.roles(), **given) for given in ({}, option))
    assert fingerprint(plain, [], 0) != fingerprint(changed, [], 0)


def test_programs_have_marks_of_their_own(scripted):
    kinds = (SelfInstruct, CoTSelfInstruct, AgenticSelfInstruct)
    assert len({fingerprint(kind(scripted.domain(), scripted.roles()), [], 0) for kind in kinds}) == 3


def test_a_run_of_other_seed_tasks_is_refused(scripted, tmp_path):
    def go(seeds):
        maker = SelfInstruct(scripted.domain(), scripted.roles(challenger="nothing", schema=True), seeds=seeds)
        return generate(maker, [Document("slot-1", "")], run_dir=tmp_path)

    assert len(go(SEEDS).trajectories) == 1
    with pytest.raises(StoreError, match="belongs to another configuration"):
        go(SEEDS[1:])


def test_another_seed_is_refused(scripted, make, tmp_path):
    generate(make(), scripted.documents(2), run_dir=tmp_path)
    with pytest.raises(StoreError, match="belongs to another configuration"):
        generate(make(), scripted.documents(2), run_dir=tmp_path, seed=1)


@pytest.mark.parametrize(
    "documents",
    [
        lambda d: d[:1],
        lambda d: [*d, Document("more", "one more document with text")],
        lambda d: [d[0], Document(d[1].id, d[1].text + " More.")],
        lambda d: [d[0], Document("renamed", d[1].text)],
    ],
    ids=["fewer", "more", "edited", "renamed"],
)
def test_other_documents_are_refused(scripted, make, tmp_path, documents):
    generate(make(), scripted.documents(2), run_dir=tmp_path)
    with pytest.raises(StoreError, match="belongs to another configuration"):
        generate(make(), documents(scripted.documents(2)), run_dir=tmp_path)


def test_wants_limits_and_concurrency_may_change(scripted, make, tmp_path):
    generate(make(), scripted.documents(2), n=1, run_dir=tmp_path, limits=Limits(max_calls=1), concurrency=1)
    result = generate(make(), scripted.documents(2), n=None, run_dir=tmp_path, passes=2, concurrency=3)
    assert [(t.document_id, t.seed) for t in result.trajectories] == [
        ("doc-0", 0),
        ("doc-1", 0),
        ("doc-0", 1),
        ("doc-1", 1),
    ]


def test_a_folder_keeps_the_configuration_of_its_last_session(scripted, make, tmp_path):
    generate(make(), scripted.documents(2), run_dir=tmp_path, config={"n": 3})
    before = json.loads((tmp_path / "config.json").read_text())
    generate(make(), scripted.documents(2), run_dir=tmp_path, config={"n": 4})
    generate(make(), scripted.documents(2), run_dir=tmp_path)  # which says nothing of it
    assert json.loads((tmp_path / "config.json").read_text()) == {**before, "config": {"n": 4}}


def test_fewer_passes_than_the_folder_holds_give_those_of_the_wanted_ones(scripted, tmp_path):
    def maker(document, seed):
        return dspy.Prediction(challenge=Challenge(f"{document.id} {seed}", "a"))

    generate(maker, scripted.documents(2), run_dir=tmp_path, passes=3)
    result = generate(maker, scripted.documents(2), run_dir=tmp_path, n=2)
    assert [row["question"] for row in result.accepted] == ["doc-0 0", "doc-1 0"]
