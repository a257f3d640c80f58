"""The golden cases of the LM judges, with scripted models in the judge's place.

They hold what the judges' own code does: reading rubrics, arithmetic, reading outputs, counting votes, and giving a
text that wants to be judged well no hold on the prompt. They do NOT measure how well any model judges; that is what
`autodata audit rubric_judge --cases FILE --lm judge=MODEL` is for, on cases of one's own. A case has the judge's output
as `says` (one, or one per call), or is judged by `judge_scripts.gullible`, which falls for every trick it gets to see.
"""

import json
from pathlib import Path

import judge_scripts
import pytest

from autodata_dspy.audit import audit, read_cases
from autodata_dspy.verifiers.answer_judge import AnswerJudge
from autodata_dspy.verifiers.rubric_judge import RubricJudge

FOLDER = Path(__file__).parent
JUDGES = {"rubric_judge": RubricJudge, "answer_judge": AnswerJudge}


def rows(name):
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("name", JUDGES)
def test_there_are_enough_cases_of_every_outcome(name):
    cases = rows(name)
    counts = {outcome: sum(row["expected"] is outcome for row in cases) for outcome in (True, False, None)}
    assert len(cases) >= 40 and min(counts.values()) >= 5
    assert all(row["why"] for row in cases) and len({row["why"] for row in cases}) == len(cases)


@pytest.mark.parametrize("schema", [True, False], ids=["json", "markers"])
@pytest.mark.parametrize("name", JUDGES)
def test_every_case_comes_out_as_expected(scripted, name, schema):
    wrong = []
    for row, case in zip(rows(name), read_cases(FOLDER / f"{name}.jsonl"), strict=True):
        roles = scripted.roles(judge=row.get("says", judge_scripts.gullible), schema=schema)
        options = {key: row[key] for key in ("mode", "votes") if key in row}
        found = audit(JUDGES[name](roles, **options), [case])
        wrong += [(c.case.why, c.said, c.feedback) for c in found.confusions]
    assert wrong == []


@pytest.mark.parametrize("mode", ["one_by_one", "all_at_once"])
def test_attacks_fail_in_both_modes(scripted, mode):
    verifier = RubricJudge(scripted.roles(judge=judge_scripts.gullible, schema=True), mode=mode)
    attacks = [row for row in rows("rubric_judge") if "says" not in row and row["expected"] is not None]
    wrong = [
        row["why"] for row in attacks if verifier.verify(row["subject"], row["reference"]).passed != row["expected"]
    ]
    assert wrong == [] and len(attacks) > 40
