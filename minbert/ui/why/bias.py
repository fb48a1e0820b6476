"""Does it treat people alike: terms swapped in a sentence and in our templates, masked or not."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from minbert.demographics.masking import mask_terms, masking
from minbert.explain import (
    Answer,
    BiasProbe,
    Swaps,
    probe_bias,
    probe_sentence,
    probe_terms,
)
from minbert.predictor import Predictor
from minbert.text import normalise
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.colours import NEUTRAL
from minbert.ui.parts.figures import themed
from minbert.ui.parts.steps import Tell, watched
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of
from minbert.ui.why.subject import Subject, moved, said

TEXTS = texts_of(__package__)
UNITS = {
    "sentiment": "expected rating (0 to 4)",
    "paraphrase": "probability of yes (0 to 1)",
    "similarity": "similarity (0 to 5)",
}
NOTHING = 5e-4  # a spread below it is called none


def reader(predictor: Predictor, *, masked: bool) -> Predictor:
    """Return the predictor, or one that reads [MASK] in place of demographic terms."""
    return masking(predictor) if masked else predictor


def probe_written(
    predictor: Predictor, subject: Subject, *, masked: bool, tell: Tell
) -> tuple[Swaps, ...]:
    """Swap the terms of the first sentence."""
    watching = watched(reader(predictor, masked=masked), "Sentences answered", tell)
    return probe_sentence(watching, subject.first, subject.second, task=subject.task)


def probe_templates(
    predictor: Predictor, task: str, *, masked: bool, tell: Tell
) -> tuple[BiasProbe, ...]:
    """Measure the spread of every category over our templates."""
    found = []
    for number, category in enumerate(probe_terms(), start=1):
        told = f"{category.capitalize()}, {number} of {len(probe_terms())}, texts answered"
        watching = watched(reader(predictor, masked=masked), told, tell)
        found.append(probe_bias(watching, category, task))
    return tuple(found)


def sentence_block(
    subject: Subject, found: Sequence[Swaps], *, masked: bool, whole: Answer | None = None
) -> str:
    """Return a table for each term of the sentence, and how far the answers lie apart."""
    name = subject.names[0]
    if not found:
        lines = [
            f"Sentence {name} has no word for people that our lists know, such as “she”, “old” "
            "before “woman”, or “Indian”."
        ]
        return finding_block("There is nothing to swap", lines, "")
    widest = max(found, key=lambda each: each.spread)
    task, lines = subject.task, []
    if widest.spread < NOTHING:
        title = "No swap changes the answer"
    else:
        values = sorted(answer.value for answer in widest.answers)
        apart = moved(task, values[-1] - values[0]).removeprefix("+")
        title = (
            f"In place of “{widest.terms[0]}”, “{widest.lowest}” gets the lowest answer and "
            f"“{widest.highest}” the highest, {apart} apart"
        )
        labels = {answer.label for answer in widest.answers}
        lines.append(
            "The label stays the same." if len(labels) == 1 else f"{len(labels)} labels come up."
        )
    if masked:
        lines.append(f"The model reads: {mask_terms(normalise(subject.first))}")
        if widest.spread >= NOTHING:
            lines.append("What still differs: our lists take some terms as neutral (“actor”).")
        if whole is not None:
            now = said(task, found[0].answers[0])
            lines.append(f"Masking itself changes the answer from {said(task, whole)} to {now}.")
    tables = [swaps_table(subject, each) for each in found]
    block = finding_block(title, lines, TEXTS["read.sentence"], shown="".join(tables))
    return f'<div class="mb-texts">{block}</div>'


def swaps_table(subject: Subject, found: Swaps) -> str:
    """Return the answer for each term in one place."""
    own = found.answers[0].value
    rows = [
        [term, said(subject.task, answer), moved(subject.task, answer.value - own)]
        for term, answer in zip(found.terms, found.answers, strict=True)
    ]
    caption = f"In place of “{found.terms[0]}” ({found.category})"
    return table(caption, ["Term", "The model says", "Change"], rows)


def templates_block(task: str, found: Sequence[BiasProbe], *, masked: bool) -> str:
    """Return what the templates show."""
    widest = max(found, key=lambda each: each.mean_spread)
    count = len(widest.swaps)
    if widest.mean_spread < NOTHING:
        title = f"No swap changes the {UNITS[task]} in any of our {count} sentences"
    else:
        title = (
            f"Swapping {widest.category} spreads the {UNITS[task]} most: by "
            f"{widest.mean_spread:.3f} on average (95 % interval {widest.low:.3f} to "
            f"{widest.high:.3f})"
        )
    terms = ", ".join(f"{each.category} {len(each.swaps[0].terms)}" for each in found)
    lines = [f"{count} sentences of ours with every term of a list: {terms}."]
    if masked:
        lines.append("Terms are masked: the model reads [MASK] in their place.")
    rows = [probe_row(each) for each in found]
    heads = ["List", "Mean spread", "From", "To", "Widest in", "Lowest", "Highest"]
    more = table(f"Spread of the {UNITS[task]}", heads, rows)
    block = finding_block(title, lines, TEXTS["read.templates"], more)
    return f'<div class="mb-texts">{block}</div>'


def probe_row(found: BiasProbe) -> list[str]:
    """Return a category's numbers, and the sentence that spreads most."""
    widest = max(found.swaps, key=lambda each: each.spread)
    apart = widest.spread >= NOTHING
    return [
        *(found.category, f"{found.mean_spread:.3f}", f"{found.low:.3f}", f"{found.high:.3f}"),
        widest.shown.replace("{term}", "…") if apart else "",
        widest.lowest if apart else "",
        widest.highest if apart else "",
    ]


def templates_figure(task: str, found: Sequence[BiasProbe]) -> go.Figure:
    """Draw each category's mean spread with its interval."""
    means = [each.mean_spread for each in found]
    figure = go.Figure(
        go.Scatter(
            x=[round(mean, 5) for mean in means],
            y=[each.category for each in found],
            mode="markers",
            marker={"color": NEUTRAL, "size": 11},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.mean_spread for each in found],
                "arrayminus": [each.mean_spread - each.low for each in found],
                "thickness": 2,
            },
            customdata=[[each.low, each.high] for each in found],
            hovertemplate="%{y}: %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})"
            "<extra></extra>",
        )
    )
    themed(figure, height=100 + 34 * len(found))
    top = max((each.high for each in found), default=0.0)
    figure.update_xaxes(
        range=[-0.02 * max(top, 0.1), 1.1 * max(top, 0.1)],
        title={"text": f"mean spread of the {UNITS[task]}", "font": {"size": 13}},
        nticks=5,
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(showlegend=False, margin={"t": 16})
    return figure
