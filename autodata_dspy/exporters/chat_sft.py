"""Conversations for supervised fine-tuning."""

from __future__ import annotations

from autodata_dspy.exporters._writing import write_by_ending
from autodata_dspy.exporters.base import MESSAGES, Example, Exporter, Row


def row(example: Example) -> Row:
    """The question as the user's turn, the reference answer as the assistant's."""
    return {"messages": example.asked() + example.replied(example.row["answer"])}


PLUGIN = Exporter(
    name="chat_sft",
    summary="conversations for supervised fine-tuning: `messages` of a user and an assistant",
    write=write_by_ending,
    extra={"messages": MESSAGES},
    row=row,
    about="One conversation for each example: `messages` holds the question as the user's turn and the reference "
    "answer as the assistant's, in the words of the domain's template. The other columns stand beside it.",
    load="import datasets, autodata_dspy.exporters as ex\n"
    'rows = datasets.load_dataset("{kind}", data_files={pattern}, {split}, features=ex.features("chat_sft"))',
    needs_domain=True,
)
