"""A multitask model as one ONNX file: for ONNX Runtime, transformers.js and our own static page.

The graph is torch's own export of the model, for padded batches of any size. Weights that float16
holds exactly, as in our checkpoints, are stored so and cast back when the file is loaded: half the
bytes and the same numbers. (8-bit weights would halve it again, and change half of the digits that
the page shows: trainer/EXPERIMENTS.md.)
"""

from __future__ import annotations

import logging
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from minbert.multitask import MultitaskBert

if TYPE_CHECKING:
    import onnx

INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # (B, T) int64 each
OUTPUTS = ("last_hidden_state", "sentence_embedding", "sentiment", "paraphrase", "similarity")
NEEDED = ("onnx", "onnxscript")  # torch's exporter asks for both


class Answers(nn.Module):
    """Everything that a model says about a batch of encoder inputs, single or joint."""

    def __init__(self, model: MultitaskBert) -> None:
        """Wrap a model in eval mode."""
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, ...]:
        """Answer inputs of ids, mask (1 for tokens, 0 for padding) and token types, (B, T) each.

        Returns:
            the last hidden states (B, T, D), the embeddings (B, D), the sentiment classes'
            probabilities (B, C), the duplicate probabilities (B,) and the joint similarities (B,),
            not clamped. Sentiment is meant for single sentences, the last two for joint pairs.
        """
        hidden = self.model.encoder(ids, mask, types).hidden
        embedding = self.model.pool(hidden, mask)
        return (
            hidden,
            embedding,
            torch.softmax(self.model.calibrated_sentiment(embedding), dim=-1),
            torch.sigmoid(self.model.calibrated_paraphrase(embedding)),
            self.model.joint_similarity(embedding),
        )


def onnx_file(model: MultitaskBert) -> bytes:
    """Return the model as the bytes of an ONNX file, from `INPUTS` to `OUTPUTS`.

    Args:
        model: on the CPU, without PALs, its paraphrase head over joint input.

    Raises:
        ValueError: a package that the export needs is missing, or the model is one that a single
            graph can't answer for.
    """
    check_answerable(model)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"The export to ONNX should find {' and '.join(NEEDED)}. Found no "
            f"{' and no '.join(missing)}; run `pip install -e '.[live]'` in the project's "
            "folder, or do without."
        )
    proto = trace(Answers(model).eval())
    store_halves(proto)
    content: bytes = proto.SerializeToString()
    return content


def check_answerable(model: MultitaskBert) -> None:
    """See that one pass over one input answers all tasks.

    Raises:
        ValueError: it doesn't.
    """
    config = model.config
    if config.pal_size:
        raise ValueError(
            "`pal_size` should be 0 for a model in ONNX, where one graph answers all "
            f"tasks. Found {config.pal_size}; take a model without PALs."
        )
    if config.paraphrase_head == "two_tower":
        raise ValueError(
            "`paraphrase_head` should read joint input for a model in ONNX. Found "
            "'two_tower'; take a model with the other head."
        )


def trace(answers: Answers) -> onnx.ModelProto:
    """Trace the module into a graph with batches of any size and inputs of any length."""
    longest = answers.model.config.encoder.max_position_embeddings
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", min=2, max=longest)}
    example = torch.ones(2, 7, dtype=torch.long)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it tells that torchvision, which nothing here needs, is missing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own, about torch's inside
            program: Any = torch.onnx.export(
                answers,
                (example, example.clone(), example.clone()),
                dynamo=True,
                input_names=list(INPUTS),
                output_names=list(OUTPUTS),
                dynamic_shapes=(shape, shape, shape),
                verbose=False,
            )
            proto: onnx.ModelProto = program.model_proto
    finally:
        log.setLevel(level)
    return proto


def store_halves(model: onnx.ModelProto) -> None:
    """Store each weight matrix that float16 holds exactly in float16, and cast it back."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or len(weight.dims) < 2:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), values):
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(halves, f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
