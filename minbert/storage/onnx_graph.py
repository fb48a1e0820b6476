"""An encoder's layers as ONNX operators: in the running app's graph, and in a model's file.

As in `minbert.backends.unpadded` the linear layers see no padding; attention alone gets a padded
batch. Here that is one step for all inputs, whatever their lengths. Attention and two of the
activations are ONNX Runtime's own operators (com.microsoft).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from onnx import ModelProto, NodeProto, TensorProto, helper
from torch import Tensor

from minbert.bert import ACTIVATIONS, BertLayer, BertModel

Values = Mapping[str, tuple[int, list[Any]]]  # name -> type, shape
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
# N inputs of S tokens together, the longest of T: what the running app gives.
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
    constants: list[TensorProto] = dataclasses.field(default_factory=list)

    def add(
        self,
        operator: str,
        *inputs: str,
        domain: str = "",
        **more: Any,  # noqa: ANN401 - as the operator takes them
    ) -> str:
        """Add an operator; return the name of its result."""
        return self.results(1, operator, *inputs, domain=domain, **more)[0]

    def results(
        self,
        number: int,
        operator: str,
        *inputs: str,
        **more: Any,  # noqa: ANN401 - as the operator takes them
    ) -> list[str]:
        """Add an operator; return the names of its results."""
        names = [f"{len(self.nodes)}.{place}" for place in range(number)]
        self.nodes.append(helper.make_node(operator, inputs, names, **more))
        return names

    def name(self, result: str, name: str) -> None:
        """Give a result another name too, as an output."""
        self.nodes.append(helper.make_node("Identity", [result], [name]))

    def model(self, inputs: Values, outputs: Values, weights: Sequence[TensorProto]) -> ModelProto:
        """Finish the graph, with what is given for its weights."""
        given, out = (
            [helper.make_tensor_value_info(name, *form) for name, form in each.items()]
            for each in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, "model", given, out, [*self.constants, *weights])
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def integer(self, name: str, value: int) -> str:
        """Add one integer; return its name."""
        self.constants.append(helper.make_tensor(name, TensorProto.INT64, [], [value]))
        return name

    def number(self, name: str, value: float) -> str:
        """Add one number; return its name."""
        self.constants.append(helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
        return name

    def integers(self, name: str, values: Sequence[int]) -> str:
        """Add a vector of integers; return its name."""
        self.constants.append(helper.make_tensor(name, TensorProto.INT64, [len(values)], values))
        return name

    def weight(self, name: str, value: Tensor) -> str:
        """Add a weight; return its name."""
        self.weights[name] = value.detach()
        return name

    def linear(self, name: str, rows: str, weight: Tensor, bias: Tensor) -> str:
        """Multiply rows (S, in) by a weight (out, in)."""
        weights = self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)
        return self.add("Gemm", rows, *weights, transB=1)

    def norm(self, name: str, rows: str, norm: torch.nn.LayerNorm) -> str:
        """Normalise rows."""
        weights = self.weight(f"{name}.weight", norm.weight), self.weight(f"{name}.bias", norm.bias)
        return self.add("LayerNormalization", rows, *weights, epsilon=norm.eps)

    def layers(self, hidden: str, encoder: BertModel) -> str:
        """Add an encoder's layers; the graph has "places", "mask" and "back", as in `INPUTS`."""
        self.integers("rows", [-1, encoder.config.hidden_size])
        for index, layer in enumerate(encoder.layers):
            hidden = self.layer(str(index), hidden, cast(BertLayer, layer))
        return hidden

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
        parts = self.results(3, "Split", padded, axis=-1, num_outputs=3)
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
    graph = Graph()
    graph.name(graph.layers("embedded", encoder), "hidden")
    weights = [external(name, tensor) for name, tensor in graph.weights.items()]
    outputs = {"hidden": (TensorProto.FLOAT, ["S", encoder.config.hidden_size])}
    return graph.model(INPUTS, outputs, weights), graph.weights


def external(name: str, weight: Tensor) -> TensorProto:
    """Return a weight's name and shape, without its numbers."""
    proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=weight.shape)
    proto.data_location = TensorProto.EXTERNAL
    proto.external_data.add(key="location", value="given by the caller")
    return proto
