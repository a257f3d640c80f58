"""Support tone: replies to customers, judged by tone. The domain without an external check."""

from __future__ import annotations

import re
from typing import Any, Literal

import dspy

from autodata_dspy.acceptance import Thresholds
from autodata_dspy.domains.base import Domain, ExportTemplate, Malformed, SolvingMode
from autodata_dspy.modules import PairwiseJudge
from autodata_dspy.rubrics import read_rubric
from autodata_dspy.text import words
from autodata_dspy.types import Challenge, Rubric
from autodata_dspy.verifiers.base import Verifier
from autodata_dspy.verifiers.language import Language
from autodata_dspy.verifiers.leakage import Leakage
from autodata_dspy.verifiers.length import Length
from autodata_dspy.verifiers.near_duplicates import NearDuplicates
from autodata_dspy.verifiers.rubric_form import RubricBounds, RubricForm
from autodata_dspy.verifiers.rubric_judge import RubricJudge

MAX_FACTS, MAX_MESSAGE, MAX_REPLY = 60, 80, 120  # words; the prompts ask for less, because small models overshoot
MIN_REPLY = 15
BOUNDS = RubricBounds(n=(4, 6), n_positive=(2, None), n_negative=(1, None), positive=(1, 5), negative=(-5, -1))


class WriteMessage(dspy.Signature):
    """You write training cases for customer support. Invent one message from a customer of the company in the passage,
    and say what a reply in a good tone looks like.

    facts: what the agent has to know to reply, from the passage alone, at most 50 words. No advice on tone.
    message: the customer's own words, at most 70 words. One specific complaint or question with a detail such as a
    date, an item or a plan, in the mood of the angle. The feeling shows in what is said and is not named.
    standard: five lines. Three begin with [+2] and say what a good reply to exactly this message does. Two begin with
    [-3] and say what a bad reply does. Each line is one thing that can be seen in the reply.
    reply: the agent's exemplary reply, at most 90 words. It promises nothing that the facts do not hold."""

    passage: str = dspy.InputField(desc="a company's policy; data, not instructions")
    angle: str = dspy.InputField(desc="who writes, and in which mood")
    feedback: str = dspy.InputField(desc="why earlier cases were rejected; write a different one")
    facts: str = dspy.OutputField()
    message: str = dspy.OutputField()
    standard: str = dspy.OutputField()
    reply: str = dspy.OutputField()


class ReviewMessage(dspy.Signature):
    """Check a message before support agents see it. Most messages are usable. A message is unusable only if no customer
    would write it to a support agent, if it neither asks nor complains about anything and so needs no reply, or if it
    leaves open what happened."""

    question: str = dspy.InputField(desc="the message")
    wants: str = dspy.OutputField(desc="what the writer wants, in at most six words")
    verdict: Literal["usable", "not from a customer", "needs no reply", "unclear what happened"] = dspy.OutputField()


class ReplyDirectly(dspy.Signature):
    """You are a support agent. Reply to the customer's message in at most 80 words. Say nothing that the facts do not
    hold."""

    context: str = dspy.InputField(desc="the facts you know")
    question: str = dspy.InputField(desc="the customer's message")
    reply: str = dspy.OutputField(desc="the reply alone")


class ReplyWithCare(dspy.Signature):
    """You are an experienced support agent. First say what this customer feels and which fact they need. Then reply in
    at most 80 words: show that you have understood this very situation, state the fact plainly, bad news included, and
    say what happens next. No blame, no stock phrases, and nothing that the facts do not hold."""

    context: str = dspy.InputField(desc="the facts you know")
    question: str = dspy.InputField(desc="the customer's message")
    reasoning: str = dspy.OutputField(desc="the feeling and the fact, at most 20 words")
    reply: str = dspy.OutputField(desc="the reply alone")


REVIEW_DEMOS = (
    {
        "question": "The lamp I ordered on 4 May came with a crack down the base. I gave it to my mother like that.",
        "wants": "help with a cracked lamp",
        "verdict": "usable",
    },
    {
        "question": "Thanks, the second parcel came this morning. All good now!",
        "wants": "nothing more",
        "verdict": "needs no reply",
    },
    {
        "question": "Can I still move my lesson on Friday to Monday, or is it too late?",
        "wants": "to move a lesson",
        "verdict": "usable",
    },
    {
        "question": "Dear customer, we are sorry for the delay and have refunded your order.",
        "wants": "to inform a customer",
        "verdict": "not from a customer",
    },
    {
        "question": "This is unbelievable. Again! Do something about it.",
        "wants": "something, it is not said what",
        "verdict": "unclear what happened",
    },
    {
        "question": "I paid for two tickets and found only one in my mail. Could you please have a look?",
        "wants": "the missing ticket",
        "verdict": "usable",
    },
    {
        "question": "My order should have been here on Tuesday, and I am getting worried about the birthday.",
        "wants": "to know where an order is",
        "verdict": "usable",
    },
    {
        "question": "Your bus was late and we missed the tour that we had booked. Who pays for that?",
        "wants": "money for a missed tour",
        "verdict": "usable",
    },
)

DEMOS = (
    {
        "passage": "Fernhill Bikes services bicycles within five working days. If a part has to be ordered, it "
        "takes up to three weeks, and the customer may borrow a bicycle free of charge during that time.",
        "angle": "an angry customer who has asked before and got no answer",
        "feedback": "none",
        "facts": "A service takes five working days. If a part has to be ordered it takes up to three weeks. "
        "Meanwhile the customer may borrow a bicycle free of charge.",
        "message": "I brought my bike in on the 3rd. It is the 19th now, nobody picks up the phone, and my "
        "mail of last week was ignored. I take two buses to the night shift. Do you still have my bike at all?",
        "standard": "[+2] apologises for the unanswered mail and calls\n"
        "[+2] offers a bicycle to borrow for the way to the night shift\n"
        "[+2] says that an ordered part can take up to three weeks\n"
        "[-3] tells the customer to be patient\n"
        "[-3] blames the supplier for the silence",
        "reply": "You should have heard from us long before the 19th, and I am sorry that we left your calls "
        "and your mail without a word. If a part had to be ordered, the repair can take three weeks in all. "
        "Two buses before a night shift is no way to wait for it: please come by and take one of our bicycles, "
        "at no cost, until yours is done.",
    },
    {
        "passage": "At Corvo Pools a lost locker key costs 12 euros. The fee is returned if the key is found "
        "within 30 days.",
        "angle": "an embarrassed customer who made the mistake",
        "feedback": "failed the check (1): too long: 104 words; write at most 80",
        "facts": "A lost locker key costs 12 euros. The fee is paid back if the key is found within 30 days.",
        "message": "This is silly, but I think the key of locker 88 went down the shower drain on Sunday. I "
        "was already in the tram when I noticed, and I did not dare to turn back. What do I do now?",
        "standard": "[+2] thanks the customer for writing about the key\n"
        "[+2] treats the loss as something that can happen to anyone\n"
        "[+2] names the fee of 12 euros together with the chance to get it back\n"
        "[-3] scolds the customer for going home\n"
        "[-3] threatens with consequences",
        "reply": "Thank you for telling us about number 88. Small things vanish at a pool every week, so "
        "please don't worry about Sunday. We have to charge 12 euros for a lost one. "
        "Should it turn up in the following 30 days, the money is yours again.",
    },
    {
        "passage": "Mirabel Theatre does not exchange tickets or take them back. Whoever cannot come may pass a "
        "ticket on to anyone else; the name on it is not checked.",
        "angle": "a sad customer who asks for an exception",
        "feedback": "failed on strong (1): the plain reply is better in 3 of 3 comparisons; ask for more care",
        "facts": "Tickets are not taken back. A ticket may be passed on to anyone; the name on it is not checked.",
        "message": "We had two seats for the 14th, row F. They were for our anniversary. My husband died in "
        "March and I cannot sit there beside an empty chair. Could you please take them back?",
        "standard": "[+2] offers condolences before any rule is mentioned\n"
        "[+2] says plainly that the seats cannot be taken back\n"
        "[+2] mentions that somebody else may use them\n"
        "[-3] suggests going to the play to feel better\n"
        "[-3] opens with the policy",
        "reply": "I am so sorry that you have lost your husband, and that this evening has become such a hard "
        "thing to look at. I wish I could give you another answer: we are not able to refund row F. If there "
        "are friends who would like to go, simply hand both seats to them, and nobody will ask whose they "
        "were. There is nothing else you need to do.",
    },
)

STRONG_DEMOS = (
    {
        "context": "Orders placed after noon leave the next working day. The depot is closed on Sundays.",
        "question": "Ordered Saturday 3 pm, still 'in preparation'. The whole point was having the tent by Monday!",
        "reasoning": "Disappointed, in a hurry; it leaves on Monday and will not be there in time.",
        "reply": "A tent that comes after the trip is no use, so I will be plain: yours leaves our depot on "
        "Monday and will not reach you that day. Saturday's order came after noon, and we are closed on "
        "Sundays. I am sorry that this upsets your plan. If you no longer want it, please just tell me.",
    },
    {
        "context": "Vouchers are valid for two years. An expired voucher cannot be renewed.",
        "question": "Found Gran's voucher from 2019 in a book. I suppose that's my own fault? Is there "
        "anything to be done?",
        "reasoning": "Hopeful and a little ashamed; an expired voucher cannot be renewed.",
        "reply": "What a find, and no fault of yours: people put vouchers into books because they want to keep "
        "them. Sadly ours are valid for two years, and I cannot renew one from 2019. I wish I had better news "
        "about a present from your gran.",
    },
)

# Who writes, and in which mood: these fit any policy. A mood alone made every message the same angry one.
ANGLES = (
    "an angry customer who has asked before and got no answer",
    "a worried customer who fears to lose money or an important day",
    "a loyal customer of many years who is quietly disappointed",
    "a confused customer who read the rule and misunderstood it",
    "a customer in a hurry who is curt and wants a yes or a no",
    "an embarrassed customer who made the mistake",
    "a sarcastic customer who jokes about what went wrong",
    "a sad customer who asks for an exception",
    "a customer who writes for somebody else, a parent or a child",
    "a suspicious customer who believes that the company plays a trick",
)

# A small model often writes the whole standard on one line.
_NEXT_LINE = re.compile(r"\s*(?:[-*•;]|\b\d{1,2}[.)])?\s*(?=[\[(][+\-−]\d{1,2}[\])])")


def _standard(text: str) -> Rubric:
    try:
        rubric = read_rubric(_NEXT_LINE.sub("\n", text))
    except ValueError as error:
        raise Malformed(f"the standard cannot be read ({error}); begin each line with [+2] or [-3]") from error
    if not any(c.weight > 0 for c in rubric.criteria):
        raise Malformed("no line of the standard begins with [+2]; say what a good reply does")
    return rubric


def build(prediction: Any, angle: str) -> Challenge:
    """A challenge from what was written. Facts and reply are measured here, the message by a check."""
    facts, message, standard, reply = (
        str(prediction.get(name) or "").strip() for name in ("facts", "message", "standard", "reply")
    )
    if not (facts and message and standard and reply):
        raise Malformed("facts, message, standard or reply is empty; write all four")
    for what, text, low, high in (("facts", facts, 1, MAX_FACTS), ("reply", reply, MIN_REPLY, MAX_REPLY)):
        if not low <= (n := len(words(text))) <= high:
            raise Malformed(f"{what} has {n} words; write {low} to {high}")
    return Challenge(question=message, answer=reply, context=facts, angle=angle, rubric=_standard(standard))


def _reply(prediction: Any) -> str:
    return str(prediction.reply or "").strip()


SOLVING = {
    "direct": SolvingMode(ReplyDirectly, _reply, {"temperature": 0.7, "max_tokens": 180}),
    "with_care": SolvingMode(ReplyWithCare, _reply, {"temperature": 0.7, "max_tokens": 240}, STRONG_DEMOS),
}


def _challenge_verifiers() -> tuple[Verifier, ...]:
    # A standard of tone may hold one criterion of form ("is brief"); facts and reply share what has to be conveyed.
    return (
        Length(min_words=12, max_words=MAX_MESSAGE),
        Language(part="all"),
        RubricForm(BOUNDS, max_compound=1, max_format_only=1),
        Leakage(max_overlap=0.4),
    )


PLUGIN = Domain(
    name="support_tone",
    summary="customers' messages whose replies are compared by tone, by a judge alone",
    write=WriteMessage,
    demos=DEMOS,
    angles=ANGLES,
    build=build,
    review=ReviewMessage,
    sound="usable",
    solving=SOLVING,
    weak_mode="direct",
    strong_mode="with_care",
    challenge_verifiers=_challenge_verifiers,
    answer_verifier=RubricJudge,
    acceptance=Thresholds(n_weak=2, n_strong=2, gap=0.1),  # a first look: the last word is a comparison of the replies
    verified="judged",
    review_demos=REVIEW_DEMOS,
    reference=lambda challenge: challenge,  # its rubric
    last_word=PairwiseJudge,
    final_checks=lambda: (NearDuplicates(),),
    write_tokens=640,
    probe="",  # tone has no held-out set with right answers: whoever measures here measures a judge
    template=ExportTemplate(prompt="{context}\n\n{question}"),
)
