"""Tables beside the figures of the pooling lab: the same numbers as text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from minbert.explain import SentimentSplit, SimilaritySplit
from minbert.tasks import SENTIMENT
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.tables import map_table, table


def split_table(split: SimilaritySplit) -> str:
    """Return the cells whose sum is the cosine."""
    return map_table(
        f"Parts of the cosine {split.cosine:.4f}: words of A in rows, of B in columns",
        "A ↓ B →",
        split.first.labels,
        split.second.labels,
        split.matrix.tolist(),
        ".4f",
    )


def contributions_table(splits: Mapping[str, SentimentSplit]) -> str:
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
    return "".join(tables)


def layers_table(
    cosines: Mapping[str, Sequence[float]], names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Return the cosine of A and B after each layer; a dash where a model has no such layer."""
    rows = [
        [
            "words" if layer == 0 else f"layer {layer}",
            *("–" if value is None else f"{value:.3f}" for value in values),
        ]
        for layer, values in enumerate(itertools.zip_longest(*cosines.values()))
    ]
    heads = [names[name] for name in cosines]
    return table("Cosine of A and B after each layer", ["After", *heads], rows)
