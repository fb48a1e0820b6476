"""The encoder in ONNX Runtime, for a CPU: PyTorch's numbers to 1e-5, in two thirds of its time.

Maps and every layer's states come from the same session. Gradients and PALs stay in PyTorch, the
reference.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import torch

from minbert.backends.unpadded import Unpadded, UnpaddedEncoder
from minbert.bert import BertModel
from minbert.config import choice_error
from minbert.text import Encoded, pad

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

RUNTIMES = ("auto", "torch", "onnx", "fast")
NEEDED = ("onnx", "onnxruntime")


def runs_in_onnx(encoder: BertModel, runtime: str) -> bool:
    """Say whether an encoder is to work in ONNX Runtime.

    Args:
        encoder: on its device.
        runtime: one of `RUNTIMES`; 'auto' and 'fast' take it where that is possible.

    Raises:
        ValueError: no such runtime, or it is asked for and can't be had; says why.
    """
    if runtime not in RUNTIMES:
        raise choice_error("runtime", runtime, RUNTIMES)
    hindrance = hindrance_of(encoder)
    if runtime == "onnx" and hindrance:
        raise ValueError(f"`runtime` should be 'torch' or 'auto' here: {hindrance}. Found 'onnx'.")
    return runtime != "torch" and not hindrance


def hindrance_of(encoder: BertModel) -> str:
    """Say why an encoder can't work in ONNX Runtime; empty where it can."""
    weight = encoder.embeddings.word.weight
    if weight.device.type != "cpu":
        return f"the model is on {weight.device.type}"
    if weight.dtype != torch.float32:
        return f"the weights are {weight.dtype}"
    if encoder.pals is not None:
        return "projected attention layers work in PyTorch alone"
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return f"{' and '.join(absent)} can't be imported" if absent else ""


def fast_numbers(encoder: BertModel) -> str:
    """Say which shorter numbers make an encoder faster here: 'bf16', 'int8', or '', none.

    Only where it was measured, by us or by others (trainer/EXPERIMENTS.md).
    """
    if hindrance_of(encoder):
        return ""
    if torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported():
        return "bf16"
    return "int8" if torch.backends.cpu.get_cpu_capability() == "AVX512" else ""


class OnnxEncoder(UnpaddedEncoder):
    """An encoder that `runs_in_onnx`.

    Its session is made when it is first asked, and again after a weight has changed.
    """

    def __init__(self, encoder: BertModel, *, eight_bits: bool = False) -> None:
        """Remember the encoder, and whether its weights are rounded as `encoder_graph` says."""
        super().__init__(encoder)
        self._eight_bits = eight_bits
        self._session: InferenceSession | None = None

    def _encode(
        self, inputs: Sequence[Encoded], maps_of: Collection[int], *, keep_layer_states: bool
    ) -> Unpadded:
        batch, lengths = pad(inputs, 0), [len(item) for item in inputs]
        arrays = {name: each.numpy() for name, each in vars(batch).items()}
        arrays["with_maps"] = torch.tensor(bool(maps_of)).numpy()
        arrays["word"] = self._encoder.embeddings.word.weight.detach().numpy()
        states = [f"state.{index}" for index in range(len(self._encoder.layers) + 1)]
        wanted = [*(states if keep_layer_states else states[-1:]), *(f"map.{i}" for i in maps_of)]
        found = dict(zip(wanted, self._current_session().run(wanted, arrays), strict=True))
        tensors = {name: torch.from_numpy(value) for name, value in found.items()}
        kept = tuple(tensors[name] for name in states) if keep_layer_states else ()
        maps = {
            layer: [
                each[:, :length, :length]
                for each, length in zip(tensors[f"map.{layer}"], lengths, strict=True)
            ]
            for layer in maps_of
        }
        return Unpadded(lengths, tensors[states[-1]], maps, kept)

    def _current_session(self) -> InferenceSession:
        version = self._version()
        if self._session is None or version != self._made_of:
            self._session = session_of(self._encoder, eight_bits=self._eight_bits)
            self._made_of = version
        return self._session


def session_of(encoder: BertModel, *, eight_bits: bool = False) -> InferenceSession:
    """Make a session of an encoder's weights as they are now, with PyTorch's number of threads."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would tell Microsoft what runs here
    import onnxruntime

    from minbert.storage.onnx_graph import encoder_graph

    model, weights = encoder_graph(encoder, eight_bits=eight_bits)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # between two operators its threads spin, which is a fifth faster than to sleep and be woken; by
    # default they would go on for a while after each run, in the way of all others
    options.add_session_config_entry("session.intra_op.spin_duration_us", "200")
    values = [
        onnxruntime.OrtValue.ortvalue_from_numpy(weight.contiguous().numpy())
        for weight in weights.values()
    ]
    options.add_external_initializers(list(weights), values)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
