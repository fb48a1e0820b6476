"""Words that would change the answer: their table, and how to read it."""

from __future__ import annotations

from minbert.explain import Counterfactual, Counterfactuals
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of
from minbert.ui.why.nearest import MOST_ROWS, quoted
from minbert.ui.why.subject import Subject, moved, said, short_answer

TEXTS = texts_of(__package__)
AROUND = 14  # characters shown on both sides of a replacement


def swaps_block(subject: Subject, found: Counterfactuals) -> str:
    """Return the strongest replacement of each word."""
    task, tries = subject.task, found.by_word
    now = short_answer(task, found.answer)
    if not tries:
        lines = ["Nothing was tried. Type a sentence with a common word, such as “good” or “is”."]
        return finding_block("None of these words is in our lists", lines, "")
    flips = [each for each in tries if each.flips and task != "similarity"]
    best = flips[0] if flips else tries[0]
    swap = f"“{best.word}” → “{best.replacement}”"
    after = short_answer(task, best.answer)
    if task == "similarity":
        title = f"{swap} moves the score most: {now} → {after}"
    elif flips:
        title = f"{swap} turns {quoted(now)} into {quoted(after)}"
    else:
        title = f"No single word that was tried changes {quoted(now)}; {swap} comes nearest"
    count = len(found.tries)
    lines = [
        f"{count} replacements of {len(tries)} words were tried; the answer now: "
        f"{said(task, found.answer)}."
    ]
    if found.left_out:
        lines.append(f"{found.left_out} more replacements were not tried.")
    rows = [swap_row(subject, each) for each in tries[:MOST_ROWS]]
    heads = ["Replacement", "Where", "The model then says", "Change", "Another answer"]
    listed = table("Each word's strongest replacement", heads, rows)
    block = finding_block(title, lines, TEXTS["read.swaps"], shown=listed)
    return f'<div class="mb-texts">{block}</div>'


def swap_row(subject: Subject, each: Counterfactual) -> list[str]:
    """Return one replaced word with what comes of it."""
    whose = f" ({subject.names[each.side]})" if len(subject.names) > 1 else ""
    answer = said(subject.task, each.answer)
    change = moved(subject.task, each.change)
    return [
        *(f"{each.word} → {each.replacement}", f"{around(each)}{whose}", answer, change),
        "yes" if each.flips else "",
    ]


def around(each: Counterfactual) -> str:
    """Return the replacement with what stands around it."""
    start, end = each.start - AROUND, each.start + len(each.replacement) + AROUND
    cut = each.text[max(0, start) : end]
    return ("…" if start > 0 else "") + cut + ("…" if end < len(each.text) else "")
