"""The instructions that Self-Instruct starts from and adds to, kept apart from each other by ROUGE-L."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import Indel

MAX_ROUGE_L = 0.7  # F measure; an instruction above it, to anything in the pool, is dropped
_SLACK = 1e-6  # of the bound: more than rounding can be, and what it lets through is scored in full


class TaskPool:
    """Seed instructions and those that were kept, safe to use from several threads.

    The decision is rouge-score's alone (ROUGE-L, F measure, no stemming, as in arXiv 2212.10560). To scan a pool of
    thousands, each instruction's words are kept as one string with one character a word, and rapidfuzz's normalised
    InDel similarity of two such strings is 2·LCS / (m + n): the F measure itself, save for rounding. So only what
    comes within `_SLACK` of the threshold has to be scored. A vocabulary of more words than there are characters
    makes some words look the same, which can only raise the bound.

    rouge-score knows no letters but a to z: instructions in other scripts are alike only when they are equal.
    """

    def __init__(self, seeds: Iterable[str], max_rouge_l: float = MAX_ROUGE_L):
        from rouge_score.rouge_scorer import RougeScorer  # loads nltk; nobody else needs it
        from rouge_score.tokenizers import DefaultTokenizer

        self.seeds, self.max_rouge_l = tuple(dict.fromkeys(seeds)), max_rouge_l
        self._scorer: Any = RougeScorer(["rougeL"], use_stemmer=False)
        self._tokenizer: Any = DefaultTokenizer(use_stemmer=False)
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._kept: dict[str, None] = {}
        self._words: dict[str, str] = {}
        for seed in self.seeds:
            self._words[seed] = self._encoded(seed)

    def __reduce__(self) -> Any:  # a lock cannot be copied, and an optimizer's copy of a program has made no tasks yet
        return TaskPool, (self.seeds, self.max_rouge_l)

    def __len__(self) -> int:
        return len(self._words)

    @property
    def kept(self) -> tuple[str, ...]:
        """Machine-made instructions, in the order in which they were kept."""
        return tuple(self._kept)

    def reserve(self, instruction: str) -> tuple[str, float] | None:
        """Take a place for an instruction, unless the pool holds one like it.

        Check and entry are one step, so that two threads never both take near-identical ones.

        Returns:
            None where the place was taken; else the instruction of the pool that it is too much like, and their
            ROUGE-L F measure, in (max_rouge_l, 1].
        """
        with self._lock:
            if instruction in self._words:
                return instruction, 1.0
            words = self._encoded(instruction)
            near = process.extract(
                words,
                self._words,
                scorer=Indel.normalized_similarity,
                score_cutoff=self.max_rouge_l - _SLACK,
                limit=None,
            )
            for _, _, known in near:
                score = self._scorer.score(known, instruction)["rougeL"].fmeasure
                if score > self.max_rouge_l:
                    return known, score
            self._words[instruction] = words
            return None

    def keep(self, instructions: Iterable[str]) -> None:
        """Make instructions part of the pool for good; those that are already change nothing."""
        with self._lock:
            for instruction in instructions:
                if instruction not in self.seeds:
                    self._words.setdefault(instruction, self._encoded(instruction))
                    self._kept.setdefault(instruction)

    def release(self, instructions: Iterable[str]) -> None:
        """Give back the places of reserved instructions that were not kept."""
        with self._lock:
            for instruction in instructions:
                if instruction not in self._kept and instruction not in self.seeds:
                    self._words.pop(instruction, None)

    def sample(self, draw: random.Random, n: int, n_machine: int) -> list[str]:
        """n instructions in random order: up to `n_machine` that were kept, seeds for the rest (all, if too few)."""
        with self._lock:
            kept: Sequence[str] = list(self._kept)
        shown = draw.sample(kept, min(n_machine, len(kept)))
        shown += draw.sample(self.seeds, min(n - len(shown), len(self.seeds)))
        draw.shuffle(shown)
        return shown

    def _encoded(self, text: str) -> str:
        words = self._tokenizer.tokenize(text)
        return "".join(chr(self._numbers.setdefault(word, len(self._numbers)) % 0x110000) for word in words)
