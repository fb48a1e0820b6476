"""The HTML of the answers: small, themed by CSS classes, every dynamic text escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from minbert.answers import PairResult, SentimentResult
from minbert.tasks import SENTIMENT, clamped
from minbert.ui.parts.answer_words import yes_no
from minbert.ui.parts.blocks import card, meter
from minbert.ui.parts.numbers import percent, shown
from minbert.ui.question import Answer


def sentiment_card(name: str, result: SentimentResult, within_one: float | None = None) -> str:
    """Return one sentence's five bars.

    `within_one` is how often the model's class is at most one step off, on the dev sentences.
    """
    best = result.label
    rows = "".join(
        f'<div class="mb-row{" mb-best" if label == best else ""}">'
        f'<span class="mb-name">{escape(label)}</span>'
        f"{meter(p, f'mb-class-{index}', f'{label}: {percent(p)}')}"
        f'<span class="mb-value">{percent(p)}</span></div>'
        for index, (label, p) in enumerate(zip(SENTIMENT.labels, result.probabilities, strict=True))
    )
    often = (
        f"; within one class of people's in {percent(within_one)} of unseen sentences"
        if within_one
        else ""
    )
    return card(
        f"Sentiment of {name}",
        best,
        f'{rows}<p class="mb-note">expected rating {result.expected:.1f} '
        f"(0 very negative, 4 very positive){often}</p>",
    )


def paraphrase_card(pair: PairResult, threshold: float = 0.5) -> str:
    """Return the paraphrase probability, its decision at a threshold, and both orders."""
    p = pair.paraphrase
    return card(
        "Do A and B say the same? (paraphrase)",
        yes_no(pair, threshold),
        f'<div class="mb-row mb-wide">{meter(p, "mb-yes", f"paraphrase: {percent(p)}")}'
        f'<span class="mb-value">{percent(p)}</span></div>'
        f'<p class="mb-note">A then B {percent(pair.paraphrase_ab)}, '
        f"B then A {percent(pair.paraphrase_ba)}; shown is their mean, yes above "
        f"{percent(threshold)}</p>",
    )


def similarity_card(pair: PairResult) -> str:
    """Return the similarity gauge with the wording of its band, and both kinds of score."""
    score = pair.score
    place = 20 * score
    ticks = "".join(f"<span>{tick}</span>" for tick in range(6))
    outside = "" if pair.raw == score else f"; the model said {pair.raw:.2f}, shown within 0 to 5"
    return card(
        "How close are they in meaning? (similarity)",
        f"{shown(score)} of 5",
        f'<p class="mb-band">{escape(pair.band)}</p>'
        f'<div class="mb-gauge" role="img" aria-label="similarity {shown(score)} of 5">'
        f'<div class="mb-marker" style="left:{place:.1f}%"></div></div>'
        f'<div class="mb-ticks">{ticks}</div>'
        f'<p class="mb-note">shown is {which_score(pair)}{outside}</p><dl class="mb-scores">'
        f"<dt>joint</dt><dd>{clamped(pair.joint):.2f}</dd><dd>A and B are read together: A then B "
        f"{clamped(pair.joint_ab):.2f}, B then A {clamped(pair.joint_ba):.2f}</dd>"
        f"<dt>Siamese</dt><dd>{clamped(pair.siamese):.2f}</dd><dd>each is read alone, then "
        "their two vectors are compared</dd></dl>",
    )


def which_score(pair: PairResult) -> str:
    """Name the score that the checkpoint reports."""
    if math.isclose(pair.similarity, pair.joint, abs_tol=1e-4):
        return "the joint score"
    if math.isclose(pair.similarity, pair.siamese, abs_tol=1e-4):
        return "the Siamese score"
    return "the mean of the joint and the Siamese score"


def answer_panel(answer: Answer, threshold: float = 0.5, within_one: float | None = None) -> str:
    """Return all cards of an answer; the last two arguments as the cards take them."""
    names = ("A", "B")
    cards = [
        sentiment_card(name, result, within_one)
        for name, result in zip(names, answer.sentiments, strict=False)
    ]
    if answer.pair is None:
        cards.append(
            card(
                "Two sentences, two more answers",
                "Add a sentence B",
                '<p class="mb-note">Then the same model also says whether both say the same '
                "(paraphrase), and how close they are in meaning from 0 to 5 (similarity).</p>",
            )
        )
    else:
        cards += [paraphrase_card(answer.pair, threshold), similarity_card(answer.pair)]
    return f'<div class="mb-cards">{"".join(cards)}</div>'


def change_panel(first: str, second: str, changes: Sequence[str]) -> str:
    """Return what was pinned, and how the present answer differs from it."""
    pinned = f"“{first}”" + (f" and “{second}”" if second else "")
    items = "".join(f"<li>{escape(change)}</li>" for change in changes)
    return (
        f'<section class="mb-card mb-findings"><h3>Pinned: {escape(pinned)}</h3>'
        f"<ul>{items}</ul></section>"
    )
