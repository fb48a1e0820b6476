"""How the pooling lab begins: three sentences, a drawing, and both models' scores on dev."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from minbert.records.form import Metric
from minbert.records.scores import MAIN, Scores
from minbert.records.shipped import Records
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.own_models import NOT_THEIRS
from minbert.ui.parts.score_rows import Z, encoder_notes, pair_in, pooling_gaps
from minbert.ui.parts.tables import fold, table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
TOKENS = ("[CLS]", "a", "fine", "film", "[SEP]")  # of the drawing
DRAWN = {
    "cls": ("CLS pooling: the first token's", "takes the vector of the first token, [CLS], alone"),
    "mean": ("Mean pooling: the average of all", "takes the average of the vectors of all tokens"),
}
MEASURES = (  # in the order of MAIN
    "Sentiment (SST-5 accuracy)",
    "Paraphrase (Quora accuracy)",
    "Similarity (STS Pearson)",
)
SCORES_FILE = "-dev.json"


def opening(*widths: int) -> str:
    """Return what CLS and mean pooling are, in words and as a drawing.

    Args:
        widths: numbers in a token's vector, of each model.
    """
    told = TEXTS["intro.opening"].format(width=" or ".join(map(str, dict.fromkeys(widths))))
    drawings = "".join(
        f'<figure class="mb-way">{drawing(pooling)}<figcaption>{escape(means)}</figcaption>'
        "</figure>"
        for pooling, means in TEXTS.by_name("intro.means").items()
    )
    return f'<div class="mb-opening"><p>{escape(told)}</p><div>{drawings}</div></div>'


def by_pooling(records: Records) -> dict[str, Scores]:
    """Return the models' scores, those of CLS pooling first; of your own in their order."""
    order = records.scores if records.own else POOLING_NAMES
    return {model: records.scores[model] for model in order if model in records.scores}


def consequences(records: Records, models: int = 2) -> str:
    """Return what the choice changes, in three lines behind a fold.

    `models` is how many of your own there are.
    """
    scores = by_pooling(records)
    finding = f"{scores_finding(scores)}." if len(scores) == len(POOLING_NAMES) else ""
    changes = TEXTS.by_name("intro.changes")
    if records.own:
        own, one = TEXTS["intro.own_answers"], TEXTS["intro.one_answers"]
        changes = {**changes, next(iter(changes)): own if models > 1 else one}
    told = "".join(
        f"<li><b>{name}:</b> {escape(text.format(finding=finding).strip())}</li>"
        for name, text in changes.items()
    )
    return fold("What the choice changes", f"<ul>{told}</ul>")


def drawing(pooling: str) -> str:
    """Return a small drawing: tokens, their vectors, and the one vector made of them."""
    title, what = DRAWN[pooling]
    places = [22 + 62 * place for place in range(len(TOKENS))]
    used = places[:1] if pooling == "cls" else places
    parts = []
    for x, token in zip(places, TOKENS, strict=True):
        kept = x in used
        parts.append(f'<text x="{x}" y="48" text-anchor="middle">{escape(token)}</text>')
        parts.append(
            f'<g class="{"mb-used" if kept else "mb-unused"}">'
            + "".join(
                f'<rect x="{x - 20 + 10 * k}" y="58" width="8" height="14"/>' for k in range(4)
            )
            + "</g>"
        )
        if kept:
            parts.append(f'<path class="mb-flow" d="M{x} 75 L344 108"/>')
    parts.append(
        '<g class="mb-used">'
        + "".join(f'<rect x="{348 + 12 * k}" y="101" width="10" height="16"/>' for k in range(4))
        + "</g>"
    )
    parts.append('<text x="372" y="92" text-anchor="middle">sentence</text>')
    label = escape(f"{DRAWN[pooling][0].split(':')[0]} {what} as the sentence's vector.")
    return (
        f'<svg class="mb-drawing mb-{pooling}" viewBox="0 0 406 126" role="img" '
        f'aria-label="{label}"><text class="mb-drawn" x="0" y="20">{escape(title)}</text>'
        f"{''.join(parts)}</svg>"
    )


def scores_block(records: Records) -> str:
    """Return both models' scores on dev with intervals; a file that is missing is told."""
    scores = by_pooling(records)
    problems = [problem for problem in records.problems if SCORES_FILE in problem]
    if not scores:
        title = "How good both are on whole files is not known here"
        if records.own:
            title = "How good these models are on whole files is not recorded"
            problems = [*problems, NOT_THEIRS]
        return finding_block(title, problems, "")
    head = ["Task", *(f"{POOLING_NAMES.get(model, model)} pooling" for model in scores)]
    rows = [
        [told, *(with_interval(one.flat.get(name)) for one in scores.values())]
        for name, told in zip(MAIN, MEASURES, strict=True)
    ]
    both = "of both models " if len(scores) > 1 else ""
    numbers = table(f"Scores {both}on the dev files", head, rows)
    lines = [counted(scores), *problems, *encoder_notes(records)]
    title = scores_finding(scores)
    if records.own and len(scores) == 1:
        title = f"How good {next(iter(scores))} pooling is on its run's dev files"
    return finding_block(title, lines, TEXTS["read.scores"], shown=numbers)


def with_interval(metric: Metric | None) -> str:
    """Write a score with its 95 % interval."""
    if metric is None:
        return "–"
    if metric.value is None or metric.se is None:
        return fixed(metric.value)
    reach = Z * metric.se
    return f"{fixed(metric.value)}  [{fixed(metric.value - reach)}, {fixed(metric.value + reach)}]"


def scores_finding(scores: Mapping[str, Scores]) -> str:
    """Say on which tasks one pooling is clearly ahead over the whole dev files."""
    gaps = pooling_gaps(scores)
    if not gaps:
        return "Scores on whole files: one of the two is not told"
    first, second = (POOLING_NAMES.get(name, name) for name in pair_in(scores))
    ahead = {
        name: [
            metric.split()[0] for metric, (gap, clear) in gaps.items() if clear and (gap > 0) == up
        ]
        for name, up in ((first, True), (second, False))
    }
    told = [
        f"{name} is clearly ahead on {' and '.join(tasks)}"
        for name, tasks in ahead.items()
        if tasks
    ]
    if not told:
        return f"Over whole files neither is clearly ahead on any of {len(gaps)} tasks"
    return "Over whole files " + ", ".join(told)


def counted(scores: Mapping[str, Scores]) -> str:
    """Say how many examples were scored."""
    parts = []
    for metric in MAIN:
        counts = {
            f"{found.n:,}"
            for one in scores.values()
            if (found := one.flat.get(metric)) and found.n is not None
        }
        parts += [f"{metric.split()[0]} {' or '.join(sorted(counts))}"] if counts else []
    return (
        f"Scored on sentences held back from training (dev): {', '.join(parts)}; they also chose "
        "when training stopped."
    )
