"""A multitask model as one ONNX file: for ONNX Runtime, transformers.js and our own static page.

It takes padded batches of any size and reckons without their padding. Weights that float16 holds
exactly, as in our checkpoints, are stored so and cast back when the file is loaded: half the bytes
and the same numbers. (8-bit weights would halve it again, and change half of the digits that the
page shows: trainer/EXPERIMENTS.md.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from minbert.heads import LinearHead
from minbert.multitask import MultitaskBert
from minbert.pooling import AttentionPooling

if TYPE_CHECKING:
    import onnx

    from minbert.storage.onnx_graph import Graph

OUTPUTS = ("last_hidden_state", "sentence_embedding", "sentiment", "paraphrase", "similarity")


def onnx_file(model: MultitaskBert) -> bytes:
    """Return the model as the bytes of an ONNX file, to `OUTPUTS` from `onnx_graph.INPUTS`.

    Those are the last hidden states (B, T, D), zero at padding, the embeddings (B, D), the
    sentiment classes' probabilities (B, C), the duplicate probabilities (B,) and the joint
    similarities (B,), not clamped. Sentiment is meant for single sentences, the last two for pairs.

    Args:
        model: on the CPU, without PALs, its paraphrase head over joint input.

    Raises:
        ValueError: the model is one that a single graph can't answer for.
    """
    from onnx import TensorProto, numpy_helper

    from minbert.storage.onnx_graph import INPUTS, Graph

    check_answerable(model)
    config, graph = model.config, Graph()
    hidden = padded(graph, graph.layers(model.encoder))
    embedding = pooled(graph, model, hidden)
    answers = {"last_hidden_state": hidden, "sentence_embedding": embedding}
    answers |= headed(graph, model, embedding)
    for name in OUTPUTS:
        graph.name(answers[name], name)
    width = config.encoder.hidden_size
    shapes: list[list[Any]] = [["B", "T", width], ["B", width], ["B", config.sentiment_classes]]
    shapes += [["B"], ["B"]]
    proto = graph.model(
        INPUTS,
        {name: (TensorProto.FLOAT, shape) for name, shape in zip(OUTPUTS, shapes, strict=True)},
        [numpy_helper.from_array(each.numpy(), name) for name, each in graph.weights.items()],
    )
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


def padded(graph: Graph, rows: str) -> str:
    """Add what puts the tokens' rows (S, D) back into a batch (B, T, D), zero at padding."""
    from onnx import TensorProto

    last = graph.integers("last", [-1])
    weights = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    graph.name(graph.add("Unsqueeze", weights, last), "real")  # (B, T, 1), 1 for tokens
    return graph.add("Mul", graph.add("Gather", rows, "places"), "real")


def pooled(graph: Graph, model: MultitaskBert, hidden: str) -> str:
    """Add the model's pooling of (B, T, D) into (B, D), as in `minbert.pooling`."""
    pooling = model.config.pooling
    if pooling in ("cls", "pooler"):
        cls = graph.add("Gather", hidden, graph.integer("cls", 0), axis=1)
        if pooling == "cls":
            return cls
        dense = model.encoder.pooler.dense
        return graph.add("Tanh", graph.linear("pooler", cls, dense.weight, dense.bias))
    if pooling == "mean":
        summed = graph.add("ReduceSum", hidden, "one", keepdims=0)
        counted = graph.add("ReduceSum", "real", "one", keepdims=0)  # (B, 1)
        return graph.add("Div", summed, graph.add("Max", counted, graph.number("least", 1.0)))
    lowest = graph.number("lowest", torch.finfo(torch.float32).min)
    nowhere = graph.add("Equal", "real", graph.number("zero", 0.0))
    if pooling == "max":
        return graph.add(
            "ReduceMax", graph.add("Where", nowhere, lowest, hidden), "one", keepdims=0
        )
    module = cast(AttentionPooling, model.attention_pooling)
    projection, score = (
        graph.weight(name, layer.weight.T.contiguous())
        for name, layer in (("projection", module.projection), ("score", module.score))
    )
    scores = graph.add("MatMul", graph.add("Tanh", graph.add("MatMul", hidden, projection)), score)
    weights = graph.add("Softmax", graph.add("Where", nowhere, lowest, scores), axis=1)
    return graph.add("ReduceSum", graph.add("Mul", hidden, weights), "one", keepdims=0)


def headed(graph: Graph, model: MultitaskBert, embedding: str) -> dict[str, str]:
    """Add the three heads over embeddings (B, D), calibrated, as in `minbert.multitask`."""
    config = model.config
    raw: dict[str, str] = {}
    for name in ("sentiment", "paraphrase", "similarity"):
        linear = cast(LinearHead, model.heads[name]).linear
        raw[name] = graph.linear(name, embedding, linear.weight, linear.bias)
    warmth = graph.number("sentiment.temperature", config.sentiment_temperature)
    classes = graph.add("Softmax", graph.add("Div", raw["sentiment"], warmth), axis=-1)
    warmth = graph.number("paraphrase.temperature", config.paraphrase_temperature)
    offset = graph.number("paraphrase.offset", config.paraphrase_offset)
    yes = graph.add(
        "Sigmoid", graph.add("Add", graph.add("Div", raw["paraphrase"], warmth), offset)
    )
    similarity = raw["similarity"]
    if config.similarity_head == "relu":
        similarity = graph.add("Mul", graph.add("Relu", similarity), graph.number("highest", 5.0))
    found = {"paraphrase": yes, "similarity": similarity}
    flat = {name: graph.add("Squeeze", each, "last") for name, each in found.items()}
    return {"sentiment": classes} | flat


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
