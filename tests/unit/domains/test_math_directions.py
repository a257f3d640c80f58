"""Where a passage begins, and what it is turned into."""

import re

from autodata_dspy.domains._math_passages import directions
from autodata_dspy.domains.math_objects import ANGLES, PLUGIN
from autodata_dspy.modules import Challenger
from autodata_dspy.types import Document


def test_a_passage_on_sets_asks_for_listed_sets():
    assert any("listed set" in angle for angle in directions("A subset of a set. The set A, the set B and a set C."))


def test_the_two_subjects_that_are_spoken_of_most_are_taken():
    text = "probability " * 5 + "sequence " * 4 + "graph " * 3 + "prime "
    angles = " ".join(directions(text))
    assert "probability" in angles and "n-th term" in angles
    assert "edges" not in angles and "remainder" not in angles


def test_a_solution_set_is_no_talk_of_sets_and_a_mention_is_no_subject():
    assert directions("The solution set is an interval. Solution sets are listed. The solution set is empty.") == ()
    assert directions("One prime number.") == ()


def test_the_challenger_falls_back_to_the_angles_that_fit_any_passage(scripted):
    fields = {"question": "q", "program": "answer = 1"}
    roles = scripted.roles(challenger=lambda call: fields)
    write = Challenger(PLUGIN, roles)
    fallen_back = write(document=Document("d", "A ship leaves the harbour at noon.")).angle
    assert re.sub(r"\d and \d", "{numbers}", fallen_back) in ANGLES
    counted = write(document=Document("d", "Count the ways. How many ways? All ways are counted as combinations."))
    assert counted.angle.startswith("how many ")


def test_passages_begin_at_formulas_rather_than_at_prose():
    prose, formula = "Long ago nobody doubted it at all.", "Then x^2 + 3*x = y_1 and \\frac{1}{x} > 0."
    assert PLUGIN.interest(formula) > 5 * PLUGIN.interest(prose)
    latex = "We have \\binom{n}{k} \\le \\frac{n}{k} \\cdot \\dots by counting."
    assert PLUGIN.interest(latex) > 5 * PLUGIN.interest(prose)
    assert PLUGIN.interest("") == 0.0
