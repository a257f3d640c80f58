"""The pool decides as plain rouge-score does, holds places for several threads, and draws what is shown."""

import copy
import pickle
import random
import threading

import pytest
from rouge_score.rouge_scorer import RougeScorer

from autodata_dspy.task_pool import TaskPool

SEEDS = ["Name three long rivers of Asia.", "Turn this sentence into a question.", "Add the two numbers."]


def plain(pool, text):
    """The highest ROUGE-L F measure, scored one by one."""
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return max((scorer.score(known, text)["rougeL"].fmeasure for known in pool), default=0.0)


def words(*numbers):
    return " ".join(f"w{n}" for n in numbers)


@pytest.mark.parametrize(
    ("common", "n_known", "n_new", "taken"),
    [
        (7, 10, 10, True),
        (8, 10, 10, False),
        (14, 20, 20, True),
        (7, 9, 10, False),
        (7, 8, 12, False),
    ],  # the last: exactly 0.7, which rouge-score rounds up
)
def test_an_instruction_is_too_much_like_another_above_seven_tenths_and_not_at_it(common, n_known, n_new, taken):
    known = words(*range(n_known))
    new = words(*range(common), *range(100, 100 + n_new - common))
    assert (plain([known], new) <= 0.7) is taken
    found = TaskPool([known]).reserve(new)
    assert (found is None) is taken
    if found:
        assert found == (known, plain([known], new))


def test_it_decides_as_scoring_every_pair_does():
    draw = random.Random(1)
    pool, known = TaskPool(SEEDS), list(SEEDS)
    outcomes = set()
    for _ in range(250):
        text = " ".join(
            draw.choices(
                "Name add the two three rivers. numbers! of Asia, now É x-y it's".split(), k=draw.randint(0, 9)
            )
        )
        expected = plain(known, text) > 0.7 or text in known
        outcomes.add(expected)
        assert (pool.reserve(text) is not None) is expected, text
        if not expected:
            known.append(text)
    assert outcomes == {True, False} and len(pool) == len(known)


def test_words_that_share_a_character_are_told_apart_by_the_full_score():
    pool = TaskPool(["alpha beta gamma delta"])
    pool._numbers = {word: i % 2 for i, word in enumerate("alpha beta gamma delta one two three four".split())}
    pool._words = {"alpha beta gamma delta": pool._encoded("alpha beta gamma delta")}
    assert pool._encoded("one two three four") == pool._encoded("alpha beta gamma delta")
    assert pool.reserve("one two three four") is None


def test_case_and_punctuation_do_not_matter_and_equal_text_of_another_script_is_alike():
    pool = TaskPool(SEEDS)
    assert pool.reserve("ADD, the two -- numbers!") == ("Add the two numbers.", 1.0)
    assert pool.reserve("Сложи два числа.") is None
    assert pool.reserve("Сложи два числа.") == ("Сложи два числа.", 1.0)


def test_what_is_released_leaves_its_place_and_what_is_kept_stays():
    pool = TaskPool(SEEDS)
    assert pool.reserve("Spell the name backwards, please.") is None
    assert pool.reserve("Spell the name backwards, please!") is not None
    pool.release(["Spell the name backwards, please."])
    assert pool.reserve("Spell the name backwards, please!") is None and len(pool) == 4
    pool.keep(["Spell the name backwards, please!", SEEDS[0]])
    pool.release(["Spell the name backwards, please!", SEEDS[0]])
    assert pool.kept == ("Spell the name backwards, please!",) and len(pool) == 4


def test_of_many_threads_with_near_identical_instructions_one_gets_the_place():
    pool, barrier, taken = TaskPool(SEEDS), threading.Barrier(8), []

    def reserve(end):
        barrier.wait()
        taken.append(pool.reserve(f"Spell the name backwards and say it aloud{end}") is None)

    threads = [threading.Thread(target=reserve, args=("." * i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert taken.count(True) == 1


@pytest.mark.parametrize(("n_kept", "machine"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_eight_are_shown_two_of_them_machine_made_and_seeds_fill_up(n_kept, machine):
    pool = TaskPool([f"seed {i}" for i in range(20)])
    pool.keep([f"machine {i}" for i in range(n_kept)])
    shown = pool.sample(random.Random(3), 8, 2)
    assert len(set(shown)) == 8 and sum(s.startswith("machine") for s in shown) == machine
    assert shown == pool.sample(random.Random(3), 8, 2) != pool.sample(random.Random(4), 8, 2)


def test_machine_made_ones_are_not_always_last():
    pool = TaskPool([f"seed {i}" for i in range(20)])
    pool.keep(["machine"])
    assert len({pool.sample(random.Random(i), 8, 2).index("machine") for i in range(30)}) > 4


def test_few_seeds_are_all_shown():
    assert sorted(TaskPool(SEEDS).sample(random.Random(0), 8, 2)) == sorted(SEEDS)


def test_a_copy_starts_from_the_seeds_alone():
    pool = TaskPool(SEEDS, 0.5)
    pool.keep(["Spell the name backwards."])
    for copied in (copy.deepcopy(pool), pickle.loads(pickle.dumps(pool))):  # noqa: S301
        assert (copied.seeds, copied.kept, copied.max_rouge_l) == (pool.seeds, (), 0.5)
