"""An encoder's layers as an ONNX graph without weights, for ONNX Runtime on a CPU.

As in `minbert.backends.unpadded` the linear layers see no padding; attention alone gets a padded
batch. Here that is one step for all inputs, whatever their lengths. Attention and one of the
activations are ONNX Runtime's own operators (com.microsoft).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import torch
from onnx import ModelProto, NodeProto, TensorProto, helper
from torch import Tensor

from minbert.bert import ACTIVATIONS, BertLayer, BertModel

OPSETS = {"": 20, "com.microsoft": 1}
IR_VERSION = 10
# All functions of `ACTIVATIONS` as (domain, operator, attributes).
FUNCTIONS: dict[Callable[[Tensor], Tensor], tuple[str, str, dict[str, Any]]] = {
    ACTIVATIONS["gelu"]: ("", "Gelu", {}),
    ACTIVATIONS["gelu_new"]: ("", "Gelu", {"approximate": "tanh"}),
    ACTIVATIONS["quick_gelu"]: ("com.microsoft", "QuickGelu", {"alpha": 1.702}),
    ACTIVATIONS["relu"]: ("", "Relu", {}),
    ACTIVATIONS["silu"]: ("com.microsoft", "QuickGelu", {"alpha": 1.0}),
    ACTIVATIONS["mish"]: ("", "Mish", {}),
    ACTIVATIONS["tanh"]: ("", "Tanh", {}),
}
# N inputs of S tokens together, the longest of T.
INPUTS = {
    "embedded": (TensorProto.FLOAT, ["S", "D"]),  # what the embeddings gave
    "places": (TensorProto.INT64, ["N", "T"]),  # each token's row among the S; any for padding
    "mask": (TensorProto.INT32, ["N", "T"]),  # 1 for tokens
    "back": (TensorProto.INT64, ["S"]),  # each row's place among the N * T
}


@dataclasses.dataclass
class Graph:
    """A graph while it is built: its operators, and its weights by name."""

    nodes: list[NodeProto] = dataclasses.field(default_factory=list)
    weights: dict[str, Tensor] = dataclasses.field(default_factory=dict)

    def add(
        self,
        operator: str,
        *inputs: str,
        domain: str = "",
        results: int = 1,
        **more: Any,  # noqa: ANN401 - as the operator takes them
    ) -> Any:  # noqa: ANN401 - a name, or several
        """Add an operator; return the name of its result, or the names of several."""
        names = [f"{len(self.nodes)}.{place}" for place in range(results)]
        self.nodes.append(helper.make_node(operator, inputs, names, domain=domain, **more))
        return names[0] if results == 1 else names

    def weight(self, name: str, value: Tensor) -> str:
        """Add a weight; return its name."""
        self.weights[name] = value.detach()
        return name

    def linear(self, name: str, rows: str, weight: Tensor, bias: Tensor) -> str:
        """Multiply rows (S, in) by a weight (out, in)."""
        weights = self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)
        return cast(str, self.add("Gemm", rows, *weights, transB=1))

    def norm(self, name: str, rows: str, norm: torch.nn.LayerNorm) -> str:
        """Normalise rows."""
        weights = self.weight(f"{name}.weight", norm.weight), self.weight(f"{name}.bias", norm.bias)
        return cast(str, self.add("LayerNormalization", rows, *weights, epsilon=norm.eps))

    def layer(self, name: str, hidden: str, layer: BertLayer) -> str:
        """Add a layer of the encoder."""
        attention = layer.attention
        projections = attention.query, attention.key, attention.value
        projected = self.linear(
            f"{name}.projection",
            hidden,
            torch.cat([each.weight for each in projections]),
            torch.cat([each.bias for each in projections]),
        )
        padded = self.add("Gather", projected, "places")  # (N, T, 3D)
        parts = self.add("Split", padded, results=3, axis=-1, num_outputs=3)
        context = self.add(
            *("MultiHeadAttention", *parts, "", "mask"),
            domain="com.microsoft",
            num_heads=attention.heads,
        )
        rows = self.add("Gather", self.add("Reshape", context, "rows"), "back")  # (S, D)
        mix, expand, output = layer.attention_output, layer.intermediate, layer.output
        mixed = self.linear(f"{name}.mix", rows, mix.weight, mix.bias)
        hidden = self.norm(
            f"{name}.attention_norm", self.add("Add", mixed, hidden), layer.attention_norm
        )
        domain, operator, settings = FUNCTIONS[layer.activation]
        expanded = self.linear(f"{name}.expand", hidden, expand.weight, expand.bias)
        expanded = self.add(operator, expanded, domain=domain, **settings)
        back = self.linear(f"{name}.back", expanded, output.weight, output.bias)
        return self.norm(f"{name}.output_norm", self.add("Add", back, hidden), layer.output_norm)


def encoder_graph(encoder: BertModel) -> tuple[ModelProto, dict[str, Tensor]]:
    """Build the graph of an encoder's layers, without PALs; its inputs are `INPUTS`.

    Returns:
        the model, whose one output is `hidden` (S, D) and whose weights are named as external, and
        these weights, float32, by name.
    """
    graph, hidden, width = Graph(), "embedded", encoder.config.hidden_size
    for index, layer in enumerate(encoder.layers):
        hidden = graph.layer(str(index), hidden, cast(BertLayer, layer))
    graph.nodes[-1].output[0] = "hidden"
    inputs = [helper.make_tensor_value_info(name, *form) for name, form in INPUTS.items()]
    output = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["S", width])
    rows = helper.make_tensor("rows", TensorProto.INT64, [2], [-1, width])
    weights = [external(name, tensor) for name, tensor in graph.weights.items()]
    made = helper.make_graph(graph.nodes, "encoder", inputs, [output], [rows, *weights])
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION), graph.weights


def external(name: str, weight: Tensor) -> TensorProto:
    """Return a weight's name and shape, without its numbers."""
    proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=weight.shape)
    proto.data_location = TensorProto.EXTERNAL
    proto.external_data.add(key="location", value="given by the caller")
    return proto
