"""Fewer words, one other word, near sentences: findings and tables of the tab "Why?"."""

from __future__ import annotations

from minbert.explain import Reduction, Step
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of
from minbert.ui.why.nearest import quoted
from minbert.ui.why.subject import Subject, said, short_answer

TEXTS = texts_of(__package__)


def reduction_block(subject: Subject, found: Reduction) -> str:
    """Return the fewest words that keep the answer, and every step there."""
    whole, last = found.steps[0], found.shortest
    answer = short_answer(subject.task, whole.answer)
    kept = " and ".join(f"“{' '.join(side)}”" for side in (last.first, last.second) if side)
    count, of = len(last.left), len(whole.left)
    if count == of:
        title = f"No word can go without losing {quoted(answer)}"
    elif count == 1:
        title = f"One of {of} words is enough for {quoted(answer)}: {kept}"
    else:
        title = f"{count} of {of} words are enough for {quoted(answer)}: {kept}"
    lines = []
    if found.next_answers:
        changed = sorted({short_answer(subject.task, each) for each in found.next_answers})
        lines.append(f"Without one word more it would say {' or '.join(map(quoted, changed))}.")
    elif len(last.left) == len(subject.names):
        lines.append("It ends there because a sentence keeps one word at least.")
    if found.skipped:
        lines.append(f"The last {found.skipped} words always stayed: only the first ones may go.")
    names = [f"Words of {name}" for name in subject.names] if whole.second else ["Words"]
    rows = [step_row(subject, step) for step in found.steps]
    steps = table("Step by step", [*names, "Taken away", "The model says"], rows)
    block = finding_block(title, lines, TEXTS["read.reduction"], shown=steps)
    return f'<div class="mb-texts">{block}</div>'


def step_row(subject: Subject, step: Step) -> list[str]:
    """Return what is left after a step, and the answer to it."""
    sides = [step.first, step.second] if subject.second is not None else [step.first]
    return [
        *(" ".join(side) for side in sides),
        step.removed or "",
        said(subject.task, step.answer),
    ]
