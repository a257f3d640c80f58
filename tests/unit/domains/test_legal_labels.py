"""Labelled legal texts: what is built, what is refused, and the loop with the learner as weak solver."""

import dataclasses
import json
import typing
from collections import Counter

import dspy
import pytest

from autodata_dspy.acceptance import Thresholds
from autodata_dspy.budget import Limits
from autodata_dspy.domains.base import Malformed
from autodata_dspy.domains.legal_labels import DEFAULT, PLUGIN, TOO_EASY, UNCLEAR, for_task
from autodata_dspy.generation import fingerprint, generate, models_of
from autodata_dspy.generators import AgenticSelfInstruct
from autodata_dspy.labelled_checks import NewWording, NoCommentary
from autodata_dspy.labelled_task import LabelledTask
from autodata_dspy.modules import Challenger, Solver
from autodata_dspy.types import Challenge, Decision, Document, Round

TASK = LabelledTask(
    name="letters to tenants",
    labels={"rent": "The rent goes up or down.", "eviction": "The tenant has to leave the flat."},
    kind="a sentence of a letter to a tenant",
    examples={
        "rent": ("From March onwards we ask you to pay forty euros more for your rooms each month.",),
        "eviction": ("You are asked to hand over the keys and to be gone by the last day of June.",),
    },
)
# Eight texts of each label that share words within the label and hardly any between them.
SAID = {
    "rent": "From {0} the monthly rent for the {1} increases by {2} euros, payable to our account in {3}.",
    "eviction": "Leave the {1} by {0} and return all {2} keys to the caretaker; your lease in {3} is over.",
    "garden": "Whoever lives in the {1} may plant {2} shrubs behind our house in {3} after {0}, hedges excepted.",
    "heating": "The radiators of the {1} stay cold until {0}, because {2} pipes below {3} street are being replaced.",
}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
ROOMS = ("attic", "cellar flat", "corner room", "studio", "loft", "gallery", "annex", "cabin", "cottage", "suite")


def text(label, i):
    return SAID[label].format(MONTHS[i], ROOMS[i], i + 3, ("Bern", "Graz", "Oslo", "Turin", "Lyon")[i % 5])


def angle(label, task=DEFAULT):
    return f"{label}: {task.labels[label]}"


def built(said, label="arbitration"):
    return PLUGIN.build(dspy.Prediction(text=said), angle(label))


# -- what a challenge is --------------------------------------------------------------------------------------


def test_a_text_gets_the_label_it_was_written_for():
    said = "  “Quarrels are settled\n\n by an arbitrator.” "
    assert built(said) == Challenge("Quarrels are settled by an arbitrator.", "arbitration", label="arbitration")


@pytest.mark.parametrize("said", ["Arbitration: All quarrels end there.", "**ARBITRATION** — All quarrels end there."])
def test_a_title_that_names_the_label_is_taken_off(said):
    assert built(said).question == "All quarrels end there."


@pytest.mark.parametrize("said", ["", None, " \n", '""', "Arbitration:"])
def test_no_text_is_malformed(said):
    with pytest.raises(Malformed, match="empty"):
        built(said)


@pytest.mark.parametrize(
    "answer", ["Jurisdiction.", "limitation of liability", " NONE OF THESE"], ids=["full stop", "as it is", "capitals"]
)
def test_an_answer_that_names_a_label_is_that_label(answer):
    found = PLUGIN.solving["sort"].answer(dspy.Prediction(label=answer))
    assert found in DEFAULT.labels and found == answer.strip(" .").lower()


@pytest.mark.parametrize("answer", ["", None, "indemnity", "jurisdiction or arbitration", "the label is arbitration"])
def test_an_answer_that_is_no_label_is_malformed(answer):
    with pytest.raises(Malformed, match="is none of the labels"):
        PLUGIN.solving["sort"].answer(dspy.Prediction(label=answer))


# -- checks ---------------------------------------------------------------------------------------------------

PASSAGE = (
    "The carrier pays for loss and damage up to five hundred and twenty euros a parcel, or up to the insured sum where "
    "the sender has paid for more. It does not pay for delay."
)
FRESH = "If a crate goes astray we owe its owner three hundred francs at most, whatever lay inside it."
WORDING = NewWording(DEFAULT, ["Only the district court in Bergen may hear a claim that arises from this order."])


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("The carrier pays for loss and damage up to five hundred and twenty euros a parcel.", "100% of the text is c"),
        (f"{PASSAGE} That is all there is to say.", "copied from the passage"),
        (PASSAGE.upper().replace(",", " –"), "copied from the passage"),
        ("Only the district court in Bergen may hear a claim that arises from this order!", "copied from an example"),
        ("Limitation of Liability.", "the text is a label"),
        ("governing law", "the text is a label"),
        (DEFAULT.labels["arbitration"], "repeats a definition"),
        ("Instead of a court, an arbitrator decided the disputes.", "repeats a definition"),
        (
            f"{DEFAULT.labels['arbitration'][:-1]}, which saves both sides the fees of many years.",
            "repeats a definition",
        ),
    ],
)
def test_a_copy_is_refused_with_advice(said, says):
    verdict = WORDING.verify(Challenge(said, "", label="limitation of liability"), context=PASSAGE)
    assert verdict.score == 0.0 and says in verdict.feedback


@pytest.mark.parametrize(
    "said",
    [
        FRESH,
        "Every dispute goes to arbitration in Zurich, and the award of the arbitrator binds both traders for good.",
        # One phrase of the passage in a longer text is no copy: 4 of 17 n-grams.
        f"{FRESH} It does not pay for delay up to the insured sum.",
    ],
)
def test_new_wording_passes_also_when_it_says_the_word_itself(said):
    assert WORDING.verify(Challenge(said, "", label="arbitration"), context=PASSAGE).passed


@pytest.mark.parametrize(
    "said",
    [
        "The arbitration clause should name the seat of the arbitrator and how long he has.",
        "Quarrels end before an arbitrator, but the strong solver has to be clearly better.",
        "Our content removal policy keeps every page clean and friendly.",
        "It is important to consider the risk of a dispute before an arbitrator.",
        "The text for this label speaks of an arbitrator in Lyon.",
        "Arbitration, termination and governing law are laid down in the contract of the carrier.",
    ],
)
def test_words_about_a_text_are_no_text(said):
    verdict = NoCommentary(DEFAULT).verify(Challenge(said, "", label="arbitration"))
    assert verdict.score == 0.0 and ("speaks about a text" in verdict.feedback or "names 3 labels" in verdict.feedback)


@pytest.mark.parametrize(
    "said",
    [
        FRESH,
        "By ordering you are bound by this arbitration clause and give up every class action.",
        "Sections on termination and on governing law stay in force after the contract has ended.",
        *(texts[0] for texts in DEFAULT.examples.values()),
    ],
)
def test_a_text_that_speaks_of_its_own_clause_or_of_two_labels_is_one(said):
    assert NoCommentary(DEFAULT).verify(Challenge(said, "", label="arbitration")).passed


def test_what_is_no_challenge_is_undecided():
    assert WORDING.verify(3).undecided and NoCommentary(DEFAULT).verify(3).undecided


def test_the_challenger_is_told_what_is_wrong_in_words_that_hold_for_any_label():
    """What it reads of solvers, scores and other labels, a small model writes into its next text."""
    reasons = ("failed_on_strong", "failed_on_strong", "infrastructure", "too_easy")
    rounds = [
        Round(i, Decision(False, reason, "the strong solver scored 0.33 on 'rent'")) for i, reason in enumerate(reasons)
    ]
    assert PLUGIN.feedback(rounds) == f"- {TOO_EASY}"
    assert PLUGIN.feedback(rounds[:2]) == f"- {UNCLEAR}"
    copied = Round(
        4, Decision(False, "failed_check", "100% of the text is copied from the passage; use your own words")
    )
    assert PLUGIN.feedback([*rounds, copied]).splitlines() == [f"- {TOO_EASY}", f"- {copied.decision.feedback}"]
    assert PLUGIN.feedback([]) == PLUGIN.feedback([Round(0, Decision(True, "accepted"))]) == "none"


@pytest.mark.parametrize(
    ("said", "passes"),
    [(FRESH, True), ("We owe nothing.", False), ("We owe nothing, " * 40, False), (f"{FRESH} " * 2, True)],
)
def test_a_text_is_a_few_sentences_long(said, passes):
    verdict = PLUGIN.challenge_verifiers()[0].verify(Challenge(said, ""))
    assert verdict.passed is passes


@pytest.mark.parametrize("document", PLUGIN.documents(), ids=lambda d: d.id)
def test_paragraphs_of_the_built_in_documents_would_be_copies(document):
    paragraph = document.text.split("\n\n")[0]
    assert WORDING.verify(Challenge(paragraph, "", label="none of these"), context=document.text).score == 0.0


# -- tasks ----------------------------------------------------------------------------------------------------


def test_the_solver_reads_what_all_labels_mean_and_the_writer_of_its_own_one():
    domain = for_task(TASK)
    write, sort = domain.write.instructions, domain.solving["sort"].signature.instructions
    assert TASK.kind in write and TASK.kind in sort
    for label, definition in TASK.labels.items():
        assert f"- {label}: {definition}" in sort
        assert definition not in write
        assert f"{label}: {definition}" in domain.angles
    label = domain.solving["sort"].signature.output_fields["label"]
    assert typing.get_args(label.annotation) == ("rent", "eviction")


def test_a_tasks_examples_become_demonstrations():
    domain = for_task(TASK)
    assert [(d["label"], d["question"]) for d in domain.solving["sort"].demos] == [
        (label, texts[0]) for label, texts in TASK.examples.items()
    ]
    assert [(d["angle"], d["text"]) for d in domain.demos] == [
        (angle(label, TASK), texts[0]) for label, texts in TASK.examples.items()
    ]
    assert all(d["passage"] != d["text"] for d in domain.demos)


@pytest.mark.parametrize("examples", [{}, {"rent": ("a b c", "d e f")}], ids=["no example", "of one label"])
def test_a_task_with_too_few_examples_shows_the_form_with_the_demonstrations_of_the_default_task(examples):
    domain = for_task(LabelledTask("n", TASK.labels, examples=examples))
    assert domain.demos == PLUGIN.demos
    assert domain.solving["sort"].demos == ()  # its labels are other ones


def test_a_solver_is_shown_every_label_or_none():
    many = {f"label {i}": f"It is about the {i}th thing." for i in range(11)}
    shown = {label: (f"Thing {label} costs nine francs.",) for label in many}
    ten = dict(list(many.items())[:10])
    assert len(for_task(LabelledTask("n", ten, examples={k: shown[k] for k in ten})).solving["sort"].demos) == 10
    assert for_task(LabelledTask("n", many, examples=shown)).solving["sort"].demos == ()
    assert len(for_task(LabelledTask("n", many, examples=shown)).demos) == 11


def test_all_texts_of_a_task_become_demonstrations_of_writing_each_from_a_text_of_another_label():
    texts = {
        label: tuple(f"{label} number {i} is signed." for i in range(n)) for label, n in (("rent", 5), ("key", 50))
    }
    demos = for_task(LabelledTask("n", {"rent": "R.", "key": "K."}, examples=texts)).demos
    assert [d["text"] for d in demos] == [*texts["rent"], *texts["key"][:35]]  # forty of them at most
    assert all(d["passage"].split()[0] != d["text"].split()[0] for d in demos)
    assert len({d["passage"] for d in demos}) == 5 + 5


def test_another_task_is_another_run_and_the_weak_solver_is_named_for_what_it_is(scripted):
    roles = roles_for(scripted)
    mine, default = (AgenticSelfInstruct(d, roles) for d in (for_task(TASK), PLUGIN))
    assert fingerprint(mine, DOCUMENTS, 0) != fingerprint(default, DOCUMENTS, 0)
    assert models_of(mine)["weak_solver"] == "learner"


def test_the_writer_sees_a_few_texts_of_other_labels_and_other_ones_each_time(scripted):
    """Shown the text of its own label it would copy it; shown the same ones each time it would write all texts alike."""
    roles = scripted.roles(challenger={"text": FRESH})
    challenger = Challenger(for_task(DEFAULT), roles)
    texts = {label: f"[[ ## text ## ]]\n{shown[0]}" for label, shown in DEFAULT.examples.items()}
    asked = [challenger(document=d, round_index=i).challenge.label for d in DOCUMENTS for i in range(8)]
    seen = [{label for label in texts if texts[label] in c.prompt} for c in scripted.calls(roles, "challenger")]
    assert len(asked) == 80 and all(label not in s and len(s) == 3 for label, s in zip(asked, seen, strict=True))
    assert len({frozenset(s) for s in seen}) > 30 and set.union(*seen) == set(texts)
    challenger(document=DOCUMENTS[0])
    again = scripted.calls(roles, "challenger")
    assert again[-1].prompt == again[0].prompt


def test_a_writer_whose_only_demonstration_is_of_its_own_label_sees_none(scripted):
    roles = scripted.roles(challenger={"text": FRESH})
    demos = ({"passage": "p", "angle": angle("rent", TASK), "feedback": "none", "text": "An apple a day."},)
    challenger = Challenger(for_task(TASK, demos), roles)
    labels = [challenger(document=DOCUMENTS[0], round_index=i).challenge.label for i in range(2)]
    shown = ["An apple a day." in call.prompt for call in scripted.calls(roles, "challenger")]
    assert dict(zip(labels, shown, strict=True)) == {"rent": False, "eviction": True}


def test_a_solvers_first_attempt_is_its_best_guess_and_further_ones_are_drawn(scripted):
    roles = scripted.roles(strong_solver={"label": "rent"})
    solver = Solver(for_task(TASK), "strong", roles)
    for attempt in range(3):
        solver(challenge=Challenge(FRESH, "rent", label="rent"), attempt=attempt)
    assert [c.request.config.temperature for c in scripted.calls(roles, "strong_solver")] == [0.0, 0.7, 0.7]


@pytest.mark.parametrize(("n", "score"), [(9, 0.0), (10, 1.0), (36, 1.0), (37, 0.0)])
def test_texts_of_a_quite_different_length_than_the_tasks_are_refused(n, score):
    (length, *_) = for_task(dataclasses.replace(TASK, words=(15, 20))).challenge_verifiers()
    assert length.verify(Challenge(" ".join(["word"] * n), "rent", label="rent")).score == score


def test_what_a_demonstration_shows_may_not_be_copied_neither_its_text_nor_its_passage():
    checks = for_task(LabelledTask("n", TASK.labels)).challenge_verifiers()
    (wording,) = (c for c in checks if isinstance(c, NewWording))
    for part in ("text", "passage"):
        copied = wording.verify(Challenge(PLUGIN.demos[0][part], "rent", label="rent"))
        assert copied.score == 0.0 and "copied from an example" in copied.feedback


def test_writer_and_seed_tasks_are_told_how_long_texts_are():
    domain = for_task(dataclasses.replace(TASK, words=(15, 20)))
    told = "a sentence of a letter to a tenant, 15 to 20 words long."
    assert told in domain.write.instructions and told in domain.seed_tasks()[0].instruction
    assert domain.write.output_fields["text"].json_schema_extra["desc"] == "15 to 20 words"


def test_a_pass_over_a_document_tries_each_label_once(scripted):
    roles = scripted.roles(challenger={"text": FRESH})
    challenger = Challenger(PLUGIN, roles)
    found = [challenger(document=DOCUMENTS[0], round_index=i).challenge.label for i in range(PLUGIN.max_rounds)]
    assert Counter(found) == dict.fromkeys(DEFAULT.labels, 1)
    assert PLUGIN.per_document == PLUGIN.max_rounds == len(DEFAULT.labels)


# -- the loop -------------------------------------------------------------------------------------------------

DOCUMENTS = [Document(f"d{i}", f"Letter number {i} of a landlord about rooms, keys and money.") for i in range(10)]


def wanted(call):
    return call.inputs["angle"].partition(":")[0]


def number(call):
    return int(call.inputs["passage"].split("Letter number ")[1].split()[0])


def write(call):
    """The next text of the label that is asked for; another one in each document."""
    return {"text": text(wanted(call), number(call))}


def sort(call):
    return {"label": "rent" if "rent" in call.inputs["question"] else "eviction"}


def roles_for(scripted, strong=sort, challenger=write, schema=True):
    return scripted.roles(challenger=challenger, strong_solver=strong, schema=schema)


def loop(scripted, strong=sort, **options):
    acceptance = options.pop("acceptance", None)
    roles = roles_for(scripted, strong, **options)
    return AgenticSelfInstruct(for_task(TASK), roles, acceptance=acceptance, curtail=False), roles


@pytest.mark.parametrize("schema", [True, False])
@pytest.mark.parametrize(("n_strong", "n_right"), [(1, 0), (1, 1), (3, 0), (3, 1), (3, 2), (3, 3)])
def test_the_strong_solver_must_agree_with_the_intended_label(scripted, n_strong, n_right, schema):
    """By default the one time that it is asked; of three times, twice."""

    def strong(call):
        right = sort(call)["label"]
        other = "rent" if right == "eviction" else "eviction"
        return {"label": right if (call.number - 1) % n_strong < n_right else other}

    rule = None if n_strong == 1 else dataclasses.replace(PLUGIN.acceptance, n_strong=n_strong)
    maker, roles = loop(scripted, strong, schema=schema, acceptance=rule)
    trajectory = maker(document=DOCUMENTS[0]).trajectory
    expected = "accepted" if n_right > n_strong / 2 else "failed_on_strong"
    assert [r.decision.reason for r in trajectory.rounds] == [expected] * 2
    for round_ in trajectory.rounds:
        assert len(round_.scores("strong_solver")) == n_strong and sum(round_.scores("strong_solver")) == n_right
        assert round_.challenge.label == round_.challenge.answer
    assert {r.challenge.label for r in trajectory.rounds} == set(TASK.labels)
    for call in scripted.calls(roles, "strong_solver"):
        assert set(call.inputs) == {"context", "question"} and "Letter number" not in call.prompt


def test_a_label_that_is_none_is_a_wrong_answer(scripted):
    maker, _ = loop(scripted, {"label": "nuisance"})
    [first, _] = maker(document=DOCUMENTS[0]).trajectory.rounds
    assert first.decision.reason == "failed_on_strong"
    assert first.scores("strong_solver") == [0.0]


def test_a_copy_of_the_document_is_refused_before_any_solver_is_asked(scripted):
    maker, roles = loop(scripted, challenger={"text": DOCUMENTS[3].text})
    rounds = maker(document=DOCUMENTS[3]).trajectory.rounds
    assert [r.decision.reason for r in rounds] == ["failed_check"] * 2
    assert "copied from the passage" in rounds[0].decision.feedback
    assert scripted.calls(roles, "strong_solver") == []


def test_what_the_learner_has_learnt_becomes_too_easy(scripted):
    maker, _ = loop(scripted)
    result = generate(maker, DOCUMENTS, concurrency=1)
    reasons = [r.decision.reason for t in result.trajectories for r in t.rounds]
    assert reasons[:2] == ["accepted"] * 2
    assert reasons[-2:] == ["too_easy"] * 2
    assert set(reasons) == {"accepted", "too_easy"}
    assert len(maker.weak) == len(result.accepted) + 2  # the task's own examples
    easy = result.trajectories[-1].rounds[0]
    assert easy.scores("weak_solver")[0] > 0.9 and easy.scores("strong_solver") == []
    assert easy.decision.feedback.endswith("make it harder")
    # The share of labels is that of the angles.
    counts = Counter(row["label"] for row in result.accepted)
    assert abs(counts["rent"] - counts["eviction"]) <= 2
    assert {row["weak_model"] for row in result.accepted} == {"learner"}
    assert {row["verified"] for row in result.accepted} == {"judged"}


@pytest.mark.parametrize(("guess", "reason"), [("right", "too_easy"), ("wrong", "accepted")])
def test_without_the_learner_a_stranger_is_the_weak_solver_and_nothing_is_learnt(scripted, guess, reason):
    def stranger(call):
        right = sort(call)["label"]
        return {"label": right if guess == "right" else next(label for label in TASK.labels if label != right)}

    roles = roles_for(scripted)
    roles = type(roles)(**roles._given, weak_solver=scripted.lm(stranger, schema=True))
    maker = AgenticSelfInstruct(for_task(TASK), roles, without="learner")
    result = generate(maker, DOCUMENTS[:4], concurrency=1)
    rounds = [r for t in result.trajectories for r in t.rounds]
    assert {(r.decision.reason, len(r.scores("weak_solver"))) for r in rounds} == {(reason, 1)} and len(rounds) == 8
    assert result.models["weak_solver"] != "learner"


def test_a_resumed_run_teaches_the_learner_what_was_accepted_before(scripted, tmp_path):
    first, _ = loop(scripted)
    assert len(generate(first, DOCUMENTS, n=2, concurrency=1, run_dir=tmp_path / "r").accepted) == 2
    again, roles = loop(scripted)
    assert len(again.weak) == 2
    whole = generate(again, DOCUMENTS, concurrency=1, run_dir=tmp_path / "r")
    # Nothing of the first session was asked for again, and yet it is known: an untaught learner finds nothing easy.
    assert {number(call) for call in scripted.calls(roles, "challenger")} == set(range(1, 10))
    assert whole.trajectories[1].rounds[0].decision.reason == "too_easy"
    assert len(again.weak) == len(whole.accepted) + 2
    alone, _ = loop(scripted)
    assert [r.decision for t in generate(alone, DOCUMENTS, concurrency=1).trajectories for r in t.rounds] == [
        r.decision for t in whole.trajectories for r in t.rounds
    ]


FOUR = LabelledTask(
    name="letters about a flat",
    labels={label: f"The letter is about the {label}." for label in ("rent", "eviction", "garden", "heating")},
)


def four(scripted, hard="", **options):
    """A loop over four labels, of which the strong solver never recognises the hard one."""
    words = {"monthly rent": "rent", "caretaker": "eviction", "shrubs": "garden", "radiators": "heating"}

    def strong(call):
        label = next(label for word, label in words.items() if word in call.inputs["question"])
        return {"label": label if label != hard else "eviction"}

    roles = roles_for(scripted, strong)
    return AgenticSelfInstruct(for_task(FOUR), roles, **options), roles


def tried(result):
    return [Counter(r.challenge.label for r in t.rounds) for t in result.trajectories]


def test_a_label_of_which_nothing_is_accepted_comes_twice_in_a_document_and_not_more_often(scripted):
    maker, _ = four(scripted, hard="rent")
    result = generate(maker, DOCUMENTS[:6], concurrency=1)
    assert {row["label"] for row in result.accepted} == {"eviction", "garden", "heating"}
    first, _, *later = tried(result)
    assert first == dict.fromkeys(FOUR.labels, 1)
    assert [part["rent"] for part in later] == [2, 2, 2, 2]
    alone, _ = four(scripted, hard="rent", without="loop")
    assert tried(generate(alone, DOCUMENTS[:6], concurrency=1)) == [dict.fromkeys(FOUR.labels, 1)] * 6


def test_a_document_that_is_made_again_is_written_for_the_labels_of_its_first_time(scripted, tmp_path):
    """What the run knows has grown by then, but the calls that were paid must be those that are asked again."""
    # The learner, who knows more by then, rejects nothing.
    open_to_all = Thresholds(n_weak=1, weak_at_most=1.0, n_strong=3, strong_min=0.6)
    maker, _ = four(scripted, hard="rent", acceptance=open_to_all)
    stopped = generate(maker, DOCUMENTS[:6], concurrency=2, run_dir=tmp_path / "r", limits=Limits(max_calls=50))
    done = {t.document_id for t in stopped.trajectories if t.status == "done"}
    assert stopped.stopped is not None and len(done) >= 2
    log = [json.loads(line) for line in (tmp_path / "r" / "calls.jsonl").read_text().splitlines()]
    under_way = [r for r in log if r["role"] and r["job"].partition("|")[2] not in done]
    again, _ = four(scripted, hard="rent", acceptance=open_to_all)
    whole = generate(again, DOCUMENTS[:6], concurrency=2, run_dir=tmp_path / "r")
    assert whole.stopped is None and len(whole.trajectories) == 6
    assert sum(used["replayed"] for used in whole.usage.values()) == len(under_way) > 0
    assert set(whole.usage) == {"challenger", "strong_solver"}  # a note is no role's


def test_documents_may_be_worked_on_at_the_same_time_and_copies_of_a_generator_learn_apart(scripted):
    maker, _ = loop(scripted)
    twin = maker.deepcopy()
    result = generate(maker, DOCUMENTS, concurrency=4)
    assert [t.status for t in result.trajectories] == ["done"] * 10
    assert len(maker.weak) == len(result.accepted) + 2 > 2
    assert len(twin.weak) == 2


def test_duplicates_and_unbalanced_labels_are_found_at_the_end():
    rows = [{"question": text("rent", i % 8), "label": "rent"} for i in range(12)]
    duplicates, balance = (v.verify(rows) for v in for_task(TASK).final_checks())
    assert set(duplicates.evidence["drop"]) >= {8, 9, 10, 11}
    assert balance.score == 0.0 and balance.evidence["missing"] == ["eviction"]
