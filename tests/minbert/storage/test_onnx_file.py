"""The ONNX file says what the model says; what can't be exported is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from torch import Tensor

from minbert.multitask import MultitaskBert
from minbert.storage.onnx_file import OUTPUTS, onnx_file, store_halves
from minbert.storage.onnx_graph import INPUTS
from minbert.text import Batch
from tests.support import assert_close, random_batch, redraw, tiny_model


@torch.inference_mode()
def answers(model: MultitaskBert, batch: Batch) -> dict[str, Tensor]:
    """Answer a batch by the model's own methods."""
    encoded = model.encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids).hidden
    sentiment, config = model.predict_sentiment(batch), model.config
    paraphrase = model.predict_paraphrase(batch) / config.paraphrase_temperature
    return {
        "last_hidden_state": encoded * batch.attention_mask.unsqueeze(-1),
        "sentence_embedding": model.embed(batch),
        "sentiment": torch.softmax(sentiment / config.sentiment_temperature, dim=-1),
        "paraphrase": torch.sigmoid(paraphrase + config.paraphrase_offset),
        "similarity": model.predict_similarity(batch),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *({"pooling": pooling} for pooling in ("cls", "pooler", "max")),
        {
            **{"pooling": "attention", "similarity_head": "relu"},
            **{"sentiment_temperature": 1.5, "paraphrase_offset": 0.5},
        },
    ],
)
def test_the_file_answers_padded_batches_as_the_model(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    model = tiny_model(tmp_path, **changes).eval()
    redraw(model, seed=5)
    model.half().float()  # what float16 holds exactly
    content = onnx_file(model)
    proto = onnx.load_from_string(content)
    kinds = {one.data_type for one in proto.graph.initializer if len(one.dims) >= 2}
    assert kinds == {TensorProto.FLOAT16}
    session = InferenceSession(content)
    assert tuple(each.name for each in session.get_inputs()) == tuple(INPUTS)
    assert tuple(each.name for each in session.get_outputs()) == OUTPUTS
    for lengths in ((2,), (48,), (9, 4, 7, 2)):
        batch = random_batch(lengths, pad_id=7)
        given = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
        found = session.run(None, {n: t.numpy() for n, t in zip(INPUTS, given, strict=True)})
        wanted = answers(model, batch)
        for name, one in zip(OUTPUTS, found, strict=True):
            assert_close(torch.from_numpy(np.asarray(one)), wanted[name], 1e-4)


def test_weights_are_stored_in_half_where_that_is_exact() -> None:
    exact, other = np.float32([[0.5, -3.25]]), np.float32([[0.1, 1e30]])
    weights = {"exact": exact, "other": other, "bias": np.float32([0.5, 1.0])}
    output = helper.make_tensor_value_info("sum", TensorProto.FLOAT, (1, 2))
    graph = helper.make_graph(
        [helper.make_node("Sum", list(weights), ["sum"])],
        "tiny",
        [],
        [output],
        [numpy_helper.from_array(each, name) for name, each in weights.items()],
    )
    opset = helper.make_opsetid("", 20)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    store_halves(model)
    stored = {one.name: one.data_type for one in model.graph.initializer}
    assert stored == {
        "exact.half": TensorProto.FLOAT16,
        "other": TensorProto.FLOAT,
        "bias": TensorProto.FLOAT,
    }
    (found,) = InferenceSession(model.SerializeToString()).run(None, {})
    assert np.array_equal(found, exact + other + weights["bias"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"pal_size": 8}, "`pal_size` should be 0"), ({"paraphrase_head": "two_tower"}, "two_tower")],
)
def test_a_model_that_one_graph_can_t_answer_for_is_told(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        onnx_file(tiny_model(tmp_path, **changes).eval())
