"""The BERT encoder.

Paper: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers", section 3,
on the post-layer-norm encoder of Vaswani et al. 2017, section 3.1. Differs from the paper:
nothing (learned absolute positions, exact GELU unless a checkpoint names another function).
Projected attention layers (`minbert.pals`) can be put beside the layers; a plain checkpoint has
none.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minbert.attention import SelfAttention, additive_mask
from minbert.config import BertConfig, choice_error
from minbert.dropout import Dropout
from minbert.packing import Packing, packing_of
from minbert.pals import ProjectedAttention


def quick_gelu(units: Tensor) -> Tensor:
    """Return the sigmoid approximation of GELU (Hendrycks & Gimpel 2016), for any shape."""
    return units * torch.sigmoid(1.702 * units)


_TANH_GELU = functools.partial(F.gelu, approximate="tanh")
# The feed-forward layers' functions, by transformers' names: some are one function twice.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_python": F.gelu,
    "gelu_new": _TANH_GELU,
    "gelu_fast": _TANH_GELU,
    "gelu_accurate": _TANH_GELU,
    "gelu_pytorch_tanh": _TANH_GELU,
    "gelu_python_tanh": _TANH_GELU,
    "quick_gelu": quick_gelu,
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "mish": F.mish,
    "tanh": torch.tanh,
}


@dataclasses.dataclass(frozen=True)
class EncoderOutput:
    """What one forward pass of the encoder yields."""

    hidden: Tensor  # (B, T, D), last layer
    attention_maps: dict[int, Tensor]  # layer -> (B, H, T, T), only the layers asked for
    layer_states: tuple[Tensor, ...]  # L+1 times (B, T, D), embeddings first; empty unless asked


class BertEmbeddings(nn.Module):
    """Word, position and token-type embeddings, summed, normalised, dropped out."""

    def __init__(self, config: BertConfig) -> None:
        """Create the three tables."""
        super().__init__()
        width = config.hidden_size
        self.word = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position = nn.Embedding(config.max_position_embeddings, width)
        self.token_type = nn.Embedding(config.type_vocab_size, width)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """Embed ids and token types, both (B, T), into (B, T, D)."""
        return self.from_words(self.word(input_ids), token_type_ids)

    def from_words(self, words: Tensor, token_type_ids: Tensor) -> Tensor:
        """Go on from word embeddings (B, T, D) that the caller looked up, or made up."""
        positions = torch.arange(words.shape[1], device=words.device)
        summed = words + self.position(positions) + self.token_type(token_type_ids)
        embedded: Tensor = self.dropout(self.norm(summed))
        return embedded


class BertLayer(nn.Module):
    """Self-attention and feed-forward, each followed by add-and-norm."""

    def __init__(self, config: BertConfig) -> None:
        """Create the sublayers."""
        super().__init__()
        width = config.hidden_size
        self.attention = SelfAttention(config)
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.intermediate = nn.Linear(width, config.intermediate_size)
        self.activation = ACTIVATIONS[config.hidden_act]
        self.output = nn.Linear(config.intermediate_size, width)
        self.output_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        hidden: Tensor,
        mask: Tensor,
        added: Tensor | None = None,
        packing: Packing | None = None,
        *,
        with_map: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Run the layer on `hidden` (B, T, D); the map (B, H, T, T) comes only when asked for.

        `added` (B, T, D), a task's projected attention, joins before the last layer norm. With a
        packing both and the result are (S, D).
        """
        context, attention_map = self.attention(hidden, mask, packing, with_map=with_map)
        hidden = self.attention_norm(hidden + self.dropout(self.attention_output(context)))
        expanded = self.activation(self.intermediate(hidden))  # (B, T, intermediate)
        hidden = hidden + self.dropout(self.output(expanded))
        return self.output_norm(hidden if added is None else hidden + added), attention_map


class TanhPooler(nn.Module):
    """tanh(W h_CLS + b), the pooler of BERT's pre-training; the course's code calls it CLS."""

    def __init__(self, config: BertConfig) -> None:
        """Create the projection."""
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002 - a pooler's signature
        """Pool (B, T, D) to (B, D); the mask (B, T) is not needed, [CLS] is never padding."""
        return torch.tanh(self.dense(hidden[:, 0]))


class BertModel(nn.Module):
    """The encoder: ids in, hidden states out."""

    def __init__(self, config: BertConfig) -> None:
        """Create all layers with BERT's initialisation (normal weights, zero biases)."""
        super().__init__()
        self.config = config
        self.embeddings = BertEmbeddings(config)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.num_hidden_layers))
        self.pooler = TanhPooler(config)
        self.pals: nn.ModuleDict | None = None  # task -> ProjectedAttention, by `add_pals`
        self.pals_on = True  # False leaves them out of the computation
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx])

    def add_pals(self, tasks: Sequence[str], size: int) -> None:
        """Put projected attention layers of `size` units beside the layers, for each task.

        They change nothing until they are trained (V_D is zero).

        Raises:
            ValueError: there are some already, or heads that don't divide the size.
        """
        if self.pals is not None:
            raise ValueError(
                f"`add_pals` should be called once. Found PALs of {', '.join(self.pals)}."
            )
        pals = nn.ModuleDict({task: ProjectedAttention(self.config, size) for task in tasks})
        self.pals = pals.to(self.embeddings.word.weight.device)

    @property
    def pals_active(self) -> bool:
        """Say whether the hidden states depend on the task."""
        return self.pals is not None and self.pals_on

    def _pal_of(self, task: str | None) -> ProjectedAttention | None:
        if self.pals is None or not self.pals_on or task is None:
            return None
        if task not in self.pals:
            raise choice_error("task", task, list(self.pals))
        return cast(ProjectedAttention, self.pals[task])

    def check_asked(self, tokens: int, maps_of: Collection[int]) -> None:
        """Check the length of an input and the layers whose maps are wanted.

        Raises:
            ValueError: more tokens than positions, or a layer that doesn't exist.
        """
        if tokens > self.config.max_position_embeddings:
            raise ValueError(
                f"`input_ids` should have at most {self.config.max_position_embeddings} tokens. "
                f"Found {tokens}; truncate first."
            )
        absent = sorted(set(maps_of) - set(range(len(self.layers))))
        if absent:
            raise ValueError(
                f"`maps_of` should name layers 0 to {len(self.layers) - 1}. Found {absent}."
            )

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        task: str | None = None,
        *,
        maps_of: Collection[int] = (),
        keep_layer_states: bool = False,
    ) -> EncoderOutput:
        """Encode a padded batch.

        Args:
            input_ids: (B, T), word-piece ids.
            attention_mask: (B, T), 1 for tokens and 0 for padding.
            token_type_ids: (B, T), 0 for the first and 1 for the second segment.
            task: whose projected attention joins in, where the encoder has any; None: nobody's.
            maps_of: layers (0-based) whose attention maps are kept; all others run fused.
            keep_layer_states: keep the hidden states of every layer.

        Raises:
            ValueError: more tokens than positions, or a layer or a task that doesn't exist.
        """
        self.check_asked(input_ids.shape[1], maps_of)
        hidden = self.embeddings(input_ids, token_type_ids)
        return self.encode(
            hidden, attention_mask, task, maps_of=maps_of, keep_layer_states=keep_layer_states
        )

    def encode(
        self,
        hidden: Tensor,
        attention_mask: Tensor,
        task: str | None = None,
        *,
        maps_of: Collection[int] = (),
        keep_layer_states: bool = False,
    ) -> EncoderOutput:
        """Run all layers on what the embeddings gave, (B, T, D); the rest is as in `forward`.

        Where gradients are on and nothing but the last hidden state is asked for, padding may be
        left out; it is 0 there then.
        """
        mask = additive_mask(attention_mask, hidden.dtype)
        last_alone = torch.is_grad_enabled() and not maps_of and not keep_layer_states
        packing = packing_of(attention_mask) if last_alone else None
        if packing:
            hidden = packing.packed(hidden)
        pal = self._pal_of(task)
        states, maps = [hidden], {}
        for index, layer in enumerate(self.layers):
            added = None if pal is None else pal(hidden, mask, index, packing)
            hidden, attention_map = layer(hidden, mask, added, packing, with_map=index in maps_of)
            if attention_map is not None:
                maps[index] = attention_map
            if keep_layer_states:
                states.append(hidden)
        if packing:
            hidden = packing.padded(hidden)
        return EncoderOutput(hidden, maps, tuple(states) if keep_layer_states else ())
