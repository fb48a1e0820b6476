"""Training that breaks down stops where it does: the place, the number found, the likely cause.

A loss that isn't finite, or that no healthy model has, and gradients that aren't finite. What is
looked at is computed anyway: the losses that are logged, the norm that clipping returns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

LARGEST_LOSS = 1e4  # a constant answer's cross entropy is below 12, its squared error below 26
LARGEST_WEIGHT = 1e3  # a trained encoder's are below 20


class DivergedError(ValueError):
    """Training that can't go on; the message says where it broke down and what to change."""


def check_losses(
    losses: Mapping[str, float], parameters: Mapping[str, Tensor], where: str, rate: str
) -> None:
    """Check a step's losses, by name.

    Args:
        losses: as they are logged.
        parameters: the trained ones, searched for the cause when a loss is wrong.
        where: the task and the step, for the message.
        rate: the setting of the learning rate and its value, such as `learning_rate` 1e-05.

    Raises:
        DivergedError: one isn't finite, or larger than any that a model learns from.
    """
    for name, value in losses.items():
        if not math.isfinite(value) or value > LARGEST_LOSS:
            raise DivergedError(
                f"The {name} of {where} should be a finite number up to {LARGEST_LOSS:,.0f}. "
                f"Found {value:g}; {likely_cause(parameters, rate)}"
            )


def check_gradients(norm: Tensor, parameters: Mapping[str, Tensor], where: str, rate: str) -> None:
    """Check the norm of a step's gradients, before the step is taken with them.

    The arguments are those of `check_losses`, but for `norm`, a scalar.

    Raises:
        DivergedError: it isn't finite.
    """
    if math.isfinite(norm):
        return
    wrong = [
        name
        for name, parameter in parameters.items()
        if parameter.grad is not None and not parameter.grad.isfinite().all()
    ]
    place = wrong[0] if wrong else "all parameters together"
    raise DivergedError(
        f"The gradients of {where} should be finite numbers. Found {norm.item():g} as the norm, "
        f"NaN or infinity at {place}; {likely_cause(parameters, rate)}"
    )


def likely_cause(parameters: Mapping[str, Tensor], rate: str) -> str:
    """Say what probably made training break down, from the weights as they are now."""
    lower = f"The likely cause is {rate}: train with a lower one."
    largest, name = 0.0, ""
    for each, parameter in parameters.items():
        size = parameter.detach().abs().max().item()
        if not math.isfinite(size):
            return f"{each} holds NaN or infinity. {lower}"
        if size > largest:
            largest, name = size, each
    if largest > LARGEST_WEIGHT:
        return f"{name} has grown to {largest:,.0f}. {lower}"
    return (
        f"the weights are finite, and at most {largest:.3g} ({name}). The likely cause is "
        f"{rate}, or a label that is no number: train with a lower one, or with --precision fp32, "
        "and look at the labels."
    )
