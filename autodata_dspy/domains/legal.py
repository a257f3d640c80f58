"""Law: questions of clients to an adviser, judged by a rubric, written from a document that is the source of law."""

from __future__ import annotations

import re
from typing import Any, Literal

import dspy

from autodata_dspy.acceptance import PRESETS
from autodata_dspy.domains.base import LONG_PASSAGE_CHARS, PASSAGE_CHARS, Domain, Malformed, SolvingMode
from autodata_dspy.legal_grounding import DocumentCitations
from autodata_dspy.modules import LoopJudge
from autodata_dspy.rubrics import read_written_rubric
from autodata_dspy.types import Challenge
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.case_recap import CaseRecap
from autodata_dspy.verifiers.language import Language
from autodata_dspy.verifiers.leakage import Leakage
from autodata_dspy.verifiers.near_duplicates import NearDuplicates
from autodata_dspy.verifiers.rubric_form import RubricBounds, RubricForm
from autodata_dspy.verifiers.rubric_judge import RubricJudge

# Rubrics of the paper have 15 to 25 criteria. A 1.5B model repeats itself from the seventh on, and each criterion is a
# call of the judge for each of eight answers; so the default asks for 5 to 8 and takes what the paper takes above that.
SMALL, PAPER = (5, 25), (15, 25)
MAX_OVERLAP = 0.4  # the client tells the rule, and an answer that applies it repeats some of its words
_RULE = re.compile(r"(?i)\b(?:shall|must|may|liable|entitled|unless|notice|within|section|clause)\b|§")


class ReadLaw(dspy.Signature):
    """Read a document for a law office. It is suitable if it is a source of law or a legal text that gives people
    rights or duties: a statute, an ordinance, a court's opinion, a contract, a lease, a licence, a policy. Recipes,
    stories, reports and advertisements are not suitable. Write short phrases, and none where there is nothing."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    suitable: Literal["yes", "no"] = dspy.OutputField()
    why: str = dspy.OutputField(desc="at most 12 words")
    doc_type: str = dspy.OutputField(desc="one or two words")
    topics: str = dspy.OutputField(desc="at most 8 words")
    issues: str = dspy.OutputField(desc="the questions that it decides, in at most 25 words")
    facts: str = dspy.OutputField(desc="whom and what it is about, in at most 20 words")
    holdings: str = dspy.OutputField(desc="its rules with their section numbers, in at most 40 words")


_MARKET = {
    "passage": "Section 3. A stall on the Marsh Market must be taken down by nine in the evening. Section 4. Who "
    "leaves a stall standing pays 20 crowns a night, unless a storm warning was in force.",
    "doc_type": "ordinance",
    "issues": "when a stall must go; when the charge is not owed",
    "facts": "stallholders on a market",
    "holdings": "down by nine (Section 3); 20 crowns a night unless a storm warning is in force (Section 4)",
}
READ_DEMOS = (
    {
        **_MARKET,
        "suitable": "yes",
        "why": "an ordinance with duties and a charge",
        "topics": "market stalls, charges, storms",
    },
    {
        "passage": "The ferry was painted blue in spring. Passengers liked the new benches, and the captain's dog "
        "sleeps under the third one.",
        "suitable": "no",
        "why": "a report without any rule, right or duty",
        "doc_type": "report",
        "topics": "ferry",
        "issues": "none",
        "facts": "none",
        "holdings": "none",
    },
)


# {rubric} is filled in by `legal`. The client has to tell the rule, because advisers never see the document and no
# model knows the law of an invented town; where the document is real law, a strong model may know more than it is told.
class WriteCase(dspy.Signature):
    """You write the questions that clients bring to a legal adviser. The passage is the source of law: it decides the
    case, and its own story is never retold. Invent a new client with a new problem of today.

    question: the client speaks as I or we, in everyday words, in at most 130 words: what happened, with days and sums,
    what the rule says as far as they were told (the adviser does not see the passage), and what they want to know.
    No names of cases, no words about what a court held, no examination wording, no year before 1940.
    answer: the advice in at most 80 words: the rule applied to these facts, and what to do. It cites only section
    numbers that stand in the passage.
    rubric: {rubric} lines, each one thing that good or bad advice says. Each line begins with its weight: [+8] to [+10]
    for what decides the case, [+5] to [+7] for what matters, [+2] to [+4] for the rest, and at least one line such as
    [-5] for a mistake, worded as bad advice would say it."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    doc_type: str = dspy.InputField()
    issues: str = dspy.InputField(desc="what the passage decides")
    facts: str = dspy.InputField(desc="whom the passage is about; the client is someone else")
    holdings: str = dspy.InputField(desc="rules of the passage")
    angle: str = dspy.InputField(desc="the direction to take")
    feedback: str = dspy.InputField(desc="why earlier questions were rejected; write a different one")
    question: str = dspy.OutputField()
    answer: str = dspy.OutputField()
    rubric: str = dspy.OutputField(desc="one criterion a line, each with its weight")


DEMOS = (
    {
        **_MARKET,
        "angle": "a client whose facts fall partly inside an exception",
        "feedback": "none",
        "question": "I sell honey on the market. My stall stayed up for three nights, and the town wants 60 crowns. "
        "On the first two nights the harbour office had a storm warning out; it was lifted on the third morning. "
        "The letter says 20 crowns a night are due and mentions an exception for storms. My neighbour says one "
        "storm cancels everything. Do I have to pay, and how much?",
        "answer": "You owe 20 crowns, not 60. Under Section 4 no charge arises for a night on which a warning was in "
        "force, so the first two nights are free. The exception works night by night: for the third you must pay. "
        "Object in writing, enclose the harbour office's notice, and pay the 20 crowns at once.",
        "rubric": "[+9] States that only 20 crowns are owed\n[+8] Applies the exception to the first two nights\n"
        "[+6] Explains that the exception works night by night\n[+4] Advises a written objection\n[+3] Mentions "
        "the harbour office's notice as proof\n[-6] Claims that one storm cancels the whole charge",
    },
    {
        "passage": "7. Notice. Either side may end this storage contract with 14 days' notice in writing.\n8. Goods "
        "left behind. The keeper may sell goods left for 60 days after the end, if it has written to the owner at "
        "the last known address.",
        "doc_type": "contract",
        "issues": "how the contract ends; when goods may be sold",
        "facts": "a storage keeper and an owner of goods",
        "holdings": "14 days' written notice (clause 7); sale after 60 days if the owner was written to (clause 8)",
        "angle": "a client who was told something half true about the rule",
        "feedback": "- failed the check (1): it recaps a case; invent a new client with a problem of their own",
        "question": "We keep our band's instruments in a storage room. We gave notice by phone in May, then stopped "
        "paying. Now the keeper says the contract never ended because notice must be written and takes 14 days, "
        "and also that it may sell our drums tomorrow since 60 days have passed. Nobody ever sent us a letter, and "
        "it has our address. Can it sell them, and what do we owe?",
        "answer": "The sale would be wrongful. Under clause 8 the 60 days run from the end of the contract, and your "
        "call did not end it: clause 7 asks for written notice. The keeper also had to write to you first. But "
        "rent still runs. Give written notice today, object to the sale, and offer the rent up to 14 days from now.",
        "rubric": "[+9] States that the drums may not be sold now\n[+8] Explains that the call did not end the "
        "contract\n[+7] Points out that no letter was sent before the sale\n[+6] Warns that rent is still running\n"
        "[+4] Advises written notice today\n[-7] Claims that the notice by phone was valid",
    },
    {
        "passage": "Section 12. A worker who reports a danger in good faith may not be dismissed for it. Section 13. "
        "The worker must tell the employer first, unless the danger is immediate. Section 14. A claim is brought "
        "within 30 days.",
        "doc_type": "statute",
        "issues": "who is protected after a report; time limit",
        "facts": "workers who report dangers",
        "holdings": "no dismissal for a report in good faith (Section 12); employer first unless immediate (13); 30 "
        "days (14)",
        "angle": "a client who has made a mistake and wants to save what can be saved",
        "feedback": "- to be improved (1): let the time limit be in doubt",
        "question": "I was let go 26 days ago, a week after I phoned the inspectors about a gas smell in our "
        "kitchen. I had not told my boss before, because people were working next to the pipe. He says I am not "
        "protected since I went behind his back, and that it is too late anyway. I was told workers must speak to "
        "the employer first and have 30 days. What should I do this week?",
        "answer": "You are probably protected. Section 12 forbids dismissal for a report in good faith, and a gas "
        "smell beside working people is an immediate danger, so Section 13 did not require you to tell your boss "
        "first. Four days of the 30 in Section 14 are left: bring the claim now, and collect witnesses of the "
        "smell.",
        "rubric": "[+9] States that four days are left for the claim\n[+8] Treats the gas smell as an immediate "
        "danger\n[+7] Concludes that telling the boss first was not needed\n[+5] Relates the dismissal to the "
        "report\n[+3] Advises collecting witnesses\n[-6] Asserts that the claim is already too late",
    },
)


class ReviewCase(dspy.Signature):
    """Check a client's question before an adviser sees it. Most questions are usable. A question is unusable only if
    nobody speaks of a problem of their own, if it asks nothing, or if a fact that decides the matter is missing."""

    question: str = dspy.InputField()
    wants: str = dspy.OutputField(desc="what the client wants to know, in at most eight words")
    verdict: Literal["usable", "no client", "asks nothing", "facts missing"] = dspy.OutputField()


REVIEW_DEMOS = (
    {
        "question": "My landlord kept my deposit of 300 crowns for a scratch that was there before. I have photos of "
        "the first day. I was told he must return it within 21 days. Can I get it back?",
        "wants": "whether the deposit must be returned",
        "verdict": "usable",
    },
    {"question": "What do sections 5 and 6 say?", "wants": "the content of a law", "verdict": "no client"},
    {
        "question": "I bought a bicycle in June. The frame is green, and the shop is near the bridge.",
        "wants": "nothing",
        "verdict": "asks nothing",
    },
    {
        "question": "We let a hall for our wedding and the owner cancelled nine days before. Our contract says 14 "
        "days, or twice the advance is due. We paid 200 crowns. What can we ask for?",
        "wants": "what the owner owes for cancelling",
        "verdict": "usable",
    },
    {"question": "I got a letter about a rule. Am I late?", "wants": "whether it is late", "verdict": "facts missing"},
)


class AdviseBriefly(dspy.Signature):
    """You advise clients on the law. Answer the client in two or three plain sentences."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="the advice, at most 60 words")


class AdviseWithReasons(dspy.Signature):
    """You advise clients on the law. First work out the issue, the rule that the client was told and its exceptions,
    and how it applies to each day, sum and act in the question. Then advise the client: the conclusion, the reasons for
    it, what speaks against it, and what to do next."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField(desc="issue, rule, application, conclusion; one short sentence each")
    answer: str = dspy.OutputField(desc="the advice with its reasons, at most 130 words")


def _advice(said: Any) -> str:
    return str(said.answer or "").strip()


SOLVING = {
    "brief": SolvingMode(AdviseBriefly, _advice, {"temperature": 0.8, "max_tokens": 120}),
    "reasoned": SolvingMode(AdviseWithReasons, _advice, {"temperature": 0.7, "max_tokens": 450}),
}

# Situations, not subjects: they fit any law. The numbers keep a small model from inventing the same sums again.
ANGLES = (
    "a client whose facts fall partly inside an exception, with the numbers {numbers}",
    "a client who was told something half true about the rule",
    "a client who has made a mistake and wants to save what can be saved, with the numbers {numbers}",
    "a client against whom the other side uses the rule",
    "a client who must act soon and asks what to do first, with the numbers {numbers}",
    "two people with opposite views who ask together who is right",
)


def build(prediction: Any, angle: str) -> Challenge:
    """Question, reference answer and rubric."""
    question, answer = (str(value or "").strip() for value in (prediction.question, prediction.answer))
    if not question or not answer:
        raise Malformed("the question or the answer is empty")
    try:
        rubric = read_written_rubric(str(prediction.rubric or ""))
    except ValueError as error:
        raise Malformed(f"{error}; write one criterion a line, such as [+8] States that the notice was late") from None
    return Challenge(question=question, answer=answer, angle=angle, rubric=rubric)


def density_of_rules(paragraph: str) -> float:
    """Words of duty and exception per word: a long statute has pages of definitions and notes that decide nothing."""
    return len(_RULE.findall(paragraph)) / len(paragraph.split()) if paragraph.split() else 0.0


def legal(n_criteria: tuple[int, int] = SMALL) -> Domain:
    """The domain with rubrics of `n_criteria` (least, most): `SMALL` for small models, `PAPER` for the paper's form.

    In the small form one criterion that joins two demands is forgiven; the paper's form forgives none.
    """
    low, high = n_criteria
    small = low < PAPER[0]
    wanted = f"{low} to {min(high, low + 3) if small else high}"
    bounds = RubricBounds(n=n_criteria, n_positive=(low // 2, None), n_negative=(1, None), positive=(2, 10))

    def challenge_verifiers() -> tuple[Verifier, ...]:
        # Overrides of the paper first (length, recap, examination, old years): free, and final.
        form = RubricForm(bounds, max_compound=int(small))
        return CaseRecap(), form, DocumentCitations(), Language(), Leakage(max_overlap=MAX_OVERLAP)

    return Domain(
        name="legal",
        summary="questions of clients to an adviser, judged by a rubric; a loop judge has the last word",
        extract=ReadLaw,
        extract_demos=READ_DEMOS,
        write=WriteCase.with_instructions(WriteCase.instructions.replace("{rubric}", wanted)),
        demos=DEMOS if small else (),  # they show the small form, and would pull a model away from the longer one
        angles=ANGLES,
        build=build,
        review=ReviewCase,
        review_demos=REVIEW_DEMOS,
        sound="usable",
        solving=SOLVING,
        weak_mode="brief",
        strong_mode="reasoned",
        challenge_verifiers=challenge_verifiers,
        answer_verifier=RubricJudge,
        reference=lambda challenge: challenge,
        acceptance=PRESETS["paper-legal"],
        last_word=LoopJudge,
        verified="judged",
        final_checks=lambda: (NearDuplicates(),),
        max_rounds=16,  # the first version and 15 improvements
        per_document=1,
        write_tokens=450 if small else 1200,
        passage_chars=PASSAGE_CHARS if small else LONG_PASSAGE_CHARS,
        paper_form=lambda: legal(PAPER),
        interest=density_of_rules,
        # No probe: held-out sets of law classify clauses, and advice to a client is something else.
    )


PLUGIN = legal()
