"""The encoder without padding, for a CPU: the numbers of `minbert.bert`, in less time.

The tokens of all inputs stand behind one another as the rows of one matrix, so the linear layers
never see a padded token; attention takes inputs of the same length together and needs no mask
(Zeng et al. 2022, "Boosting Distributed Training Performance of the Unpadded BERT Model",
arXiv 2208.08124, section 4). Query, key and value are one product.

Not here: weights laid out for oneDNN, a seventh faster for a pair, since it keeps some 2 MB for
each number of tokens it has ever seen.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minbert.attention import attention_probabilities
from minbert.bert import BertLayer, BertModel
from minbert.text import Encoded

TOKENS_TOGETHER = 512  # more of them at once leave the processor's cache
LONG = 128  # tokens from which the fused kernel of attention is faster than its three products


@dataclasses.dataclass(frozen=True)
class Unpadded:
    """What the encoder gives for N inputs of T_1 + ... + T_N = S tokens, one after the other."""

    lengths: list[int]  # T_1 ... T_N
    hidden: Tensor  # (S, D), last layer
    attention_maps: dict[int, list[Tensor]]  # layer -> N times (H, T, T), only the layers asked for
    layer_states: tuple[Tensor, ...]  # L+1 times (S, D), embeddings first; empty unless asked


def runs_of_equal(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (first token, length, inputs) of each run of neighbours that are equally long."""
    runs, start = [], 0
    for length, group in itertools.groupby(lengths):
        count = len(list(group))
        runs.append((start, length, count))
        start += count * length
    return runs


class Version:
    """What changes when a weight of a module does, or when another takes its place."""

    def __init__(self, module: nn.Module) -> None:
        """Find the places of its weights, once: to walk through a module takes half a ms."""
        self._places = [
            (each._parameters, name)
            for each in module.modules()
            for name, weight in each._parameters.items()
            if weight is not None
        ]

    def __call__(self) -> list[tuple[int, int]]:
        """Return the version of the weights as they are now."""
        weights = (cast(Tensor, weights[name]) for weights, name in self._places)
        return [(each.data_ptr(), each._version) for each in weights]


class _Layer:
    """A `BertLayer` in eval mode, on (S, D)."""

    def __init__(self, layer: BertLayer) -> None:
        attention = layer.attention
        projections = attention.query, attention.key, attention.value
        self._layer, self._heads = layer, attention.heads
        self._weight = torch.cat([each.weight for each in projections])  # (3D, D)
        self._bias = torch.cat([each.bias for each in projections])

    def __call__(
        self, hidden: Tensor, runs: Sequence[tuple[int, int, int]], maps: list[Tensor] | None
    ) -> Tensor:
        layer = self._layer
        context = self._attend(F.linear(hidden, self._weight, self._bias), runs, maps)
        hidden = layer.attention_norm(hidden + layer.attention_output(context))
        expanded = layer.activation(layer.intermediate(hidden))
        result: Tensor = layer.output_norm(hidden + layer.output(expanded))
        return result

    def _attend(
        self, projected: Tensor, runs: Sequence[tuple[int, int, int]], maps: list[Tensor] | None
    ) -> Tensor:
        """Mix the values of (S, 3D); put each input's map, (H, T, T), at the end of `maps`."""
        width = projected.shape[1] // 3
        context = projected.new_empty(len(projected), width)
        for start, length, count in runs:
            rows = slice(start, start + length * count)
            parts = projected[rows].view(count, length, 3, self._heads, -1)
            query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (count, H, T, D/H)
            if maps is None and length > LONG:
                mixed = F.scaled_dot_product_attention(query, key, value)
            else:
                probabilities = attention_probabilities(query, key, query.new_zeros(()))
                if maps is not None:
                    maps.extend(probabilities)
                mixed = probabilities @ value
            context[rows] = mixed.transpose(1, 2).reshape(-1, width)
        return context


class UnpaddedEncoder:
    """An encoder on the CPU, in float32, without PALs and without dropout.

    The joint weights of query, key and value are made when it is first asked, and again after a
    weight has changed.
    """

    def __init__(self, encoder: BertModel) -> None:
        """Remember the encoder."""
        self._encoder = encoder
        self._version = Version(encoder)
        self._made_of: object = None  # the weights' version
        self._layers: list[_Layer] = []

    def __call__(
        self,
        inputs: Sequence[Encoded],
        maps_of: Collection[int] = (),
        *,
        keep_layer_states: bool = False,
    ) -> Unpadded:
        """Encode inputs; those of the same length had best be neighbours.

        Args:
            inputs: at least one.
            maps_of: layers (0-based) whose attention maps are kept.
            keep_layer_states: keep the hidden states of every layer.

        Raises:
            ValueError: as the encoder's `forward`.
        """
        self._encoder.check_asked(max(map(len, inputs)), maps_of)
        return self._encode(inputs, maps_of, keep_layer_states=keep_layer_states)

    def _encode(
        self, inputs: Sequence[Encoded], maps_of: Collection[int], *, keep_layer_states: bool
    ) -> Unpadded:
        lengths = [len(item) for item in inputs]
        hidden = self._embed(inputs, lengths)
        runs = runs_of_equal(lengths)
        states, maps = [hidden], {}
        for index, layer in enumerate(self._current()):
            if index in maps_of:
                maps[index] = list[Tensor]()
            hidden = layer(hidden, runs, maps.get(index))
            if keep_layer_states:
                states.append(hidden)
        return Unpadded(lengths, hidden, maps, tuple(states) if keep_layer_states else ())

    def _embed(self, inputs: Sequence[Encoded], lengths: Sequence[int]) -> Tensor:
        tables = self._encoder.embeddings
        ids, types = (
            torch.tensor(list(itertools.chain.from_iterable(rows)))
            for rows in ([item.ids for item in inputs], [item.token_types for item in inputs])
        )
        positions = torch.cat([torch.arange(length) for length in lengths])
        summed = tables.word(ids) + tables.position(positions) + tables.token_type(types)
        embedded: Tensor = tables.norm(summed)
        return embedded

    def _current(self) -> list[_Layer]:
        version = self._version()
        if version != self._made_of:
            self._layers = [_Layer(cast(BertLayer, layer)) for layer in self._encoder.layers]
            self._made_of = version
        return self._layers
