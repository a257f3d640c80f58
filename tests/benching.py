"""A model that plays every role in suites on texts with labels, and the files of such a suite.

Texts of the label `rent` speak of euros, those of `eviction` of keys. Self-Instruct gives every text the wrong label,
so its students learn the opposite; the others are right.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import scripted

SAID = {"rent": "From May onwards your rooms will cost {} more euros.", "eviction": "Hand over your {} keys and leave."}
WORDS = """apple attic basket bench boiler bridge candle carpet cellar chair chimney clock corridor cupboard curtain desk
door drain drawer fence floor garage garden gate hall hammer heater hedge kitchen ladder lamp lawn letterbox lift mirror
oven paint parlour pavement piano pipe plaster plum porch radiator railing roof shelf shed shower sink sofa stair stove
table tap terrace tile tree tunnel wall wardrobe window yard""".split()
OTHER = {"rent": "eviction", "eviction": "rent"}
SUITE = """\
documents = "letters.jsonl"
test = "clauses.test.jsonl"
roles = { weak_solver = "ollama/tiny" }
"""


def text(label: str, seed: int) -> str:
    """A text of a label; different seeds share few words."""
    draw = random.Random(seed)
    first, *others = draw.sample(WORDS, 9)
    return SAID[label].format(first) + f" The {others[0]} by the {' and the '.join(others[1:])} is not part of this."


def label_of(said: str) -> str:
    return "rent" if "euros" in said else "eviction"


def model(call: scripted.Call) -> dict[str, str]:
    """What the model says to any prompt of a suite."""
    asked, seed = call.inputs, call.seed or 0
    label = ("rent", "eviction")[seed % 2]
    if "tasks" in asked:
        words = text("rent", seed).split()[-8:]
        return {
            "new_tasks": "\n".join(
                f"{9 + i}. Sort {w} letters about {w}s by what {w} wants." for i, w in enumerate(words[:2])
            )
        }
    if "labels" in asked:
        return {
            "examples": "\n\n".join(f"Label: {OTHER[own]}\nInput: {text(own, seed + i)}" for i, own in enumerate(SAID))
        }
    if "examples" in asked:
        return {"plan": "A letter.", "question": text(label, seed), "answer": label}
    if "angle" in asked:
        return {"text": text(asked["angle"].partition(":")[0], seed)}
    if "`verdict`" in call.prompt:
        return {"verdict": "usable"}
    return {"label": label_of(asked["question"])} if "`label`" in call.prompt else {"answer": "rent"}


def files(folder: Path, n_items: int = 24) -> None:
    """A suite of three lines with its documents and its labelled test file."""
    (folder / "mine.toml").write_text(SUITE)
    documents = [
        {"id": f"d{i}", "text": f"A landlord writes letter {i} about money and keys to a tenant."} for i in range(6)
    ]
    items = [
        {"text": text(label, 900 + 2 * i + (label == "rent")), "label": label}
        for i in range(n_items // 2)
        for label in SAID
    ]
    for name, rows in (("letters.jsonl", documents), ("clauses.test.jsonl", items)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
