"""Tables beside the figures of the pooling lab: the same numbers as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minbert.explain import SentimentSplit, SimilaritySplit
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Answer
from minbert.ui.parts.tables import fold, simple_head, table, twin

MOST_CELLS = 24  # rows and columns of a map that a table shows


def map_table(
    caption: str,
    corner: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float]],
    form: str,
) -> str:
    """Return a map's numbers as a table, the first 24 rows and columns of a large one.

    Args:
        caption: of the table; what is left out is added.
        corner: what rows and columns are.
        rows: R names.
        columns: C names.
        values: R rows of C.
        form: how a number is written, such as ".3f".
    """
    if max(len(rows), len(columns)) > MOST_CELLS:
        caption += (
            f"; the first {min(len(rows), MOST_CELLS)} of {len(rows)} rows and "
            f"{min(len(columns), MOST_CELLS)} of {len(columns)} columns"
        )
    body = [
        [name, *(format(value, form) for value in line[:MOST_CELLS])]
        for name, line in zip(rows[:MOST_CELLS], values[:MOST_CELLS], strict=True)
    ]
    return table(caption, simple_head([corner, *columns[:MOST_CELLS]]), body)


def folded(*tables: str) -> str:
    """Return tables made here behind one fold."""
    return fold("The numbers", "".join(tables))


def answers_twin(cls: Answer, mean: Answer) -> str:
    """Return both models' answers to all three tasks."""
    rows = [
        [f"Sentiment of {name}, {label}", f"{one.probabilities[k]:.1%}", f"{two:.1%}"]
        for name, one, other in zip("AB", cls.sentiments, mean.sentiments, strict=False)
        for k, (label, two) in enumerate(zip(SENTIMENT.labels, other.probabilities, strict=True))
    ]
    if cls.pair is not None and mean.pair is not None:
        a, b = cls.pair, mean.pair
        rows += [
            ["Paraphrase, yes", f"{a.paraphrase:.1%}", f"{b.paraphrase:.1%}"],
            ["Similarity, 0 to 5", f"{a.similarity:.2f}", f"{b.similarity:.2f}"],
            ["Similarity, joint score", f"{a.joint:.2f}", f"{b.joint:.2f}"],
            ["Similarity, Siamese score", f"{a.siamese:.2f}", f"{b.siamese:.2f}"],
        ]
    return twin("Answers of both models", ["Answer", "CLS", "mean"], rows)


def split_twin(split: SimilaritySplit) -> str:
    """Return the cells whose sum is the cosine."""
    return folded(
        map_table(
            f"Parts of the cosine {split.cosine:.4f}: words of A in rows, of B in columns",
            "A ↓ B →",
            split.first.labels,
            split.second.labels,
            split.matrix.tolist(),
            ".4f",
        )
    )


def contributions_twin(splits: Mapping[str, SentimentSplit]) -> str:
    """Return what each word does for each class, a table a sentence."""
    tables = [
        map_table(
            f"Sentence {name}: what each word does for a class",
            "Word",
            split.words.labels,
            SENTIMENT.labels,
            split.relative.tolist(),
            "+.3f",
        )
        for name, split in splits.items()
    ]
    return folded(*tables)


def layers_twin(cosines: Mapping[str, Sequence[float]]) -> str:
    """Return the cosine of A and B after each layer."""
    rows = [
        ["words" if layer == 0 else f"layer {layer}", *(f"{value:.3f}" for value in values)]
        for layer, values in enumerate(zip(*cosines.values(), strict=True))
    ]
    names = ["CLS" if name == "cls" else name for name in cosines]
    return twin("Cosine of A and B after each layer", ["After", *names], rows)
