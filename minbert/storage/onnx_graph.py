"""An encoder as ONNX operators: in the running app's graph, and in a model's file.

As in `minbert.backends.unpadded` the linear layers see no padding; attention alone gets a padded
batch. Here that is one step for all inputs, whatever their lengths. Attention and two of the
activations are ONNX Runtime's own operators (com.microsoft).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper
from torch import Tensor

from minbert.bert import ACTIVATIONS, BertLayer, BertModel

Values = Mapping[str, tuple[int, list[Any] | None]]  # name -> type, shape
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
# A padded batch (B, T).
INPUTS: dict[str, tuple[int, list[Any]]] = {
    name: (TensorProto.INT64, ["B", "T"])
    for name in ("input_ids", "attention_mask", "token_type_ids")
}
WORD = "word"  # the table of word embeddings (V, D), which a session would copy if it held it
WITH_MAPS = "with_maps"  # whether attention maps are asked for, where the graph can give them


@dataclasses.dataclass
class Graph:
    """A graph while it is built: its operators, and its weights by name."""

    nodes: list[NodeProto] = dataclasses.field(default_factory=list)
    weights: dict[str, Tensor] = dataclasses.field(default_factory=dict)
    constants: list[TensorProto] = dataclasses.field(default_factory=list)
    prefix: str = ""  # of its results' names, as a branch of another graph
    eight_bits: bool = False  # its products are of 8-bit integers

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
        names = [f"{self.prefix}{len(self.nodes)}.{place}" for place in range(number)]
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
        if self.eight_bits:
            scale = (weight.detach().abs().amax(dim=1) / 127).clamp(min=1e-8)  # (out,)
            rounded = (weight.detach() / scale[:, None]).round().to(torch.int8).T
            values = {"eight": rounded, "scale": scale, "zero": torch.zeros_like(rounded[0])}
            names = [self.weight(f"{name}.{part}", value) for part, value in values.items()]
            names.append(self.weight(f"{name}.bias", bias))
            return self.add("DynamicQuantizeMatMul", rows, *names, domain="com.microsoft")
        weights = self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)
        return self.add("Gemm", rows, *weights, transB=1)

    def norm(self, name: str, rows: str, norm: torch.nn.LayerNorm) -> str:
        """Normalise rows."""
        weights = self.weight(f"{name}.weight", norm.weight), self.weight(f"{name}.bias", norm.bias)
        return self.add("LayerNormalization", rows, *weights, epsilon=norm.eps)

    def embedded(self, encoder: BertModel) -> str:
        """Add what turns `INPUTS` into the rows (S, D) of all their tokens, padding left out.

        It names for the layers "back" (S,), each row's place among the B * T, "places" (B, T), each
        token's row, and "mask".
        """
        ids, mask, types = INPUTS
        flat = self.integers("flat", [-1])
        first, one = self.integers("first", [0]), self.integers("one", [1])
        real, shape = self.add("Reshape", mask, flat), self.add("Shape", mask)
        counted = self.add("Sub", self.add("CumSum", real, first), one)
        self.name(self.add("Squeeze", self.add("NonZero", real), first), "back")
        self.name(self.add("Reshape", self.add("Mul", counted, real), shape), "places")
        self.name(self.add("Cast", mask, to=TensorProto.INT32), "mask")
        tables = encoder.embeddings
        words, kinds = (
            self.add("Gather", self.add("Reshape", each, flat), "back") for each in (ids, types)
        )
        positions = self.add("Mod", "back", self.add("Gather", shape, one))
        looked_up = [
            self.add("Gather", self.weight(name, table.weight), rows)
            for name, table, rows in (
                (WORD, tables.word, words),
                ("position", tables.position, positions),
                ("token_type", tables.token_type, kinds),
            )
        ]
        return self.norm("embeddings", self.add("Sum", *looked_up), tables.norm)

    def layers(self, encoder: BertModel, *, maps: bool = False) -> str:
        """Add an encoder, from `INPUTS` to its last states (S, D); return their name.

        With `maps` it also names each layer's states (S, D), embeddings first, "state.0" and on,
        and its attention maps (B, H, T, T) "map.0" and on, which are empty unless `WITH_MAPS`.
        """
        hidden = self.embedded(encoder)
        heads, width = encoder.config.num_attention_heads, encoder.config.hidden_size
        self.integers("rows", [-1, width])
        if maps:
            self.integers("apart", [0, 0, heads, -1])
            self.integers("together", [0, 0, width])
            self.number("scale", math.sqrt(width // heads))
            self.constants.append(helper.make_tensor("none", TensorProto.FLOAT, [0], []))
            blocked = self.add(
                "Equal", "mask", self.add("CastLike", self.number("zero", 0.0), "mask")
            )
            lowest = self.number("lowest", torch.finfo(torch.float32).min)
            added = self.add("Where", blocked, lowest, "zero")
            self.name(self.add("Unsqueeze", added, self.integers("middle", [1, 2])), "added")
        for index, layer in enumerate(encoder.layers):
            if maps:
                self.name(hidden, f"state.{index}")
            hidden = self.layer(str(index), hidden, cast(BertLayer, layer), maps=maps)
        if maps:
            self.name(hidden, f"state.{len(encoder.layers)}")
        return hidden

    def attention(self, name: str, parts: Sequence[str], heads: int, *, maps: bool) -> str:
        """Mix values by queries and keys, (B, T, D) each, in ONNX Runtime's own operator."""
        fused = Graph(prefix=f"{name}.fused.") if maps else self
        context = fused.add(
            *("MultiHeadAttention", *parts, "", "mask"), domain="com.microsoft", num_heads=heads
        )
        if not maps:
            return context
        told = Graph(prefix=f"{name}.told.")
        branches = {
            "then_branch": told.branch(*told.attention_with_map(parts)),
            "else_branch": fused.branch(context, fused.add("Identity", "none")),
        }
        context, found = self.results(2, "If", WITH_MAPS, **branches)
        self.name(found, f"map.{name}")
        return context

    def attention_with_map(self, parts: Sequence[str]) -> tuple[str, str]:
        """Mix values as `minbert.attention` does; return the context and the map (B, H, T, T)."""
        query, key, value = (
            self.add("Transpose", self.add("Reshape", part, "apart"), perm=order)
            for part, order in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
        )
        scores = self.add("Div", self.add("MatMul", query, key), "scale")
        found = self.add("Softmax", self.add("Add", scores, "added"), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", found, value), perm=[0, 2, 1, 3])
        return self.add("Reshape", mixed, "together"), found

    def branch(self, *results: str) -> GraphProto:
        """Finish the graph as a branch of another one, whose values it sees."""
        outputs = [helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in results]
        return helper.make_graph(self.nodes, self.prefix, [], outputs)

    def layer(self, name: str, hidden: str, layer: BertLayer, *, maps: bool) -> str:
        """Add a layer of the encoder."""
        attention = layer.attention
        projections = attention.query, attention.key, attention.value
        projected = self.linear(
            f"{name}.projection",
            hidden,
            torch.cat([each.weight for each in projections]),
            torch.cat([each.bias for each in projections]),
        )
        padded = self.add("Gather", projected, "places")  # (B, T, 3D)
        parts = self.results(3, "Split", padded, axis=-1, num_outputs=3)
        context = self.attention(name, parts, attention.heads, maps=maps)
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


def encoder_graph(
    encoder: BertModel, *, eight_bits: bool = False
) -> tuple[ModelProto, dict[str, Tensor]]:
    """Build the graph of an encoder without PALs; its inputs are `INPUTS`, `WITH_MAPS` and `WORD`.

    Args:
        encoder: in float32.
        eight_bits: round weights, one scale an output, and the rows that they multiply, one scale
            for all of a run; faster and less exact.

    Returns:
        the model, whose outputs are "state.0" to "state.L", (S, D) each, and "map.0" to
        "map.L-1", and whose weights are named as external; and these weights by name, float32, or
        int8 where they are rounded.
    """
    graph, depth = Graph(eight_bits=eight_bits), len(encoder.layers)
    graph.layers(encoder, maps=True)
    del graph.weights[WORD]
    weights = [external(name, tensor) for name, tensor in graph.weights.items()]
    states = [f"state.{index}" for index in range(depth + 1)]
    outputs: Values = {
        name: (TensorProto.FLOAT, ["S", encoder.config.hidden_size]) for name in states
    }
    maps: Values = {f"map.{index}": (TensorProto.FLOAT, None) for index in range(depth)}
    given = {**INPUTS, WITH_MAPS: (TensorProto.BOOL, []), WORD: (TensorProto.FLOAT, ["V", "D"])}
    return graph.model(given, {**outputs, **maps}, weights), graph.weights


def external(name: str, weight: Tensor) -> TensorProto:
    """Return a weight's name and shape, without its numbers."""
    kind = TensorProto.INT8 if weight.dtype == torch.int8 else TensorProto.FLOAT
    proto = TensorProto(name=name, data_type=kind, dims=weight.shape)
    proto.data_location = TensorProto.EXTERNAL
    proto.external_data.add(key="location", value="given by the caller")
    return proto
