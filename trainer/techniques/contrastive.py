"""SimCSE: a sentence seen through two dropout masks should stay closer to itself than to others.

Paper: Gao et al. 2021, "SimCSE: Simple Contrastive Learning of Sentence Embeddings",
https://arxiv.org/abs/2104.08821, section 3. Report: section 4.6, formula (1). `nt_xent` is the
report's form, over 2N views; `in_batch` is the paper's and its code's, N x N.

Differs from the paper: two rows of a batch that hold the same sentence are no negatives of each
other where `same` says so, as the trainer does by default.

The two views (N, D) are embeddings of one batch, encoded twice in training mode. N counts
sentences; one sentence alone has no negatives, and its loss is 0 in both forms.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

TEMPERATURE = 0.05

ContrastiveLoss = Callable[..., Tensor]


def nt_xent(
    first: Tensor, second: Tensor, *, temperature: float = TEMPERATURE, same: Tensor | None = None
) -> Tensor:
    """Return the mean over all 2N anchors of -log(e^(s_ij) / sum_(k != i) e^(s_ik)).

    s is cosine over temperature, in float32 whatever the views are; j is i's other view, k any
    view but i itself.

    Args:
        first: embeddings (N, D) under one dropout mask.
        second: embeddings (N, D) of the same sentences under another.
        temperature: above 0.
        same: boolean (N, N), true where two different rows hold one sentence: no negatives of
            each other. Its diagonal says nothing. None: all other rows are negatives.

    Raises:
        ValueError: views that don't match or are empty, or a bad `temperature` or `same`.
    """
    check_views(first, second, temperature, same)
    count = len(first)
    views = torch.cat([first, second])  # (2N, D)
    itself = torch.eye(2 * count, dtype=torch.bool, device=views.device)
    hidden = itself if same is None else itself | other_rows(same).repeat(2, 2)
    logits = cosines(views, views) / temperature  # (2N, 2N)
    partner = torch.arange(2 * count, device=views.device).roll(count)
    return F.cross_entropy(logits.masked_fill(hidden, -torch.inf), partner)


def in_batch(
    first: Tensor, second: Tensor, *, temperature: float = TEMPERATURE, same: Tensor | None = None
) -> Tensor:
    """Return the mean over the N first views of -log(e^(s_ii) / sum_k e^(s_ik)).

    s_ik is the cosine of first view i and second view k over temperature, in float32 whatever
    the views are.

    Args:
        first: embeddings (N, D) under one dropout mask.
        second: embeddings (N, D) of the same sentences under another.
        temperature: above 0.
        same: as for `nt_xent`.

    Raises:
        ValueError: views that don't match or are empty, or a bad `temperature` or `same`.
    """
    check_views(first, second, temperature, same)
    logits = cosines(first, second) / temperature  # (N, N)
    if same is not None:
        logits = logits.masked_fill(other_rows(same), -torch.inf)
    return F.cross_entropy(logits, torch.arange(len(first), device=first.device))


CONTRASTIVE_LOSSES: dict[str, ContrastiveLoss] = {"nt_xent": nt_xent, "in_batch": in_batch}


def same_sentences(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return (N, N), true where two different rows hold the same tokens; padding is ignored.

    Args:
        input_ids: (N, T), padded on the right.
        attention_mask: (N, T), 1 on real tokens.
    """
    ids = input_ids.masked_fill(attention_mask == 0, -1)
    return other_rows((ids[:, None] == ids[None, :]).all(dim=-1))


def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosines (N, M) of the rows of (N, D) and (M, D), in float32 under autocast too."""
    with torch.autocast(first.device.type, enabled=False):
        return F.normalize(first.float(), dim=-1) @ F.normalize(second.float(), dim=-1).T


def other_rows(same: Tensor) -> Tensor:
    """Return a copy of a boolean (N, N) with a false diagonal."""
    return same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)


def check_views(first: Tensor, second: Tensor, temperature: float, same: Tensor | None) -> None:
    """Raise a ValueError for what neither loss can be worked out from."""
    if first.dim() != 2 or first.shape != second.shape or len(first) < 1:
        raise ValueError(
            "`first` and `second` should be two views (N, D) of at least one sentence. "
            f"Found {tuple(first.shape)} and {tuple(second.shape)}."
        )
    if not temperature > 0:
        raise ValueError(f"`temperature` should be above 0. Found {temperature}.")
    count = len(first)
    if same is not None and (same.dtype != torch.bool or same.shape != (count, count)):
        raise ValueError(
            f"`same` should be a boolean tensor ({count}, {count}). "
            f"Found {same.dtype} {tuple(same.shape)}."
        )
