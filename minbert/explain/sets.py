"""A set of sentences: embeddings by any pooling, who is near whom, in which order, on which map.

Sources: average linkage is Sokal & Michener 1958, "A statistical method for evaluating systematic
relationships"; turning clusters so that the leaves which meet are alike is Gruvaeus & Wainer
1972, "Two additions to hierarchical cluster analysis"; principal components are Pearson 1901.
Differs: nothing but the rules that make ties and signs deterministic.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.heads import COSINE_EPSILON
from minbert.predictor import Predictor

ROUNDING = 1e-6  # of the longest embedding: smaller differences between embeddings are none


@dataclasses.dataclass(frozen=True)
class Projection:
    """A set of embeddings on its principal components."""

    points: Tensor  # (N, count), centred at 0
    shares: Tensor  # (count,), of the whole variance; zeros where there is none


@dataclasses.dataclass(frozen=True)
class Separation:
    """How much more alike a group's sentences are than those of different groups."""

    within: float | None  # mean cosine of two sentences of one group; None: there are no two
    between: float | None  # of two sentences of different groups


@torch.inference_mode()
def pooled_by(
    predictor: Predictor, texts: Sequence[str], pooling: str, task: str = "similarity"
) -> Tensor:
    """Embed texts with the model's encoder and any pooling, (N, D) on the CPU.

    No head was trained on any pooling but the model's own: such embeddings can be compared with
    each other, and nothing else.

    Args:
        predictor: of a model with any pooling.
        texts: N, which may be none.
        pooling: 'cls', 'pooler', 'mean', 'max', or 'attention' where the model has it.
        task: whose projected attention joins in, where the encoder has any.

    Raises:
        ValueError: an unknown pooling, or 'attention' for a model that was trained without.
    """
    model = predictor.model
    if pooling == "attention" and model.attention_pooling is None:
        raise ValueError(
            "`pooling` can be 'attention' only where its weights were trained. "
            f"Found a model with pooling {model.config.pooling!r}, which has none."
        )
    return predictor.pool(predictor.hidden(predictor.encode_single(texts), task), pooling)


def cosine_matrix(embeddings: Tensor) -> Tensor:
    """Return all cosines of embeddings (N, D): (N, N), symmetric; a zero vector's are 0."""
    unit = F.normalize(embeddings.double(), dim=-1, eps=COSINE_EPSILON)
    cosines = unit @ unit.T
    return ((cosines + cosines.T) / 2).clamp(-1.0, 1.0).float()


def clustered_order(matrix: Tensor) -> list[int]:
    """Order N sentences so that neighbours are alike: the leaves of average-linkage clustering.

    Distance is 1 - cosine. When two clusters join, both are turned so that their most similar
    ends meet. Of equally near clusters those with the lowest numbers join first, and the order
    begins at the end with the lower number.

    Args:
        matrix: cosines, (N, N), symmetric; N may be 0.

    Returns:
        each of 0 to N-1 once.

    Raises:
        ValueError: not a square matrix of finite numbers.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.isfinite().all():
        raise ValueError(
            "`matrix` should be a square matrix of finite cosines. "
            f"Found shape {tuple(matrix.shape)}, {int(matrix.isfinite().sum())} values finite."
        )
    cosines = matrix.double().cpu().numpy()
    distances = 1.0 - cosines
    np.fill_diagonal(distances, np.inf)
    clusters = {row: [row] for row in range(len(cosines))}  # first row -> leaves in order
    for _ in range(len(cosines) - 1):
        low, high = sorted(divmod(int(distances.argmin()), len(cosines)))
        a, b = len(clusters[low]), len(clusters[high])
        merged = (a * distances[low] + b * distances[high]) / (a + b)
        distances[low], distances[:, low] = merged, merged
        distances[high], distances[:, high] = np.inf, np.inf
        distances[low, low] = np.inf
        clusters[low] = joined(clusters[low], clusters.pop(high), cosines)
    order = next(iter(clusters.values()), [])
    return order if not order or order[0] <= order[-1] else order[::-1]


def joined(first: list[int], second: list[int], cosines: np.ndarray) -> list[int]:
    """Join two rows of leaves, each turned so that the most similar of their ends meet."""
    turns = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    a, b = max(turns, key=lambda turn: cosines[turn[0][-1], turn[1][0]])
    return a + b


def principal_components(embeddings: Tensor, count: int = 2) -> Projection:
    """Project embeddings on their first principal components, by a singular value decomposition.

    A component's sign is fixed: its largest loading is positive. Components beyond the
    embeddings' rank are zeros, as are all for one embedding or equal ones.

    Args:
        embeddings: (N, D), N at least 1.
        count: components.

    Raises:
        ValueError: no embeddings, or no components asked for.
    """
    if embeddings.ndim != 2 or not embeddings.shape[0] or count < 1:
        raise ValueError(
            "`embeddings` should be (N, D) with N at least 1, and `count` at least 1. "
            f"Found shape {tuple(embeddings.shape)} and {count}."
        )
    values = embeddings.detach().cpu().double()
    left, sizes, axes = torch.linalg.svd(values - values.mean(dim=0), full_matrices=False)
    sizes = sizes.where(sizes > ROUNDING * values.norm(dim=1).max(), 0.0)
    loadings = axes.abs()
    largest = loadings >= (1 - ROUNDING) * loadings.amax(dim=1, keepdim=True)
    first = largest.int().argmax(dim=1, keepdim=True)  # (min(N, D), 1); of equal ones the first
    signs = axes.gather(1, first).sign().squeeze(1)
    points = left * sizes * signs  # (N, min(N, D))
    shares = sizes**2 / (sizes**2).sum().clamp(min=torch.finfo(torch.float64).tiny)
    missing = max(0, count - len(sizes))
    return Projection(
        F.pad(points[:, :count], (0, missing)).float(), F.pad(shares[:count], (0, missing)).float()
    )


def group_separation(matrix: Tensor, groups: Sequence[str]) -> Separation:
    """Compare cosines within groups with those between them; a sentence with itself isn't counted.

    Args:
        matrix: cosines, (N, N).
        groups: N names.

    Raises:
        ValueError: not as many names as rows.
    """
    if len(groups) != len(matrix):
        raise ValueError(
            f"`groups` should name the group of each of {len(matrix)} rows. Found {len(groups)}."
        )
    same = torch.tensor([[a == b for b in groups] for a in groups], dtype=torch.bool)
    same = same.reshape(matrix.shape)
    pairs = torch.ones_like(same).triu(diagonal=1)
    within, between = matrix[same & pairs], matrix[~same & pairs]
    return Separation(
        *(found.mean().item() if found.numel() else None for found in (within, between))
    )
