import pytest

from autodata_dspy.legal_grounding import DocumentCitations
from autodata_dspy.types import Challenge, Criterion, Rubric

STATUTE = (
    "Harbour Pilotage Act of Vell\n\nSection 1. Long vessels take a pilot.\n\n"
    "Section 3. (1) Who enters alone owes twice the fee. (2) Nothing is owed in fog. See section 88 of the Sea Code.\n\n"
    "Section 4. The authority is liable."
)
CONTRACT = "1. Rent\nRent is due monthly: (a) by post or (b) by hand.\n2.1 Notice\nBy letter.\nClause 5. The end."
CHARTER = "Article 1. This charter applies.\nArticle 2. Half of the fare is paid."


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("Section 3 helps you.", STATUTE, True),
        ("§ 3(2) helps you.", STATUTE, True),
        ("Section 4 of the Harbour Pilotage Act helps you.", STATUTE, True),
        ("Sections 3 and 4 of the Harbour Pilotage Act of Vell help you.", STATUTE, True),
        ("Section 88 helps you.", STATUTE, True),
        ("Section 3(7) helps you.", STATUTE, False),
        ("Section 9 helps you.", STATUTE, False),
        ("Section 9 of the Harbour Pilotage Act helps you.", STATUTE, False),
        ("Section 4 of the Fisheries Act helps you.", STATUTE, False),
        ("17 U.S.C. § 107 helps you.", STATUTE, False),
        ("Section 4(2) helps you.", STATUTE, None),  # the section is there, and names no parts
        ("Clause 1(b) and clause 2.1 help you.", CONTRACT, True),
        ("Section 5 helps you.", CONTRACT, True),
        ("Clause 1(c) helps you.", CONTRACT, False),
        ("Clause 7 helps you.", CONTRACT, False),
        ("Article 2 helps you.", CHARTER, True),
        ("Article 9 helps you.", CHARTER, False),
        ("Rule 4 helps you.", "Halve the plums and bake them.", False),
        ("The rule helps you.", "Halve the plums and bake them.", True),
        ("Section 4 helps you.", "", None),
    ],
)
def test_a_citation_exists_where_the_document_holds_it(text, document, expected):
    verdict = DocumentCitations().verify(text, context=document)
    assert (None if verdict.undecided else verdict.passed) is expected, verdict
    assert verdict.verifier == "document_citations" and (verdict.passed or verdict.feedback)


def test_all_parts_of_a_challenge_are_read():
    good = Challenge("I was told of Section 3.", "Section 4.", rubric=Rubric((Criterion("Cites Section 1"),)))
    bad = Challenge("I was told of Section 3.", "Section 4.", rubric=Rubric((Criterion("Cites Section 12"),)))
    assert DocumentCitations().verify(good, context=STATUTE).passed
    assert "§ 12 is not on the list" in DocumentCitations().verify(bad, context=STATUTE).feedback


def test_a_document_without_numbers_says_what_to_do_instead():
    verdict = DocumentCitations().verify("Section 4 helps you.", context="Halve the plums.")
    assert verdict.feedback == "the document numbers nothing; name its rules in words"


def test_what_is_no_text_is_undecided():
    assert DocumentCitations().verify(7, context=STATUTE).undecided


def test_it_does_on_its_examples_as_it_says():
    for example in DocumentCitations.EXAMPLES:
        verdict = DocumentCitations().verify(example.subject, example.reference, example.context)
        assert (None if verdict.undecided else verdict.passed) is example.expected, example.why
