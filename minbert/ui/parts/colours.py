"""Every colour of the figures: poolings, tasks, contributions (colour-blind safe, both themes)."""

from __future__ import annotations

from minbert.records.form import TASKS
from minbert.ui.parts.score_rows import task_of

CLS_COLOUR, MEAN_COLOUR = "#E69F00", "#0072B2"  # the two poolings, and nothing else
GRID = "rgba(128,128,128,0.25)"
# The three tasks: 3 to 1 against the page in both themes, and apart for every kind of colour
# blindness, from each other and from the poolings' two. A test holds this.
SENTIMENT_COLOUR, PARAPHRASE_COLOUR, SIMILARITY_COLOUR = "#DE4A26", "#1A8F8F", "#A860EE"
TASK_COLOURS = dict(
    zip(TASKS, (SENTIMENT_COLOUR, PARAPHRASE_COLOUR, SIMILARITY_COLOUR), strict=True)
)
NEUTRAL = "#7A8799"  # what is of no single task
AGAINST, FOR = "rgba(191,129,45,0.95)", "rgba(53,151,143,0.95)"  # below zero, above zero
DIVERGING = [[0.0, AGAINST], [0.5, "rgba(128,128,128,0.06)"], [1.0, FOR]]
POOLING_COLOURS = {"cls": CLS_COLOUR, "mean": MEAN_COLOUR}


def colour_of(metric: str) -> str:
    """Return the colour of a metric's or a measure's task."""
    return TASK_COLOURS.get(task_of(metric), NEUTRAL)
