"""Findings in plain words: pure functions of results, so that a test can read them."""

from __future__ import annotations

from collections.abc import Mapping

from minbert.answers import PairResult
from minbert.tasks import SENTIMENT, similarity_band
from minbert.ui.parts.numbers import percent, shown
from minbert.ui.question import Answer

POOLING_NAMES = {"cls": "CLS", "mean": "mean"}  # of the shipped pair; `Engine.names` of any
SAME_SHARE = 0.05  # probabilities closer than this are called alike
SAME_SCORE = 0.25  # similarities closer than this are called alike


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def yes_no(pair: PairResult, threshold: float = 0.5) -> str:
    """Return the paraphrase decision as a word."""
    return "yes" if pair.paraphrase > threshold else "no"


def sentiment_difference(
    name: str, cls: Answer, mean: Answer, index: int, names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Compare both models' sentiment of one sentence."""
    one, other = cls.sentiments[index], mean.sentiments[index]
    if one.label == other.label:
        return f"Both call sentence {name} {one.label}."
    gap = abs(SENTIMENT.labels.index(one.label) - SENTIMENT.labels.index(other.label))
    steps = "one step" if gap == 1 else f"{gap} steps"
    return (
        f"They disagree on sentence {name} by {steps}: "
        f"{names['cls']} says {one.label}, {names['mean']} says {other.label}."
    )


def paraphrase_difference(
    cls: PairResult, mean: PairResult, names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Compare both models' paraphrase decision."""
    one, other = f"yes {percent(cls.paraphrase)}", f"yes {percent(mean.paraphrase)}"
    first, second = names["cls"], names["mean"]
    if yes_no(cls) != yes_no(mean):
        return (
            f"Paraphrase: {first} says {yes_no(cls)} ({one}), "
            f"{second} says {yes_no(mean)} ({other})."
        )
    if abs(cls.paraphrase - mean.paraphrase) < SAME_SHARE:
        return f"Paraphrase: both say {yes_no(mean)}, equally sure ({other})."
    surer = second if abs(mean.paraphrase - 0.5) > abs(cls.paraphrase - 0.5) else first
    return (
        f"Paraphrase: both say {yes_no(mean)}; {surer} is surer ({first} {one}, {second} {other})."
    )


def similarity_headline(
    cls: PairResult, mean: PairResult, names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Say as a title which pooling sees the two sentences as closer."""
    gap = mean.score - cls.score
    if abs(gap) < SAME_SCORE:
        scores = f"{shown(cls.similarity)} and {shown(mean.similarity)} of 5"
        both = f"{capital(names['cls'])} and {names['mean']}"
        return f"{both} pooling agree on how close these are: {scores}"
    closer, score, other = (
        (names["mean"], mean.similarity, cls.similarity)
        if gap > 0
        else (names["cls"], cls.similarity, mean.similarity)
    )
    told = f"{shown(score)} against {shown(other)} of 5"
    return f"{capital(closer)} pooling sees these as closer: {told}"


def disagreement(cls: Answer, mean: Answer, names: Mapping[str, str] = POOLING_NAMES) -> str:
    """Return one line: where both models' answers differ, the first place of all tasks."""
    for place, name in zip(range(len(mean.sentiments)), "AB", strict=False):
        if cls.sentiments[place].label != mean.sentiments[place].label:
            return sentiment_difference(name, cls, mean, place, names)
    if cls.pair is not None and mean.pair is not None:
        if yes_no(cls.pair) != yes_no(mean.pair):
            return paraphrase_difference(cls.pair, mean.pair, names)
        if abs(mean.pair.score - cls.pair.score) >= SAME_SCORE:
            return f"{similarity_headline(cls.pair, mean.pair, names)}."
    return "Both give the same answers."


def comparison(
    cls: Answer, mean: Answer, names: Mapping[str, str] = POOLING_NAMES
) -> tuple[str, list[str]]:
    """Return a title that says the finding, and the differences task by task.

    `names` are what the page calls the poolings of both, as `POOLING_NAMES` of the shipped pair.
    """
    lines = [sentiment_difference("A", cls, mean, 0, names)]
    if cls.pair is None or mean.pair is None:
        return lines[0].rstrip("."), ["Type a sentence B to compare them on pairs too."]
    lines.append(sentiment_difference("B", cls, mean, 1, names))
    lines.append(paraphrase_difference(cls.pair, mean.pair, names))
    bands = similarity_band(cls.pair.similarity), similarity_band(mean.pair.similarity)
    if bands[0] == bands[1]:
        lines.append(f"Similarity: both say “{bands[0]}”.")
    else:
        lines.append(
            f"Similarity: {names['cls']} says “{bands[0]}”, {names['mean']} says “{bands[1]}”."
        )
    return similarity_headline(cls.pair, mean.pair, names), lines


def changes(before: Answer, now: Answer) -> list[str]:
    """Say how an answer differs from a pinned one, task by task."""
    told = []
    for name, old, new in zip("AB", before.sentiments, now.sentiments, strict=False):
        moved = new.expected - old.expected
        label = old.label if old.label == new.label else f"{old.label} → {new.label}"
        told.append(f"Sentiment of {name}: {label}, expected rating {moved:+z.1f}")
    if before.pair is None or now.pair is None:
        return [*told, "Paraphrase and similarity need a sentence B, then and now."]
    first, second = before.pair, now.pair
    return [
        *told,
        f"Paraphrase: {percent(first.paraphrase)} → {percent(second.paraphrase)}",
        f"Similarity: {shown(first.similarity)} → {shown(second.similarity)} of 5",
    ]
