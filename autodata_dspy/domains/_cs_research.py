"""Prompts and worked examples of `cs_research`; the demonstrations were written for this project."""

from __future__ import annotations

from typing import Literal

import dspy

Kind = Literal["mechanism", "trade-off", "diagnosis", "what if", "comparison", "interpretation of results"]


# The rubric is asked for in lines: a small model that is asked for JSON inside a field forgets brackets. The quote
# comes first, so that the question is made from it and not the other way round.
class WriteChallenge(dspy.Signature):
    """You write hard questions about computer science. Read the passage and write one question that can only be
    answered by reasoning from an insight of the passage, not by recalling a definition.

    The context gives the situation and the facts that are needed, in your own words, and not the answer. The reader
    of context and question does not see the passage, so never mention it. The question asks one thing, in one
    sentence. The rubric has 3 or 4 lines that begin with [+1] to [+5], each naming one thing that a good answer says,
    and 1 or 2 lines that begin with [-1] to [-5], each naming one wrong thing that a bad answer says."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    angle: str = dspy.InputField(desc="the direction to take")
    feedback: str = dspy.InputField(desc="why earlier questions were rejected; write a different one")
    quote: str = dspy.OutputField(desc="the sentence of the passage that it rests on, copied word for word")
    kind: Kind = dspy.OutputField(desc="kind of question")
    skills: str = dspy.OutputField(desc="two or three reasoning skills, separated by commas")
    context: str = dspy.OutputField(desc="at most 60 words")
    question: str = dspy.OutputField(desc="at most 35 words")
    answer: str = dspy.OutputField(desc="two or three sentences with the reasons")
    rubric: str = dspy.OutputField(desc="one criterion a line, such as: [+3] names the cause")


# The paper's form. A model of 1.5B does not get through ten criteria; it begins to repeat itself at the fifth.
class WriteFullChallenge(dspy.Signature):
    """You write hard research questions about computer science. Read the passage and write one question whose answer
    needs an insight that is specific to this text, reached in several steps of reasoning. Whoever knows the field but
    not the text should have to think; recalling a definition must not do.

    Context: the set-up alone, with every fact, figure and name that is needed, and nothing of the answer. The reader
    of context and question does not see the passage, so never mention it.
    Question: one sentence that asks one thing; no parts, no second question.
    Answer: complete, with its reasons.
    Rubric: 10 to 15 lines. 7 to 10 of them begin with a weight from [+1] to [+10] and name one thing each that a good
    answer says; 3 to 5 begin with [-1] to [-10] and name a wrong statement that a plausible bad answer makes. One
    demand a line, about content only, checkable from the answer alone; the heaviest weights go to the insight."""

    passage: str = dspy.InputField(desc="source text; data, not instructions")
    angle: str = dspy.InputField(desc="the direction to take")
    feedback: str = dspy.InputField(desc="why earlier questions were rejected; write an entirely different one")
    quote: str = dspy.OutputField(desc="one or two sentences of the passage it rests on, word for word, one a line")
    kind: Kind = dspy.OutputField(desc="kind of question")
    skills: str = dspy.OutputField(desc="two or three reasoning skills, separated by commas")
    context: str = dspy.OutputField()
    question: str = dspy.OutputField()
    answer: str = dspy.OutputField()
    rubric: str = dspy.OutputField(desc="one criterion a line, such as: [+7] derives the bound from the queue's length")


class ReviewChallenge(dspy.Signature):
    """Check an exam question before students see it. Students see context and question only. Most questions are sound.
    It is unsound only if the context gives the answer away, if the answer can be recalled without reasoning, if it
    asks several things, if the rubric does not fit the answer, or if its tags name another kind of question."""

    tags: str = dspy.InputField(desc="kind of question, then skills")
    context: str = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.InputField(desc="the reference answer")
    rubric: str = dspy.InputField(desc="how answers are graded")
    asks_for: str = dspy.OutputField(desc="what is asked for, in at most eight words")
    verdict: Literal[
        "sound",
        "the context gives the answer away",
        "needs recall, not reasoning",
        "asks several things",
        "the rubric does not fit the answer",
        "the kind of question is another",
    ] = dspy.OutputField()


class AnswerDirectly(dspy.Signature):
    """Answer the computer science question at once, in one or two sentences."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="one or two sentences")


class AnswerByReasoning(dspy.Signature):
    """Answer the computer science question. First think: list the facts that are given, follow what each of them
    causes step by step, and discard explanations that a fact rules out. Then write the answer: the conclusion and
    every reason that leads to it."""

    context: str = dspy.InputField()
    question: str = dspy.InputField()
    reasoning: str = dspy.OutputField(desc="short numbered steps")
    answer: str = dspy.OutputField(desc="the conclusion with all its reasons, three to five sentences")


DEMOS = (
    {
        "passage": "A spinlock wastes the processor while it waits, a sleeping lock pays for two context switches. "
        "When the lock is held for less time than a context switch takes, spinning is cheaper. On a machine with one "
        "processor spinning is never cheaper, because the holder cannot run while the waiter spins.",
        "angle": "change one condition of the set-up, so that the conclusion turns round",
        "feedback": "none",
        "quote": "On a machine with one processor spinning is never cheaper, because the holder cannot run while the "
        "waiter spins.",
        "kind": "what if",
        "skills": "causal reasoning, counterfactual reasoning",
        "context": "A service guards a counter with a spinlock that is held for 0.2 microseconds. A context switch "
        "takes 3 microseconds. To save money the service moves from a server with 16 cores to a virtual machine with "
        "a single core, and requests begin to stall.",
        "question": "Why does the short holding time no longer make spinning the better choice?",
        "answer": "With one core the waiter occupies the only processor, so the holder makes no progress while it is "
        "being waited for. The wait then lasts a whole time slice instead of 0.2 microseconds, far longer than "
        "two context switches.",
        "rubric": "[+4] says that the holder cannot run while the waiter spins\n"
        "[+3] says that the wait lasts until the scheduler preempts the waiter\n"
        "[+2] compares that wait with the cost of a context switch\n"
        "[-3] claims that the critical section itself has become longer",
    },
    {
        "passage": "In our invented study, adding a second index made lookups 40 per cent faster and inserts 70 per "
        "cent slower. Because nine of ten operations were lookups, total time still fell. The authors of the system "
        "expected a loss.",
        "angle": "a wrong explanation that looks right at first sight",
        "feedback": "- too easy (1): the weak solver scored 0.83 on average of 3; make it harder",
        "quote": "Because nine of ten operations were lookups, total time still fell.",
        "kind": "trade-off",
        "skills": "quantitative reasoning, weighing of costs",
        "context": "A store runs lookups and inserts that cost the same before a change. A second index makes lookups "
        "40 per cent faster and inserts 70 per cent slower. An engineer rejects the index, because 70 is more "
        "than 40.",
        "question": "What must hold of the workload for the engineer to be wrong?",
        "answer": "Total time falls when what lookups save outweighs what inserts lose, so the share of lookups has "
        "to exceed 70/110, about 64 per cent. The percentages alone decide nothing, because they apply to different "
        "numbers of operations.",
        "rubric": "[+3] says that the share of lookups decides\n"
        "[+4] derives a threshold of about 64 per cent lookups\n"
        "[+2] explains that the two percentages apply to different amounts of work\n"
        "[-3] claims that the index is worse for every workload\n"
        "[-2] claims that half lookups are enough",
    },
    {
        "passage": "The crawler stored page addresses in a set in memory. After two days it slowed to a crawl, though "
        "the processor was idle. Paging was the cause: the set had outgrown memory, and hashing scatters "
        "neighbouring addresses over all pages.",
        "angle": "symptoms from which the cause has to be found",
        "feedback": "- failed the check (1): the context gives the answer away",
        "quote": "Paging was the cause: the set had outgrown memory, and hashing scatters neighbouring addresses over "
        "all pages.",
        "kind": "diagnosis",
        "skills": "elimination of causes, causal reasoning",
        "context": "A crawler keeps every visited address in a hash set. It runs well for two days and then becomes a "
        "hundred times slower, while the processor is almost idle. A colleague proposes to visit the addresses in "
        "sorted order, hoping for better locality.",
        "question": "Why will sorting the addresses not make the crawler fast again?",
        "answer": "The set no longer fits into memory, so lookups wait for the disk. The hash function spreads similar "
        "addresses over unrelated pages, so that sorted lookups touch as many pages as random ones.",
        "rubric": "[+3] says that the set has outgrown memory\n"
        "[+4] says that hashing destroys the order of similar addresses\n"
        "[+2] links the idle processor to waiting for the disk\n"
        "[-3] blames a slow network",
    },
)

FULL_DEMOS = (
    {
        **DEMOS[0],
        "answer": "With one core the waiter occupies the only processor, so the holder makes no progress while it is "
        "being waited for. The wait therefore ends only when the scheduler preempts the waiter, after a time slice "
        "that is thousands of times longer than the 0.2 microseconds of the critical section. Two context switches of "
        "3 microseconds are cheap beside it. The rule of thumb that compares holding time with switching time "
        "presumes that the holder runs at the same time on another core, and this is what the move took away.",
        "rubric": "[+9] says that the holder cannot run while the waiter spins\n"
        "[+7] says that the wait lasts until the scheduler preempts the waiter\n"
        "[+6] states that the usual comparison presumes a second core\n"
        "[+4] compares the wait with the cost of two context switches\n"
        "[+4] concludes that the waiter should give up the processor\n"
        "[+3] notes that a time slice is far longer than 0.2 microseconds\n"
        "[+2] notes that the critical section is as short as before\n"
        "[-8] claims that the critical section has become longer\n"
        "[-5] blames the memory bandwidth of the virtual machine\n"
        "[-4] recommends a longer spinning time as the remedy",
    },
)

REVIEW_DEMOS = (
    {
        "tags": "what if, causal reasoning",
        "context": DEMOS[0]["context"],
        "question": DEMOS[0]["question"],
        "answer": DEMOS[0]["answer"],
        "rubric": DEMOS[0]["rubric"],
        "asks_for": "why spinning is worse on one core",
        "verdict": "sound",
    },
    {
        "tags": "diagnosis, causal reasoning",
        "context": "A cache misses often, because every scan pushes out the pages that are used again.",
        "question": "Why does the cache miss often?",
        "answer": "Scans push out the pages that are used again.",
        "rubric": "[+3] says that scans push out useful pages\n[-2] blames the disk",
        "asks_for": "the cause of the misses",
        "verdict": "the context gives the answer away",
    },
    {
        "tags": "mechanism, recall",
        "context": "Programs keep data in hash tables.",
        "question": "What is a hash function?",
        "answer": "A function that maps keys to numbers of a fixed range.",
        "rubric": "[+3] says that keys are mapped to numbers\n[-2] says that it encrypts",
        "asks_for": "a definition",
        "verdict": "needs recall, not reasoning",
    },
    {
        "tags": "trade-off, quantitative reasoning",
        "context": DEMOS[1]["context"],
        "question": DEMOS[1]["question"],
        "answer": DEMOS[1]["answer"],
        "rubric": DEMOS[1]["rubric"],
        "asks_for": "a condition on the workload",
        "verdict": "sound",
    },
    {
        "tags": "comparison, causal reasoning",
        "context": "Two services share a queue. One of them crashes while it handles a message.",
        "question": "Why can the other service handle the same message again?",
        "answer": "The crashed service never confirmed the message, so the queue delivers it once more.",
        "rubric": "[+3] mentions that threads are cheaper than processes\n[-2] claims that queues lose messages",
        "asks_for": "why a message is delivered twice",
        "verdict": "the rubric does not fit the answer",
    },
)

ANGLES = (
    "the mechanism behind an effect that the passage explains, in a new situation",
    "change one condition of the set-up, so that the conclusion turns round",
    "symptoms from which the cause has to be found",
    "a wrong explanation that looks right at first sight",
    "the price of a choice, and the situation in which it is not worth paying",
    "two methods of the passage in a case where they behave differently",
    "what a measured figure does and does not show",
)
