"""Hard negatives for paraphrase: questions near each other that no duplicate label connects.

A file of duplicates alone teaches "always duplicate"; it needs as many pairs that are none, and
random ones are too easy. The questions of the training files are embedded with the encoder before
fine-tuning, and each takes a partner among its nearest ones that are neither known duplicates of
it, through any chain of labels, nor so near that an unknown duplicate is likely.

Paper: Xiong et al. 2021, "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text
Retrieval", section 4 (negatives from the nearest). Differs from the paper: exact search, one
static encoder, a ceiling on the cosine because unlabelled duplicates are common here, and the
negatives serve a classifier of pairs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from minbert.tables import Example
from trainer.data.course import pair_hash
from trainer.data.treebank import text_key
from trainer.techniques.samplers import mix_seed

ORDER_SEED, PARTNER_SEED = 31, 32
CHUNK = 500  # questions whose cosines to all others are held at once
POOL = 60  # nearest questions that are looked at


@dataclasses.dataclass(frozen=True)
class Questions:
    """Distinct questions, and which of them labels say are the same."""

    texts: list[str]  # Q, the first spelling of each
    groups: Tensor  # (Q,) equal numbers: duplicates, directly or through others


def group_questions(pairs: Iterable[Example]) -> Questions:
    """Collect the distinct questions of labelled pairs, and join duplicates into groups."""
    parents: dict[str, str] = {}
    spelled: dict[str, str] = {}

    def root(key: str) -> str:
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for pair in pairs:
        first, second = (text_key(text) for text in pair.texts)
        for key, text in zip((first, second), pair.texts, strict=True):
            parents.setdefault(key, key)
            spelled.setdefault(key, text)
        if pair.label == 1:
            parents[root(first)] = root(second)
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(root(key), len(numbers)) for key in spelled]
    return Questions(list(spelled.values()), torch.tensor(groups))


def mine(
    questions: Questions,
    embeddings: Tensor,
    forbidden: set[int],
    *,
    size: int,
    nearest: int,
    ceiling: float,
    seed: int,
) -> Iterator[tuple[str, str]]:
    """Yield up to `size` pairs of near questions that no chain of labels connects, each once.

    Args:
        questions: Q of them.
        embeddings: (Q, D), of length 1 each.
        forbidden: `pair_hash` of pairs that may not come out: all dev, test and training pairs.
        size: most pairs.
        nearest: a partner is drawn from so many of the nearest that qualify, at most `POOL`.
        ceiling: cosine from which on a pair is too likely a duplicate nobody labelled.
        seed: of the questions' order and the draws.
    """
    order = shuffled(len(questions.texts), seed)
    generator = torch.Generator().manual_seed(mix_seed(seed, PARTNER_SEED))
    seen = set(forbidden)
    found = 0
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        cosines, others = (embeddings[rows] @ embeddings.T).topk(min(POOL, len(order)), dim=1)
        fits = (cosines < ceiling) & (questions.groups[others] != questions.groups[rows, None])
        for row, partners, allowed in zip(rows.tolist(), others, fits, strict=True):
            candidates = partners[allowed][:nearest]
            if found == size:
                return
            if not len(candidates):
                continue
            drawn = int(torch.randint(len(candidates), (), generator=generator))
            pair = (questions.texts[row], questions.texts[int(candidates[drawn])])
            if pair_hash(pair) not in seen:
                seen.add(pair_hash(pair))
                found += 1
                yield pair


def shuffled(count: int, seed: int) -> Tensor:
    """Return the numbers 0 to `count` - 1 in a seeded order."""
    generator = torch.Generator().manual_seed(mix_seed(seed, ORDER_SEED))
    return torch.randperm(count, generator=generator)
