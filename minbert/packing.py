"""Training without padding in the linear layers.

Paper: Zeng et al. 2022, "Boosting Distributed Training Performance of the Unpadded BERT Model"
(arXiv 2208.08124), section 4: the real tokens of a batch stand behind one another as the rows of
one matrix. Differs from the paper: attention, a small part here, sees the padded batch again, not
groups of inputs that are equally long.

`minbert.backends.unpadded` is the same for scoring, with groups, without gradients and dropout.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

LEAST_PADDING = 0.05  # share of a batch from which leaving it out gains more than it costs


@dataclasses.dataclass(frozen=True)
class Packing:
    """Where the S real tokens of a padded batch (B, T) are."""

    places: Tensor  # (S,), each token's place among the B * T
    batch: int
    length: int

    def packed(self, padded: Tensor) -> Tensor:
        """Return the real tokens' rows, (S, D), of (B, T, D)."""
        return padded.flatten(0, 1).index_select(0, self.places)

    def padded(self, packed: Tensor) -> Tensor:
        """Put rows (S, D) back in their places: (B, T, D), zeros where padding is."""
        places = packed.new_zeros(self.batch * self.length, packed.shape[1])
        return places.index_copy(0, self.places, packed).view(self.batch, self.length, -1)


def packing_of(attention_mask: Tensor) -> Packing | None:
    """Return where the real tokens of a 1/0 mask (B, T) are; None where it has little padding.

    None on a GPU too, which would have to wait for the count, and for a compiled encoder.
    """
    if attention_mask.device.type != "cpu" or torch.compiler.is_compiling():
        return None
    places = attention_mask.flatten().nonzero().squeeze(1)
    if len(places) > (1 - LEAST_PADDING) * attention_mask.numel():
        return None
    return Packing(places, *attention_mask.shape)
