"""Runs of Self-Instruct: stopped in the middle of a slot, side by side, and with the paper's sampling parameters."""

import json

import pytest
from rouge_score.rouge_scorer import RougeScorer

from autodata_dspy.budget import Limits
from autodata_dspy.generation import generate
from autodata_dspy.generators import SelfInstruct
from autodata_dspy.types import Document

SLOTS = [Document(f"slot-{i}", "") for i in range(5)]
SHAPES = ("Tell how {} are kept warm", "List the parts of old {} there", "Say when {} were first sold")


def three_tasks(call):
    """Three instructions a slot, alike in each slot and from slot to slot, each with two instances."""
    if "new_tasks" in call.prompt:
        return {"new_tasks": "\n".join(f"{9 + i}. {shape.format(call.seed % 4)}." for i, shape in enumerate(SHAPES))}
    if "`classification`" in call.prompt:
        return {"classification": "no"}
    return {"examples": f"Input: none\nOutput: {call.seed}\n\nInput: one\nOutput: two"}


def made(scripted, script=three_tasks, **options):
    return SelfInstruct(scripted.domain(), scripted.roles(challenger=script, schema=True), **options)


def rounds(result):
    return [(t.document_id, t.status, t.rounds) for t in result.trajectories]


# An uninterrupted run makes one call for the list and two for each instruction that stays.
@pytest.mark.parametrize("n_calls", [1, 2, 3, 5, 8, 9])
def test_a_run_that_stopped_in_the_middle_of_a_slot_goes_on_as_if_it_had_not(scripted, tmp_path, n_calls):
    whole = made(scripted)
    expected = generate(whole, SLOTS, concurrency=1)
    stopped = generate(made(scripted), SLOTS, concurrency=1, run_dir=tmp_path, limits=Limits(max_calls=n_calls))
    assert stopped.stopped is not None and stopped.trajectories[-1].status == "stopped"
    again = made(scripted)
    result = generate(again, SLOTS, concurrency=1, run_dir=tmp_path)
    assert rounds(result) == rounds(expected) and again.pool.kept == whole.pool.kept
    assert result.usage["challenger"]["calls"] == expected.usage["challenger"]["calls"]  # nothing was paid twice


def test_a_stopped_slot_leaves_its_rounds_and_nothing_in_the_pool(scripted, tmp_path):
    maker = made(scripted)
    result = generate(maker, SLOTS, concurrency=1, run_dir=tmp_path, limits=Limits(max_calls=4))
    [partial] = result.trajectories
    assert [r.decision.reason for r in partial.rounds] == ["accepted", "accepted"]
    assert maker.pool.kept == () and len(maker.pool) == len(maker.pool.seeds)
    more = generate(maker, SLOTS, concurrency=1, run_dir=tmp_path)  # the same object may go on, too
    assert rounds(more) == rounds(generate(made(scripted), SLOTS, concurrency=1))


def test_side_by_side_no_two_instructions_that_are_kept_are_alike(scripted, tmp_path):
    maker = made(scripted)
    slots = [Document(f"slot-{i:02}", "") for i in range(24)]
    result = generate(maker, slots, concurrency=2, run_dir=tmp_path)
    assert [t.status for t in result.trajectories] == ["done"] * 24
    scorer, kept = RougeScorer(["rougeL"]), maker.pool.kept
    for i, one in enumerate(kept):
        assert all(scorer.score(other, one)["rougeL"].fmeasure <= 0.7 for other in kept[:i])
    accepted = [r.challenge.angle for t in result.trajectories for r in t.accepted]
    assert set(accepted) == set(kept) and len(kept) == 3 and len(accepted) == 6
    assert len(maker.pool) == len(maker.pool.seeds) + 3


def test_the_papers_sampling_reaches_an_endpoint_that_knows_it_and_no_other(scripted):
    for known in (True, False):
        maker = made(scripted)
        engine = maker.roles._given["challenger"].engine
        if known:
            engine.supported_params |= {"top_p", "presence_penalty"}
        maker(document=SLOTS[0], seed=0)
        sent = [(c.request.config.top_p, c.request.config.presence_penalty) for c in engine.calls[:3]]
        assert sent == ([(0.5, 2.0), (None, None), (None, 1.5)] if known else [(None, None)] * 3)
        assert [c.request.config.temperature for c in engine.calls[:3]] == [0.7, 0.0, 0.0]


def test_parameters_of_the_role_win(scripted):
    lm = scripted.lm(three_tasks, schema=True, temperature=0.1)
    maker = SelfInstruct(scripted.domain(), type(scripted.roles())(challenger=lm))
    maker(document=SLOTS[0], seed=0)
    assert {c.request.config.temperature for c in lm.engine.calls} == {0.1}


def test_a_dropped_instruction_keeps_its_verdict_in_the_run_folder(scripted, tmp_path):
    generate(made(scripted), SLOTS, concurrency=1, run_dir=tmp_path)
    told = [json.loads(line) for line in (tmp_path / "trajectories.jsonl").read_text("utf-8").splitlines()]
    [verdict, *_] = [r["verdicts"][0] for t in told for r in t["rounds"] if r["decision"]["reason"] == "filtered"]
    assert verdict["verifier"] == "rouge_l" and 0.7 < verdict["evidence"]["score"] <= 1.0
    assert verdict["feedback"] == f"too much like {verdict['evidence']['like']!r}"
