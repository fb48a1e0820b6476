"""Projected attention layers (PALs): a small task-specific attention beside each layer.

Paper: Stickland & Murray 2019, "BERT and PALs: Projected Attention Layers for Efficient Adaptation
in Multi-Task Learning" (arXiv 1902.02671), section 3: the task's function is computed from
the layer's input h and added inside its last layer norm, h' = LN(h + SA(h) + TS(h)) with
TS(h) = V_D MH(V_E h). Differs from the paper: V_D starts at zero, so that added PALs change
nothing until they are trained, and there are as many heads as the encoder has. Differs from the
authors' code: no GELU and no bias around V_D, which the formula doesn't have either.
"""

from __future__ import annotations

import dataclasses
import math

from torch import Tensor, nn

from minbert.attention import SelfAttention
from minbert.config import BertConfig
from minbert.packing import Packing

PAPER_SIZE, PAPER_HIDDEN_SIZE = 204, 768


def pal_size_for(hidden_size: int, heads: int) -> int:
    """Scale the paper's size, 204 at D = 768, to `hidden_size`: a multiple of `heads`.

    The nearest multiple, the smaller of two that are equally near, and one unit per head at
    least: 204 for BERT-base, 96 for all-MiniLM-L6-v2 (D = 384, H = 12; between 96 and 108).
    """
    units = PAPER_SIZE / PAPER_HIDDEN_SIZE * hidden_size / heads  # of each head
    return heads * max(1, math.ceil(units - 0.5))


class ProjectedAttention(nn.Module):
    """One task's TS: V_E and V_D are shared by all layers, the attention is each layer's own."""

    def __init__(self, config: BertConfig, size: int) -> None:
        """Create the task's weights: V_D zero, all others normal as the encoder's, biases zero.

        Args:
            config: of the encoder beside which it works.
            size: d_s, units of the projected attention.

        Raises:
            ValueError: a size that is not a positive multiple of the encoder's heads.
        """
        super().__init__()
        if size < 1 or size % config.num_attention_heads:
            raise ValueError(
                f"`size` should be a positive multiple of the encoder's "
                f"{config.num_attention_heads} heads. Found {size}."
            )
        self.size = size
        narrow = dataclasses.replace(config, hidden_size=size)
        self.down = nn.Linear(config.hidden_size, size, bias=False)  # V_E
        self.attentions = nn.ModuleList(
            SelfAttention(narrow) for _ in range(config.num_hidden_layers)
        )
        self.up = nn.Linear(size, config.hidden_size, bias=False)  # V_D
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=config.initializer_range)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.up.weight)

    def forward(
        self, hidden: Tensor, mask: Tensor, layer: int, packing: Packing | None = None
    ) -> Tensor:
        """Return TS(h), (B, T, D), which the layer adds before its last layer norm.

        Args:
            hidden: the layer's input, (B, T, D).
            mask: additive, (B, 1, 1, T).
            layer: 0-based.
            packing: of `hidden` and what is returned, where they are (S, D).
        """
        context, _ = self.attentions[layer](self.down(hidden), mask, packing)  # (B, T, d_s)
        added: Tensor = self.up(context)
        return added
