"""What a person wants to see of an attention map: a direction, words, the strongest part.

Nothing is renormalised: what stays has the weights that the model used, and `shown` says how much
of each row's attention they are. Words are merged as `minbert.explain.words` says.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from minbert.answers import AttentionResult
from minbert.config import choice_error
from minbert.explain.heads_summary import CLS, SEP
from minbert.explain.words import group_tokens, merge_attention

ROUNDING = 1e-6  # of a map's sum, in float32
DIRECTIONS: dict[str, tuple[int | None, int | None]] = {  # segments of rows, of columns
    "all": (None, None),
    "A->A": (0, 0),
    "A->B": (0, 1),
    "B->A": (1, 0),
    "B->B": (1, 1),
}


@dataclasses.dataclass(frozen=True)
class AttentionView:
    """Part of the maps of L layers and H heads: R rows look at C columns."""

    rows: tuple[str, ...]  # R, who looks
    columns: tuple[str, ...]  # C, what is looked at
    weights: Tensor  # (L, H, R, C), not renormalised
    row_entries: tuple[int, ...]  # R, which of the whole map's tokens (or words) they are
    column_entries: tuple[int, ...]  # C

    @property
    def shown(self) -> Tensor:
        """Return how much of each row's attention is shown, (L, H, R), 1 for a whole row."""
        return self.weights.sum(dim=-1)


def view_attention(
    result: AttentionResult,
    *,
    direction: str = "all",
    hide_specials: bool = False,
    words: bool = False,
    top: float = 100.0,
) -> AttentionView:
    """Cut a view out of the maps that `Predictor.attention` gave.

    Args:
        result: one sentence's maps, or a joint pair's.
        direction: one of `DIRECTIONS`; [CLS] and the first [SEP] belong to A, the last one to B.
        hide_specials: leave out the rows and columns of [CLS] and [SEP].
        words: merge word pieces into words.
        top: per cent, above 0: of each map keep the largest weights that together hold so much of
            what the view shows of it; the others become 0.

    Raises:
        ValueError: an unknown direction, one that needs a pair, or a `top` out of range.
    """
    if direction not in DIRECTIONS:
        raise choice_error("direction", direction, tuple(DIRECTIONS))
    if 1 in DIRECTIONS[direction] and 1 not in result.segments:
        raise ValueError(
            f"`direction` {direction!r} needs a pair's maps. Found those of one sentence."
        )
    special = [token in (CLS, SEP) for token in result.tokens]
    grouped = group_tokens(result.tokens, special, pieces=not words)
    weights = merge_attention(result.weights, grouped.groups) if words else result.weights
    segments = [result.segments[group[0]] for group in grouped.groups]

    def kept(segment: int | None) -> list[int]:
        return [
            entry
            for entry, of in enumerate(segments)
            if segment in (None, of) and not (hide_specials and entry in grouped.specials)
        ]

    rows, columns = (kept(segment) for segment in DIRECTIONS[direction])
    return AttentionView(
        rows=tuple(grouped.labels[entry] for entry in rows),
        columns=tuple(grouped.labels[entry] for entry in columns),
        weights=strongest(weights[..., rows, :][..., columns], top),
        row_entries=tuple(rows),
        column_entries=tuple(columns),
    )


def strongest(maps: Tensor, top: float) -> Tensor:
    """Keep the fewest weights of each map (..., R, C) that hold `top` per cent of its sum.

    Of equal weights the first ones stay.

    Raises:
        ValueError: not above 0 and at most 100.
    """
    if not 0.0 < top <= 100.0:
        raise ValueError(f"`top` should lie above 0 and at most at 100 per cent. Found {top}.")
    if top == 100.0 or not maps.numel():
        return maps
    flat = maps.flatten(start_dim=-2)  # (..., R * C)
    ordered, order = flat.double().sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered  # the sum of all that is stronger
    total = ordered.sum(dim=-1, keepdim=True)
    enough = before >= (top / 100 - ROUNDING) * total  # so much is held without it
    kept = ordered.masked_fill(enough, 0.0).to(maps.dtype)
    return torch.zeros_like(flat).scatter(-1, order, kept).reshape(maps.shape)
