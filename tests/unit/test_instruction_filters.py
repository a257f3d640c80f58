"""Each filter on both sides of its boundary."""

import pytest

from autodata_dspy.errors import ConfigError
from autodata_dspy.instruction_filters import FILTERS, NAMES, chosen, instance_objections, objection
from autodata_dspy.seed_tasks import Instance

MEDIA = [
    "image",
    "pictures",
    "graph",
    "Plot",
    "maps",
    "file",
    "files",
    "video",
    "audio",
    "music",
    "diagram",
    "flowchart",
]


def dropped_by(instruction, filters=FILTERS):
    found = objection(instruction, filters)
    return found.verifier if found else None


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        ("", "too_short"),
        ("Name three rivers", "too_short"),
        ("Name three long rivers", None),
        (" ".join(["word"] * 150), None),
        (" ".join(["word"] * 151), "too_long"),
        ("Describe what the flag in the picture shows.", "mentions_media"),
        ("Draw a house with two doors.", "mentions_media"),
        ("Go to the station and count trains.", "mentions_media"),
        ("Describe a picturesque paragraph of a profile.", None),
        ("Say what the photographer imagines here.", None),
        ("Write a program that sorts names.", "asks_for_program"),
        ("write the programs of two evenings", "asks_for_program"),
        ("Write a programme for the evening.", None),
        ("Say how to write a program well.", None),
        ("- Name three long rivers.", "starts_with_punctuation"),
        ("(Briefly) name three long rivers.", "starts_with_punctuation"),
        ("3 rivers are to be named.", None),
        ("Écris une phrase sur la pluie.", "starts_with_non_ascii"),
        ("Translate «Écris une phrase» into English.", None),
    ],
)
def test_a_filter_drops_what_it_must_and_nothing_else(instruction, name):
    assert dropped_by(instruction) == name


@pytest.mark.parametrize("word", MEDIA)
def test_words_for_what_a_model_of_text_cannot_see_are_dropped_in_any_case(word):
    assert dropped_by(f"Say in short what the {word.upper()} is about.") == "mentions_media"
    assert dropped_by(f"Say in short what the x{word} is about.") is None


def test_only_chosen_filters_drop_and_a_verdict_says_which_and_why():
    program = "Write a program that sorts names."
    assert dropped_by(program, chosen(set(NAMES) - {"asks_for_program"})) is None
    found = objection(program, chosen(["asks_for_program"]))
    assert (found.score, found.verifier, found.feedback) == (0.0, "asks_for_program", "asks to write a program")


def test_an_unknown_filter_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="unknown instruction filter 'to_long'; did you mean 'too_long'"):
        chosen(["to_long"])


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([("a", "b")], [None]),
        ([("a", "")], ["empty_output"]),
        ([("", "b")], [None]),
        ([("a", "a")], ["input_is_output"]),
        ([("a", "A")], [None]),
        ([("a:", "b"), ("c", "d:"), ("e:f", "g:h")], ["unfinished_instance", "unfinished_instance", None]),
        ([("a", "b"), ("a", "b"), ("c", "b")], [None, "duplicate_instance", None]),
        ([("a", "b"), ("c", "d"), ("a", "e")], ["contradicted_instance", None, "contradicted_instance"]),
        ([("a", "b"), ("a", "b"), ("a", "e")], ["contradicted_instance"] * 3),
        ([("a", "b"), ("a", "")], [None, "empty_output"]),  # what is no answer contradicts none
        ([("", "b"), ("", "c"), ("", "b")], [None, None, "duplicate_instance"]),
        ([], []),
    ],
)
def test_instances_are_dropped_for_themselves_and_for_each_other(pairs, names):
    found = instance_objections([Instance(*pair) for pair in pairs])
    assert [v and v.verifier for v in found] == names
