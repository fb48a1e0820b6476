"""From word pieces to words: which pieces make a word, and how their values merge.

Contributions sum, so that a split keeps its total. Attention follows Clark et al. 2019, "What
Does BERT Look At?" (arXiv 1906.04341), section 4.1: attention to a word is summed over its pieces,
attention from a word is averaged over them, so that each row still sums to 1. Differs: nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from minbert.text import Encoded, Tokenizer

CONTINUED = "##"  # how the vocabulary marks a word's later pieces


@dataclasses.dataclass(frozen=True)
class Words:
    """The W words of one encoder input, in their order; a repeated word has an entry each time."""

    labels: tuple[str, ...]  # W spellings, as the model reads them
    groups: tuple[tuple[int, ...], ...]  # W groups of token positions; together each of T once
    specials: tuple[int, ...] = ()  # entries that are [CLS] or [SEP], not something written

    def __len__(self) -> int:
        """Return W."""
        return len(self.labels)

    @property
    def sentences(self) -> tuple[tuple[int, ...], ...]:
        """Return each sentence's entries, those between two special tokens: one, or A's and B's."""
        return tuple(tuple(range(a + 1, b)) for a, b in itertools.pairwise(self.specials))


def words_of(item: Encoded, tokenizer: Tokenizer, *, pieces: bool = False) -> Words:
    """Group an encoded input's tokens into words.

    A word's later pieces join its first one. [CLS] and [SEP] stay entries of their own and are
    told by their ids: somebody's typed "[SEP]" is read as three words, see `Tokenizer`.

    Args:
        item: one sentence or a joint pair, as it was encoded.
        tokenizer: that encoded it.
        pieces: keep every piece as an entry of its own, spelt with its `##`.
    """
    special = [index in (tokenizer.cls_id, tokenizer.sep_id) for index in item.ids]
    return group_tokens(tokenizer.tokens(item.ids), special, pieces=pieces)


def group_tokens(
    tokens: Sequence[str], special_tokens: Sequence[bool], *, pieces: bool = False
) -> Words:
    """Group T tokens into words, as `words_of` does; `special_tokens` (T) says which those are."""
    labels: list[str] = []
    groups: list[list[int]] = []
    specials: list[int] = []
    for position, (token, special) in enumerate(zip(tokens, special_tokens, strict=True)):
        after_word = bool(labels) and len(labels) - 1 not in specials
        if token.startswith(CONTINUED) and after_word and not pieces:
            labels[-1] += token.removeprefix(CONTINUED)
            groups[-1].append(position)
            continue
        if special:
            specials.append(len(labels))
        labels.append(token)
        groups.append([position])
    return Words(tuple(labels), tuple(map(tuple, groups)), tuple(specials))


def _membership(groups: Sequence[Sequence[int]], like: Tensor) -> Tensor:
    """Return (W, T) with 1 where a token belongs to a word."""
    members = torch.zeros(len(groups), sum(len(group) for group in groups))
    for row, group in enumerate(groups):
        members[row, list(group)] = 1
    return members.to(like)


def merge_sum(values: Tensor, groups: Sequence[Sequence[int]], dim: int = 0) -> Tensor:
    """Sum contributions of tokens into contributions of words.

    Args:
        values: (..., T, ...), T at `dim`.
        groups: W groups that hold each of the T positions once.
        dim: the tokens' dimension.

    Returns:
        (..., W, ...) with the same total.
    """
    members = _membership(groups, values)
    merged: Tensor = torch.tensordot(members, values, dims=([1], [dim]))  # (W, ...)
    return merged.movedim(0, dim)


def merge_attention(maps: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """Merge attention maps (..., T, T) into (..., W, W): columns summed, then rows averaged.

    Rows that sum to 1 still do.
    """
    members = _membership(groups, maps)
    columns = maps @ members.T  # (..., T, W)
    return (members / members.sum(dim=1, keepdim=True)) @ columns
