"""How far the models' probabilities can be trusted, as the tab "About" tells it.

The record is `python -m trainer calibrate --json`'s; a model need not have one.
"""

from __future__ import annotations

from collections.abc import Mapping

from minbert.records.calibration import Calibration
from minbert.ui.parts.blocks import finding_block, sources_block
from minbert.ui.parts.numbers import fixed, percent, signed
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)


def calibration_block(calibration: Mapping[str, Calibration]) -> str:
    """Return both models' errors before and after as HTML; nothing where nothing is recorded."""
    if not calibration:
        return ""
    rows, lines = [], []
    for model, one in calibration.items():
        for task, told in one.tasks.items():
            before, after, chance = told.before.ece.value, told.after.ece.value, told.ece_by_chance
            moved = "–" if not told.offset else signed(told.offset)
            examples = "–" if told.n is None else f"{told.n:,}"
            errors = (fixed(before), fixed(after), "–" if chance is None else fixed(chance))
            scales = (fixed(told.temperature), moved)
            rows.append([f"{model}, {task}", *errors, *scales, told.split or "–", examples])
            lines.append(
                f"{model}, {task}: how sure and how often right differ by {percent(after)}, "
                f"and by {percent(before)} before calibration"
            )
    head = [
        "Model and task",
        "Error\nbefore",
        "Error\nafter",
        "Error\nby chance",
        "Temperature",
        "Shift\n(log-odds)",
        "Split",
        "Examples",
    ]
    origin = [
        f"{model}: seed {written(one.seed)} · {written(one.folds)} folds · commit "
        f"{one.commit or 'not told'} · machine {one.machine or 'not told'}"
        for model, one in calibration.items()
    ]
    return finding_block(
        "How far its probabilities can be trusted",
        lines,
        TEXTS["read.calibration"],
        sources_block(origin),
        shown=table("Calibration error before and after", head, rows),
    )


def written(value: int | None) -> str:
    """Write a whole number that may not be known."""
    return "not told" if value is None else str(value)
