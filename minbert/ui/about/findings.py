"""Findings of the tab "About" in plain words: pure functions of what was read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from minbert.records.form import Metric, kind_of
from minbert.records.scores import MAIN, Scores, Training
from minbert.records.shipped import MODELS
from minbert.ui.engine import CALLED
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.numbers import fixed, percent, signed
from minbert.ui.parts.score_rows import metric_label, pair_in, pooling_gaps, value_of

TRAIN_MAJORITY, OWN_MAJORITY = "train's majority", "own majority"
LABELS = {
    TRAIN_MAJORITY: "always the training file's commonest answer",
    OWN_MAJORITY: "always the commonest answer of the scored file itself",
}


def size_in_card(card: str, data_set: str) -> str:
    """Return how much of a data set the card says was trained on, such as "6,040 pairs"."""
    data = " ".join(card.partition("**Data**")[2].split())
    found = re.search(rf"\b{re.escape(data_set)}\b[^();,]*\(([^()]*\d[^()]*)\)", data)
    return found[1] if found else ""


def parameters_in_card(card: str) -> str:
    """Return the shipped encoder's size as the card tells it, such as "22.7 M parameters"."""
    found = re.search(r"\b[\d.,]+ M parameters\b", " ".join(card.split()))
    return found[0] if found else ""


def with_error(metric: Metric | None) -> str:
    """Write a score with its standard error."""
    if metric is None:
        return "–"
    return fixed(metric.value) + (f" ± {metric.se:.3f}" if metric.se is not None else "")


def name_of(metric: str) -> str:
    """Return a metric's name as shown."""
    task, _, measure = metric.partition(" ")
    return f"{task.capitalize()}, {LABELS[measure]}" if measure in LABELS else metric_label(metric)


def numbers_finding(scores: Mapping[str, Scores]) -> tuple[str, list[str]]:
    """Say in a title and lines what the first known model's scores mean."""
    model = next((name for name in (*MODELS, *scores) if name in scores), "")
    if not model:
        return "Our own scores are not told", []
    ours = scores[model]
    right, near, pairs, follow = (
        value_of(ours, name) for name in ("sentiment accuracy", "sentiment within_one", *MAIN[1:])
    )
    lines, short = [], []
    if right is not None:
        close = f", at most one class beside it in {percent(near)}" if near is not None else ""
        lines.append(f"Sentiment: the right one of five classes in {percent(right)}{close}")
        lines[-1] += chance(ours, "sentiment")
        short.append(f"{percent(right)} of moods exactly")
    if pairs is not None:
        lines.append(f"Paraphrase: the right answer for {percent(pairs)} of question pairs")
        lines[-1] += chance(ours, "paraphrase")
        short.append(f"{percent(pairs)} of paraphrases")
    title = f"The {model} model gets {' and '.join(short)} right"
    title = title if short else f"The {model} model's scores"
    if follow is not None:
        lines.append(
            f"Similarity: scores follow people's with a correlation (Pearson) of {fixed(follow)}; "
            "1 is perfect, 0 is chance"
        )
    return title, [*lines, *pooling_lines(scores)]


def chance(scores: Scores, task: str) -> str:
    """Say what always giving the commonest answer would reach."""
    share = value_of(scores, f"{task} {TRAIN_MAJORITY}")
    return "" if share is None else f"; always the commonest answer: {percent(share)}"


def pooling_lines(scores: Mapping[str, Scores]) -> list[str]:
    """Say by how much mean differs from CLS pooling, and whether that is more than noise.

    Of models of your own: the first from the second.
    """
    parts = [
        f"{metric.split()[0]} {signed(gap)} ({'clear' if clear else 'undecided'})"
        for metric, (gap, clear) in pooling_gaps(scores).items()
    ]
    if not parts:
        return []
    one, other = (CALLED.get(name, name) for name in pair_in(scores))
    return [
        f"{capital(one)} against {other} pooling: {', '.join(parts)}; “clear” is more than two "
        "standard errors, reckoned as if the two had been scored on different sentences"
    ]


def settings_finding(training: Mapping[str, Training]) -> str:
    """Say in which settings the two runs differ."""
    names = pair_in(training)
    if not names:
        return ""
    one, other = (training[model].config for model in names)
    differing = [name for name in settings_of(training) if one.get(name) != other.get(name)]
    told = ", ".join(name.replace("_", " ") for name in differing) or "nothing"
    return f"Apart from their names, the two runs' settings differ in: {told}"


def settings_of(training: Mapping[str, Training]) -> Sequence[str]:
    """Return the names of all settings of the runs, without the runs' own names."""
    known = dict.fromkeys(name for one in training.values() for name in one.config)
    return [name for name in known if name != "name"]


def shown_value(value: object) -> str:
    """Write a setting."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    simple = isinstance(value, str | int | float)
    return str(value) if simple else f"({kind_of(value)})"
