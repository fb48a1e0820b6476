"""Gradient surgery: PCGrad takes out of a task's gradient what works against another task.

Paper: Yu et al. 2020, "Gradient Surgery for Multi-Task Learning", https://arxiv.org/abs/2001.06782,
algorithm 1. Report: section 4.8. Differs from the paper: nothing. Differs from the report: it
prints no condition; here a gradient is projected only where two conflict, for projecting always
would also take out what they agree on.

Of the shared encoder only: each head keeps its own gradient. With heads in the vectors ||g_j||^2
is too large, and most of a conflict stays. The update is the SUM over tasks of

    g_i^PC = g_i;  for each other task j in random order, if g_i^PC . g_j < 0:
        g_i^PC -= (g_i^PC . g_j / ||g_j||^2) g_j        with g_j as it was before any surgery

Each g_i^PC is a weighted sum of the g_k, so the K x K dot products are all it takes: draw orders,
take the Gram matrix, work out weights, combine. K counts tasks.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

ROUNDING = 1e-12  # a squared norm below this share of what it was is rounding, not gradient


def draw_orders(tasks: int, generator: torch.Generator) -> list[list[int]]:
    """Draw for each of `tasks` tasks a random order of the others.

    Raises:
        ValueError: no tasks.
    """
    if tasks < 1:
        raise ValueError(f"`tasks` should be at least 1. Found {tasks}.")
    orders = []
    for task in range(tasks):
        others = [other for other in range(tasks) if other != task]
        places = torch.randperm(tasks - 1, generator=generator, device=generator.device)
        orders.append([others[place] for place in places.tolist()])
    return orders


def gram_matrix(gradients: Sequence[Sequence[Tensor | None]]) -> Tensor:
    """Return the dot products (K, K) of K task gradients, in float64 and on the CPU.

    Args:
        gradients: for each task a tensor per parameter, any shape; None, where a task has no
            gradient for a parameter, counts as zero.

    Raises:
        ValueError: no tasks, or tasks that list different numbers of parameters.
    """
    check_lengths(gradients)
    tasks = len(gradients)
    parts = []  # a (K, K) per parameter, on the parameter's device: one transfer for all
    for parameter in zip(*gradients, strict=True):
        found = next((gradient for gradient in parameter if gradient is not None), None)
        if found is None:
            continue
        device = "cpu" if found.device.type == "mps" else found.device  # MPS has no float64
        rows = torch.zeros(tasks, found.numel(), dtype=torch.float64, device=device)  # (K, P)
        for row, gradient in zip(rows, parameter, strict=True):
            if gradient is not None:
                row.copy_(gradient.detach().to(device).flatten())
        parts.append(rows @ rows.T)
    if not parts:
        return torch.zeros(tasks, tasks, dtype=torch.float64)
    return torch.stack(parts).sum(dim=0).cpu()


def surgery_weights(gram: Tensor, orders: Sequence[Sequence[int]]) -> Tensor:
    """Return W (K, K), float64, such that g_i^PC = sum_k W[i, k] g_k.

    A gradient of length zero changes no other.

    Args:
        gram: dot products (K, K) of the gradients before surgery.
        orders: for each task the order of the others; the task itself is passed over.

    Raises:
        ValueError: a Gram matrix that isn't square, or orders that don't fit it.
    """
    check_square("gram", gram, len(gram))
    gram = gram.detach().to("cpu", torch.float64)
    weights = torch.eye(len(gram), dtype=torch.float64)
    for task, order in enumerate(others_in_order(orders, len(gram))):
        for other in order:
            product = gram[other] @ weights[task]  # g_i^PC . g_j
            if product < 0 and gram[other, other] > 0:
                weights[task, other] -= product / gram[other, other]
    return weights


def combine(gradients: Sequence[Sequence[Tensor | None]], weights: Tensor) -> list[Tensor | None]:
    """Return the sum over tasks of g_i^PC, a new tensor per parameter.

    A parameter for which no task has a gradient stays without one: a zero that nobody computed
    would be a gradient to weight decay and to momentum.

    Args:
        gradients: as for `gram_matrix`.
        weights: (K, K), from `surgery_weights`.

    Raises:
        ValueError: lengths that differ, or weights of another number of tasks.
    """
    check_lengths(gradients)
    check_square("weights", weights, len(gradients))
    shares: list[float] = weights.sum(dim=0).tolist()  # (K,)
    return [weighted_sum(parameter, shares) for parameter in zip(*gradients, strict=True)]


def weighted_sum(tensors: Sequence[Tensor | None], shares: Sequence[float]) -> Tensor | None:
    """Return the sum of share times tensor over the tensors that are there; None without any."""
    total: Tensor | None = None
    for tensor, share in zip(tensors, shares, strict=True):
        if tensor is not None:
            part = tensor.detach()
            total = part * share if total is None else total.add_(part, alpha=share)
    return total


@dataclasses.dataclass(frozen=True)
class PairStatistics:
    """How two tasks' gradients stood to each other, before and after surgery."""

    conflict: bool  # g_i . g_j < 0, before
    cosine: float | None  # before; None where either gradient is zero or not finite
    cosine_after: float | None  # of g_i^PC and g_j^PC; None too where surgery left nothing of one


def pair_statistics(gram: Tensor, weights: Tensor) -> dict[tuple[int, int], PairStatistics]:
    """Return the statistics of every pair of tasks (i, j), i < j.

    Args:
        gram: dot products (K, K) of the gradients before surgery.
        weights: (K, K), from `surgery_weights`.

    Raises:
        ValueError: matrices that aren't both (K, K).
    """
    check_square("gram", gram, len(gram))
    check_square("weights", weights, len(gram))
    gram, weights = (matrix.detach().to("cpu", torch.float64) for matrix in (gram, weights))
    before: list[list[float]] = gram.tolist()
    after: list[list[float]] = (weights @ gram @ weights.T).tolist()
    squares = [row[task] for task, row in enumerate(before)]
    left = [row[task] for task, row in enumerate(after)]
    left = [
        now if now > ROUNDING * square else 0.0 for now, square in zip(left, squares, strict=True)
    ]
    return {
        (i, j): PairStatistics(
            before[i][j] < 0,
            cosine(before[i][j], squares[i], squares[j]),
            cosine(after[i][j], left[i], left[j]),
        )
        for i, j in itertools.combinations(range(len(gram)), 2)
    }


def cosine(product: float, first_square: float, second_square: float) -> float | None:
    """Return a cosine from a dot product and two squared norms; None where it is undefined."""
    norms = math.sqrt(first_square) * math.sqrt(second_square)
    if norms == 0 or not math.isfinite(product) or not math.isfinite(norms):
        return None
    return min(1.0, max(-1.0, product / norms))


def others_in_order(orders: Sequence[Sequence[int]], tasks: int) -> list[list[int]]:
    """Return the orders with each task left out of its own.

    Raises:
        ValueError: not one order per task, or one that doesn't hold each other task once.
    """
    kept = [[other for other in order if other != task] for task, order in enumerate(orders)]
    wanted = [[other for other in range(tasks) if other != task] for task in range(tasks)]
    if [sorted(order) for order in kept] != wanted:
        raise ValueError(
            f"`orders` should hold, for each of {tasks} tasks, every other task once. "
            f"Found {[list(order) for order in orders]}."
        )
    return kept


def check_lengths(gradients: Sequence[Sequence[Tensor | None]]) -> None:
    """Raise a ValueError unless there are tasks, and all list the same number of parameters."""
    lengths = [len(task) for task in gradients]
    if len(set(lengths)) != 1:
        raise ValueError(
            "`gradients` should hold one entry per parameter, the same number for every task. "
            f"Found {lengths or 'no tasks'}."
        )


def check_square(name: str, matrix: Tensor, tasks: int) -> None:
    """Raise a ValueError unless `matrix` is (K, K)."""
    if matrix.shape != (tasks, tasks):
        raise ValueError(f"`{name}` should be ({tasks}, {tasks}). Found {tuple(matrix.shape)}.")
