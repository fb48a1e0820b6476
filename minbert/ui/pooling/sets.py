"""The pooling lab's sets: up to 50 sentences compared under two poolings; reading and embedding."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from minbert.explain import (
    Separation,
    clustered_order,
    cosine_matrix,
    group_separation,
    pooled_by,
    principal_components,
)
from minbert.predictor import Predictor
from minbert.serving import bulk_work
from minbert.ui.engine import Engine
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import InputError

TEXTS = texts_of(__package__)
MOST_SENTENCES = 50
LONGEST_SENTENCE = 2_000  # characters; the model reads far fewer
LONGEST_GROUP = 20
AT_ONCE = 8  # sentences in one piece of model work, so that nobody waits long behind it
QUICK_SET = 24  # a larger set stands back behind quick questions and shows progress
NEIGHBOURS = 3
GROUP_MARK = "|"
SETS_FILE = Path(__file__).with_name("sentence_sets.json")


@dataclasses.dataclass(frozen=True)
class Way:
    """One way from a sentence to one vector: which model, which pooling."""

    label: str
    short: str
    model: str  # "cls" or "mean", a short name of the engine's
    pooling: str


WAYS = {
    "cls": Way("CLS (the CLS model)", "CLS", "cls", "cls"),
    "mean": Way("mean (the mean model)", "mean", "mean", "mean"),
    "max": Way("max (encoder of the mean model)", "max", "mean", "max"),
    "pooler": Way("pooler (encoder of the mean model)", "pooler", "mean", "pooler"),
    "first": Way("first token (encoder of the mean model)", "first token", "mean", "cls"),
    "attention": Way("attention (the mean model's own)", "attention", "mean", "attention"),
}
ENCODERS = {  # of your own first model: way, pooling that any encoder can do
    **{"averaged": "mean", "max": "max", "pooler": "pooler", "first": "cls"},
}
WORTH = TEXTS.by_name("sets.worth")  # of a way, where there is more to know than its name
NO_ATTENTION, UNTRAINED = TEXTS["sets.no_attention"], TEXTS["sets.untrained"]


@dataclasses.dataclass(frozen=True)
class SentenceSet:
    """A set of our own, as the page offers it."""

    name: str
    about: str
    text: str  # a line a sentence, its group in front


@dataclasses.dataclass(frozen=True)
class Compared:
    """N sentences under one pooling; plain values, since a visit keeps them."""

    way: str  # a key of `offered`
    matrix: list[list[float]]  # (N, N) cosines
    points: list[list[float]]  # (N, 2)
    shares: list[float]  # 2: of the variance
    separation: Separation
    own: Way | None = None  # of a model of your own; None: `WAYS` has it

    @property
    def shown(self) -> Way:
        """Return how the side is named."""
        return self.own or WAYS[self.way]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A set under two poolings."""

    sentences: tuple[str, ...]  # N
    groups: tuple[str, ...]  # N; empty where none is named
    sides: tuple[Compared, Compared]
    orders: tuple[list[int], list[int], list[int]]  # of each side, and of both together

    @property
    def named(self) -> list[str]:
        """Return the groups' names in the order of the lines."""
        return [name for name in dict.fromkeys(self.groups) if name]


def read_sets() -> list[SentenceSet]:
    """Return our own sets."""
    stored = json.loads(SETS_FILE.read_text(encoding="utf-8"))
    return [
        SentenceSet(
            one["name"],
            one["about"],
            "\n".join(f"{group} {GROUP_MARK} {text}" for group, text in one["sentences"]),
        )
        for one in stored
    ]


def offered(engine: Engine) -> dict[str, Way]:
    """Return the poolings that these checkpoints can do: each model's own, then the first's."""
    trained = engine.mean.model.attention_pooling is not None
    if not engine.own:
        return {name: way for name, way in WAYS.items() if name != "attention" or trained}
    ways = {}
    for slot, called in engine.names.items():
        pooling = engine.answering[slot].config.pooling
        ways[slot] = Way(f"{called} (that model's own)", called, slot, pooling)
    own = engine.mean.config.pooling
    for name, pooling in ENCODERS.items():
        if pooling != own:
            short = WAYS[name].short if name in WAYS else name
            ways[name] = Way(f"{short} (encoder of the first model)", short, "mean", pooling)
    return ways


def read_lines(text: str, engine: Engine) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences of a box and their groups; blank lines don't count.

    Raises:
        InputError: too few or too many, or a line that can't be read.
    """
    source = io.StringIO(text or "", newline=None)  # str.splitlines cuts at U+2028 too
    lines = [line.strip() for line in source]
    kept = [(number, line) for number, line in enumerate(lines, start=1) if line]
    if not 2 <= len(kept) <= MOST_SENTENCES:
        raise InputError(
            f"A set should have 2 to {MOST_SENTENCES} sentences, one a line. Found {len(kept)}."
        )
    sentences, groups = [], []
    for number, line in kept:
        group, mark, sentence = (part.strip() for part in line.partition(GROUP_MARK))
        if not mark:
            group, sentence = "", group
        if len(sentence) > LONGEST_SENTENCE:
            raise InputError(
                f"Line {number} has {len(sentence):,} characters. "
                f"The limit is {LONGEST_SENTENCE:,}; shorten it."
            )
        if not sentence or engine.mean.count_tokens(sentence).tokens == 2:
            raise InputError(f"Line {number} has no words to read. Type some, or delete the line.")
        sentences.append(sentence)
        groups.append(group[:LONGEST_GROUP])
    return tuple(sentences), tuple(groups)


def embed_in_steps(
    predictor: Predictor, sentences: Sequence[str], pooling: str
) -> Iterator[Tensor]:
    """Yield the embeddings of the next few sentences, (up to 8, D), until all are done."""
    for start in range(0, len(sentences), AT_ONCE):
        texts = sentences[start : start + AT_ONCE]
        if len(sentences) <= QUICK_SET:
            found = pooled_by(predictor, texts, pooling)
        else:
            with bulk_work():
                found = pooled_by(predictor, texts, pooling)
        yield found


def compare_in_steps(
    engine: Engine, sentences: tuple[str, ...], groups: tuple[str, ...], ways: tuple[str, str]
) -> Iterator[int | Comparison]:
    """Yield how many embeddings are made (of twice N), and at the end the comparison."""
    embeddings: list[Tensor] = []
    done, known = 0, offered(engine)
    for name in ways:
        way, parts = known[name], []
        for part in embed_in_steps(engine.answering[way.model], sentences, way.pooling):
            parts.append(part)
            done += len(part)
            yield done
        embeddings.append(torch.cat(parts))
    matrices = [cosine_matrix(found) for found in embeddings]
    sides = [
        compared(name, found, matrix, groups)
        for name, found, matrix in zip(ways, embeddings, matrices, strict=True)
    ]
    if engine.own:
        sides = [dataclasses.replace(side, own=known[side.way]) for side in sides]
    orders = [clustered_order(matrix) for matrix in (*matrices, (matrices[0] + matrices[1]) / 2)]
    yield Comparison(sentences, groups, (sides[0], sides[1]), (orders[0], orders[1], orders[2]))


def compared(way: str, embeddings: Tensor, matrix: Tensor, groups: Sequence[str]) -> Compared:
    """Return one side of a comparison; sentences without a group aren't counted in the groups."""
    projection = principal_components(embeddings)
    kept = [place for place, group in enumerate(groups) if group]
    inner = matrix[kept][:, kept]
    return Compared(
        way,
        matrix.tolist(),
        projection.points.tolist(),
        projection.shares.tolist(),
        group_separation(inner, [groups[place] for place in kept]),
    )
