"""Distillation: a student learns from a teacher's soft labels, beside gold labels or alone.

Paper: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network",
https://arxiv.org/abs/1503.02531, section 2: both models' logits are divided by a temperature T,
the soft loss is multiplied by T^2, so that its gradients keep their size at any T, and a weighted
average of it and the loss against the gold label is minimised.

Differs from the paper: Kullback-Leibler divergence in place of cross entropy, which has the same
gradients and is 0 where both models agree; a yes or no has a sigmoid in place of the softmax (its
two classes' logits are z and 0); a score has no temperature: the squared error against the
teacher's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]
SoftLoss = Callable[[Tensor, Tensor, float], Tensor]


def soft_classes(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the mean over rows of T^2 KL(teacher || student), both softened by T.

    Args:
        logits: the student's (B, C).
        teacher: the teacher's (B, C).
        temperature: T, above 0.
    """
    student = F.log_softmax(logits.float() / temperature, dim=-1)
    wanted = F.log_softmax(teacher.float() / temperature, dim=-1)
    divergence = F.kl_div(student, wanted, reduction="batchmean", log_target=True)
    return temperature**2 * divergence


def soft_yes_or_no(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the same for logits (B,) of one yes or no."""
    return soft_classes(two_classes(logits), two_classes(teacher), temperature)


def two_classes(logits: Tensor) -> Tensor:
    """Return logits (B, 2), no before yes, whose softmax is the sigmoid of logits (B,)."""
    return torch.stack([torch.zeros_like(logits), logits], dim=-1)


def soft_scores(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:  # noqa: ARG001 - one form for all
    """Return the mean squared error of scores (B,) against the teacher's; without temperature."""
    return torch.mean((scores.float() - teacher.float()) ** 2)


SOFT_LOSSES: dict[str, SoftLoss] = {
    "sentiment": soft_classes,
    "paraphrase": soft_yes_or_no,
    "similarity": soft_scores,
}


def mixed_loss(
    gold_loss: Loss, soft_loss: Loss, output: Tensor, labels: Tensor, soft: Tensor, weight: float
) -> Tensor:
    """Return the mean over rows of weight * soft + (1 - weight) * gold; alone what a row has.

    Args:
        gold_loss: mean over rows of outputs against gold labels.
        soft_loss: mean over rows of outputs against soft labels.
        output: (B,) or (B, C).
        labels: gold labels (B,), NaN where a row has none.
        soft: the teacher's outputs, of the shape of `output`, NaN where a row has none.
        weight: of the soft loss where a row has both, 0 to 1.

    Raises:
        ValueError: a row that has neither.
    """
    has_gold = ~labels.isnan()
    has_soft = ~soft.flatten(start_dim=1).isnan().any(dim=1) if soft.dim() > 1 else ~soft.isnan()
    if not bool((has_gold | has_soft).all()):
        raise ValueError(
            "`labels` and `soft` should give each row at least one label. Found "
            f"{int((~has_gold & ~has_soft).sum())} rows without; leave them out."
        )
    total = output.new_zeros((), dtype=torch.float32)
    for rows, share in (
        (has_gold & ~has_soft, 0.0),
        (has_gold & has_soft, weight),
        (~has_gold, 1.0),
    ):
        if not rows.any():
            continue
        part = total.new_zeros(())
        if share < 1:
            part = part + (1 - share) * gold_loss(output[rows], labels[rows])
        if share > 0:
            part = part + share * soft_loss(output[rows], soft[rows])
        total = total + rows.float().mean() * part
    return total
