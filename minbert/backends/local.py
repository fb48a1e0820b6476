"""Where a model's encoder works: here; other places have the same four methods.

`minbert.serving` puts a queue before one, `minbert.backends.zero_gpu` runs it where a GPU is lent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from minbert.backends.onnx_runtime import OnnxEncoder, fast_numbers, runs_in_onnx
from minbert.backends.unpadded import TOKENS_TOGETHER, Unpadded, UnpaddedEncoder
from minbert.multitask import MultitaskBert
from minbert.text import TOKENS_PER_BATCH, Encoded, length_batches, pad

Result = TypeVar("Result")


class Backend(Protocol):
    """Runs an encoder; what comes back is on the CPU, in float32, in the order of the inputs."""

    def pooled(self, inputs: Sequence[Encoded], task: str | None) -> Tensor:
        """Return the pooled embeddings, (N, D); `task` chooses the encoder's PALs."""
        ...

    def hidden(
        self, inputs: Sequence[Encoded], task: str | None, *, every_layer: bool
    ) -> list[Tensor]:
        """Return each input's last hidden states, (T, D), without padding.

        With `every_layer` all layers, embeddings first: (L+1, T, D).
        """
        ...

    def maps(self, item: Encoded, layers: Sequence[int], task: str | None = None) -> Tensor:
        """Return one input's attention maps of some 0-based layers, (len(layers), H, T, T)."""
        ...

    def call(self, function: Callable[[], Result]) -> Result:
        """Run a short function of the model where its work belongs; return what it returns."""
        ...


class LocalBackend:
    """The encoder on this process's device, on the thread that asks."""

    def __init__(
        self,
        model: MultitaskBert,
        device: torch.device,
        *,
        autocast: bool = False,
        runtime: str = "auto",
    ) -> None:
        """Take a model that is on the device and in eval mode.

        Args:
            model: with its tokenizer.
            device: of the model.
            autocast: encode in bfloat16; pooling stays in float32.
            runtime: 'torch', 'onnx', or 'auto', ONNX Runtime where it can be had; what it lacks
                (gradients, PALs) is PyTorch's work with any. 'fast' is 'auto' in `fast_numbers`,
                less exact, for files; where there are none it is 'auto'.

        Raises:
            ValueError: no such runtime, or 'onnx' where it can't be had.
        """
        assert model.tokenizer is not None
        self._model, self._device, self._autocast = model, device, autocast
        self._pad_id = model.tokenizer.pad_id
        fast = fast_numbers(model.encoder) if runtime == "fast" and not autocast else ""
        self._half = fast == "bf16"  # without padding
        in_onnx = not autocast and runs_in_onnx(model.encoder, runtime) and not self._half
        self.runtime = fast or ("onnx" if in_onnx else "torch")
        self._without_padding: UnpaddedEncoder = (
            OnnxEncoder(model.encoder, eight_bits=fast == "int8")
            if in_onnx
            else UnpaddedEncoder(model.encoder)
        )

    @property
    def _unpadded(self) -> bool:
        """Say whether inputs can be encoded without padding."""
        encoder = self._model.encoder
        plain = not self._autocast and not encoder.pals_active and not encoder.training
        return self._device.type == "cpu" and plain

    @property
    def _tokens(self) -> int:
        return TOKENS_TOGETHER if self._unpadded else TOKENS_PER_BATCH

    @torch.inference_mode()
    def pooled(self, inputs: Sequence[Encoded], task: str | None) -> Tensor:
        """Return the pooled embeddings, batched by length."""
        embeddings = torch.empty(len(inputs), self._model.config.encoder.hidden_size)
        for rows in length_batches(inputs, tokens=self._tokens):
            chosen = [inputs[row] for row in rows]
            if self._unpadded:
                with self._precision():
                    encoded = self._without_padding(chosen)
                embeddings[rows] = self._pool(encoded)
                continue
            batch = pad(chosen, self._pad_id)
            with self._precision():
                embeddings[rows] = self._model.embed(batch.to(self._device), task).float().cpu()
        return embeddings

    def _pool(self, encoded: Unpadded) -> Tensor:
        """Pool the last hidden states of N inputs to (N, D)."""
        apart = torch.split(encoded.hidden, encoded.lengths)
        hidden = pad_sequence(list(apart), batch_first=True)  # (N, T, D)
        places, lengths = torch.arange(hidden.shape[1]), torch.tensor(encoded.lengths)
        return self._model.pool(hidden, (places < lengths[:, None]).long())

    @torch.inference_mode()
    def hidden(
        self, inputs: Sequence[Encoded], task: str | None, *, every_layer: bool
    ) -> list[Tensor]:
        """Return the hidden states, batched by length."""
        found = [torch.empty(0)] * len(inputs)
        for rows in length_batches(inputs, tokens=self._tokens):
            chosen = [inputs[row] for row in rows]
            if self._unpadded:
                with self._precision():
                    encoded = self._without_padding(chosen, keep_layer_states=every_layer)
                states = torch.stack(encoded.layer_states) if every_layer else encoded.hidden
                parts = torch.split(states.float(), encoded.lengths, dim=-2)
                for row, state in zip(rows, parts, strict=True):
                    found[row] = state.clone()  # lets the others go
                continue
            batch = pad(chosen, self._pad_id).to(self._device)
            ids, mask, types = batch.input_ids, batch.attention_mask, batch.token_type_ids
            with self._precision():
                output = self._model.encoder(ids, mask, types, task, keep_layer_states=every_layer)
            states = torch.stack(output.layer_states, dim=1) if every_layer else output.hidden
            for row, state in zip(rows, states.float().cpu(), strict=True):
                found[row] = state[..., : len(inputs[row]), :].clone()  # lets the padding go
        return found

    @torch.inference_mode()
    def maps(self, item: Encoded, layers: Sequence[int], task: str | None = None) -> Tensor:
        """Return the attention maps."""
        if self._unpadded:
            found = self._without_padding([item], layers).attention_maps
            return torch.stack([found[layer][0] for layer in layers])
        batch = pad([item], self._pad_id).to(self._device)
        ids, mask, types = batch.input_ids, batch.attention_mask, batch.token_type_ids
        maps = self._model.encoder(ids, mask, types, task, maps_of=tuple(layers)).attention_maps
        return torch.stack([maps[layer][0] for layer in layers]).float().cpu()

    def call(self, function: Callable[[], Result]) -> Result:
        """Run the function at once."""
        return function()

    def _precision(self) -> contextlib.AbstractContextManager[object]:
        if not (self._autocast or self._half):
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, dtype=torch.bfloat16)
