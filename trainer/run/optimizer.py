"""AdamW for phase 2: matrices alone decay, and each layer may have a learning rate of its own.

Layer-wise decay: Howard & Ruder 2018, "Universal Language Model Fine-tuning", section 3.2
(discriminative fine-tuning); the geometric form is Clark et al. 2020, "ELECTRA", appendix B.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from minbert.config import BertConfig
from trainer.config import TrainConfig

_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")


def depth_of(name: str, layers: int) -> int:
    """Return how deep a parameter lies: embeddings 0, layer k (1-based) k, all above `layers` + 1.

    Args:
        name: of the model's parameter.
        layers: of the encoder.
    """
    if name.startswith("encoder.embeddings."):
        return 0
    found = _LAYER.match(name)
    return int(found[1]) + 1 if found else layers + 1


def make_optimizer(
    trained: dict[str, nn.Parameter], config: TrainConfig, encoder: BertConfig
) -> torch.optim.Optimizer:
    """Return AdamW that decays matrices alone.

    Every group has a `scale`, by which the step's learning rate is multiplied: `layer_decay` to
    the power of the distance from the heads.
    """
    layers = encoder.num_hidden_layers
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in trained.items():
        scale = config.layer_decay ** (layers + 1 - depth_of(name, layers))
        groups.setdefault((scale, parameter.dim() > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "weight_decay": config.weight_decay if wide else 0.0,
                "scale": scale,
            }
            for (scale, wide), parameters in groups.items()
        ],
        lr=config.learning_rate,
        fused=True,
    )


def optimizer_state(
    optimizer: torch.optim.Optimizer, trained: dict[str, nn.Parameter]
) -> dict[str, Tensor]:
    """Return AdamW's tensors by name, for a run's state; what no loss has reached has none."""
    return {
        f"adamw.{key}.{name}": value
        for name, parameter in trained.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer,
    trained: dict[str, nn.Parameter],
    tensors: dict[str, Tensor],
) -> None:
    """Continue with the tensors that `optimizer_state` returned, each where its parameter is."""
    for name, parameter in trained.items():
        if f"adamw.step.{name}" in tensors:
            optimizer.state[parameter] = {
                key: tensors[f"adamw.{key}.{name}"].to(parameter.device)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
