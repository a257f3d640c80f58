"""The domain of support replies: what the challenger's output becomes, and the whole loop with scripted models."""

import dspy
import pytest
from command_line import run_here
from dspy import lm15

from autodata_dspy import generate, registry
from autodata_dspy.cli import options
from autodata_dspy.config import RunConfig
from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.support_tone import DEMOS, PLUGIN
from autodata_dspy.generators import AgenticSelfInstruct

CARING, PLAIN = "I am so sorry about your bike. Take one of ours tonight.", "Three weeks."
OUTPUTS = list(PLUGIN.write.output_fields)


def written(**changes):
    return dspy.Prediction(**{**{name: DEMOS[0][name] for name in OUTPUTS}, **changes})


def build(**changes):
    return PLUGIN.build(written(**changes), PLUGIN.angles[0])


# -- what the challenger wrote --------------------------------------------------------------------------------


def test_what_is_written_becomes_a_challenge_with_facts_for_the_solvers_and_a_rubric_for_the_judge():
    challenge = build()
    assert challenge.question == DEMOS[0]["message"] and challenge.answer == DEMOS[0]["reply"]
    assert challenge.context == DEMOS[0]["facts"] and challenge.angle == PLUGIN.angles[0]
    assert [c.weight for c in challenge.rubric.criteria] == [2, 2, 2, -3, -3]
    assert challenge.rubric.criteria[0].text == "apologises for the unanswered mail and calls"
    assert PLUGIN.reference(challenge) is challenge


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo["angle"])
def test_every_demo_passes_the_domains_own_checks(demo):
    challenge = PLUGIN.build(dspy.Prediction(**demo), "")
    for check in PLUGIN.challenge_verifiers():
        verdict = check.verify(challenge, context=demo["passage"])
        assert verdict.passed, verdict


@pytest.mark.parametrize(
    "text",
    [
        "[+2] names the bike\n[+1] says three weeks\n[-3] blames the customer",
        "[+2] names the bike [+1] says three weeks [-3] blames the customer",
        "1. [+2] names the bike; 2. [+1] says three weeks; 3. [-3] blames the customer",
        "- (+2) names the bike\n- (+1) says three weeks\n- (−3) blames the customer",
    ],
)
def test_a_standard_is_read_as_small_models_write_it(text):
    criteria = build(standard=text).rubric.criteria
    assert [(c.weight, c.text.rstrip(";")) for c in criteria] == [
        (2, "names the bike"),
        (1, "says three weeks"),
        (-3, "blames the customer"),
    ]


@pytest.mark.parametrize(
    "changes, advice",
    [
        *[({name: " "}, "is empty; write all four") for name in OUTPUTS],
        ({"facts": "word " * 61}, "facts has 61 words; write 1 to 60"),
        ({"reply": "word " * 121}, "reply has 121 words; write 15 to 120"),
        ({"reply": "Sorry."}, "reply has 1 words"),
        ({"standard": "[+2]"}, "the standard cannot be read"),
        ({"standard": "[-3] blames the customer"}, "no line of the standard begins with [+2]"),
    ],
)
def test_unusable_output_is_malformed_with_advice(changes, advice):
    with pytest.raises(Malformed) as malformed:
        build(**changes)
    assert advice in str(malformed.value)


@pytest.mark.parametrize(
    "changes, fails",
    [
        ({"message": "Where is my bike?"}, "length"),
        ({"message": "my bike is gone " * 21}, "length"),
        (
            {"message": "Ich habe mein Rad am 3. gebracht und heute ist der 19., wo ist es denn und wer hat es?"},
            "language",
        ),
        ({"standard": "[+2] names the loss\n[+2] offers a bike\n[-3] blames the customer"}, "rubric_form"),
        (
            {"standard": "[+2] names the loss\n[+9] offers a bike\n[+2] says when\n[-3] blames the customer"},
            "rubric_form",
        ),
        (
            {"standard": "[+2] names it\n[+2] offers a bike\n[-3] avoids blame\n[-3] apologises correctly"},
            "rubric_form",
        ),
        ({"facts": DEMOS[0]["reply"][:250]}, "leakage"),
    ],
)
def test_free_checks_turn_down_what_solvers_should_not_be_paid_for(changes, fails):
    challenge = build(**changes)
    verdicts = [check.verify(challenge) for check in PLUGIN.challenge_verifiers()]
    assert fails in [v.verifier for v in verdicts if not v.undecided and not v.passed]


def test_it_says_that_nothing_but_a_judge_stands_behind_it():
    domain = registry.load("domains", "support_tone")
    assert (domain.verified, domain.recheck, domain.probe) == ("judged", None, "")


# -- the whole loop -------------------------------------------------------------------------------------------


def judge(prefers="caring"):
    """A rubric judge that likes the caring reply, and a pairwise judge that follows `prefers`."""

    def script(call):
        if "criterion" in call.inputs:
            caring, good = CARING[:20] in call.inputs["answer"], "blames" not in call.inputs["criterion"]
            good = good and "tells the customer" not in call.inputs["criterion"]
            return {"reason": "r", "verdict": "met" if caring and good else "not met"}
        if prefers == "outage":
            return lm15.ServerError("down")
        in_a = CARING[:20] in call.inputs["reply_a"]
        letter = {"caring": "A" if in_a else "B", "plain": "B" if in_a else "A", "first": "A"}[prefers]
        return {"reason": "r", "better": letter}

    return script


def the_roles(scripted, **changes):
    scripts = {
        "challenger": {name: DEMOS[0][name] for name in OUTPUTS},
        "quality_verifier": {"wants": "a bike", "verdict": "usable"},
        "weak_solver": {"reply": PLAIN},
        "strong_solver": {"reasoning": "tired; three weeks", "reply": CARING},
        "judge": judge(),
    }
    return scripted.roles(**{**scripts, **changes}, schema=True)


def loop(scripted, **changes):
    roles = the_roles(scripted, **changes)
    maker = AgenticSelfInstruct(PLUGIN, roles, max_rounds=1, per_document=1)
    return maker(document=PLUGIN.documents()[0]).trajectory.rounds[0], roles


def test_a_reply_that_is_better_in_every_comparison_is_accepted(scripted):
    round_, roles = loop(scripted)
    assert round_.decision.accepted
    assert [v.verifier for v in round_.verdicts][-2:] == ["quality_verifier", "pairwise_judge"]
    assert (round_.scores("weak_solver"), round_.scores("strong_solver")) == ([0.0, 0.0], [1.0, 1.0])
    assert round_.rollouts[-1].reasoning == "tired; three weeks"
    assert len(scripted.calls(roles, "judge")) == 4 * 5 + 6  # criteria of four replies, three comparisons both ways
    for role in ("weak_solver", "strong_solver"):
        for call in scripted.calls(roles, role):
            assert call.inputs["context"] == DEMOS[0]["facts"]
            assert DEMOS[0]["reply"][:30] not in call.prompt and "apologises for" not in call.prompt
            assert "Postillon" not in call.prompt


@pytest.mark.parametrize(
    "prefers, reason",
    [("plain", "failed_on_strong"), ("first", "undecided"), ("outage", "infrastructure")],
)
def test_the_pairwise_judge_has_the_last_word(scripted, prefers, reason):
    round_, _ = loop(scripted, judge=judge(prefers))
    assert (round_.decision.accepted, round_.decision.reason) == (False, reason)
    assert len(round_.rollouts) == 4 and round_.verdicts[-1].verifier == "pairwise_judge"


def test_without_a_gap_in_the_rubric_no_pair_is_compared(scripted):
    round_, roles = loop(scripted, weak_solver={"reply": CARING + " Yours"})
    assert (round_.decision.reason, round_.rollouts[0].verdict.score) == ("too_easy", 1.0)
    assert not [call for call in scripted.calls(roles, "judge") if "reply_a" in call.inputs]


def test_a_strong_reply_that_is_worse_by_the_rubric_fails_before_any_comparison(scripted):
    round_, roles = loop(scripted, strong_solver={"reasoning": "none", "reply": PLAIN + " Or more."})
    assert round_.decision.reason == "failed_on_strong"
    assert not [call for call in scripted.calls(roles, "judge") if "reply_a" in call.inputs]


def test_a_challenger_that_writes_no_standard_is_told(scripted):
    fields = {name: DEMOS[0][name] for name in OUTPUTS}
    round_, _ = loop(scripted, challenger={**fields, "standard": ""})
    assert round_.decision.reason == "malformed" and "is empty" in round_.decision.feedback


def test_a_message_without_a_concern_is_turned_down_before_solvers_are_paid(scripted):
    round_, roles = loop(scripted, quality_verifier={"wants": "nothing", "verdict": "needs no reply"})
    assert (round_.decision.reason, round_.decision.feedback) == ("failed_check", "needs no reply")
    assert scripted.calls(roles, "weak_solver") == []


# -- what comes out -------------------------------------------------------------------------------------------


def made(scripted, run_dir, prefers="caring", n=1):
    maker = AgenticSelfInstruct(PLUGIN, the_roles(scripted, judge=judge(prefers)), max_rounds=1, per_document=1)
    config = RunConfig(domain="support_tone", n=n).model_dump()
    return generate(maker, PLUGIN.documents()[:n], n, run_dir=run_dir, config=config, concurrency=1)


def test_preference_pairs_come_out_for_dpo(scripted, tmp_path):
    datasets = pytest.importorskip("datasets")
    result = made(scripted, tmp_path / "r")
    assert result.accepted[0]["verified"] == "judged"
    assert result.pairs == [
        {
            "prompt": f"{DEMOS[0]['facts']}\n\n{DEMOS[0]['message']}",
            "chosen": CARING,
            "rejected": PLAIN,
            "verified": "judged",
            "agreement": 1.0,
            "round": 0,
            "seed": 0,
            "document_id": "tone-late-parcels",
            "source": "written for autodata-dspy",
            "licence": "CC0-1.0",
        }
    ]
    assert datasets.Dataset.from_list(result.pairs)[0] == result.pairs[0]
    assert made(scripted, tmp_path / "r").pairs == result.pairs  # read from the run folder


def test_nothing_accepted_means_no_pairs(scripted, tmp_path):
    assert made(scripted, tmp_path / "r", "plain").pairs == []


def test_generate_and_show_say_what_stands_behind_an_example(scripted, tmp_path, capsys):
    result = made(scripted, tmp_path / "r")
    options.finish(result, tmp_path / "r", 1, "support_tone")
    out = capsys.readouterr().out
    assert "\n   verified: judged (agreement 1.00)\n   weak 0/2, strong 2/2, from tone-late-parcels\n" in out
    assert "warning" not in out and "checked again" not in out
    shown = run_here("show", tmp_path / "r", "tone-late").out
    assert "Round 1: ACCEPTED\n  verified: judged (agreement 1.00)\n" in shown
    assert "pairwise_judge: passed: the strong reply is better in 3 of 3 comparisons\n" in shown


def test_generate_warns_of_a_judge_that_does_not_agree_with_itself(scripted, tmp_path, capsys):
    result = made(scripted, tmp_path / "r", "first", n=2)
    options.finish(result, tmp_path / "r", 2, "support_tone")
    assert (
        "\nwarning: judges agree in only 0.00 of comparisons (0.67 is needed); do not rely on these examples, or use a "
        "stronger judge: --lm judge=MODEL\n" in capsys.readouterr().out
    )
