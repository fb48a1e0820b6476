"""The ONNX file says what the model says; what can't be exported is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from minbert.browser import graph
from minbert.browser.graph import INPUTS, OUTPUTS, Answers, onnx_file, store_halves
from minbert.multitask import MultitaskBert
from tests.support import assert_close, redraw, tiny_model


def drawn(folder: Path, **changes: object) -> MultitaskBert:
    """Build a tiny model whose weights float16 holds exactly."""
    model = tiny_model(folder, **changes).eval()
    redraw(model, seed=5)
    model.half().float()
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pooling": "cls", "similarity_head": "relu"},
        {"pooling": "max", "sentiment_temperature": 1.5},
    ],
)
def test_the_file_answers_as_the_model(tmp_path: Path, changes: dict[str, object]) -> None:
    model = drawn(tmp_path, **changes)
    file = onnx.load_from_string(onnx_file(model))
    evaluator = ReferenceEvaluator(file)
    for length in (2, 5, 48):
        ids = torch.arange(5, 5 + length).unsqueeze(0)
        types = (torch.arange(length) > length // 2).long().unsqueeze(0)
        with torch.inference_mode():
            wanted = Answers(model)(ids, types)
        found = evaluator.run(None, dict(zip(INPUTS, (ids.numpy(), types.numpy()), strict=True)))
        assert len(found) == len(OUTPUTS)
        for one, other in zip(found, wanted, strict=True):
            assert_close(torch.from_numpy(np.asarray(one)), other, 1e-4)
    stored = {one.name: one for one in file.graph.initializer}
    kinds = {one.data_type for one in stored.values() if len(one.dims) >= 2}
    assert kinds == {onnx.TensorProto.FLOAT16}, "which holds the weights exactly"
    word = next(one for name, one in stored.items() if "embeddings.word" in name)
    found = onnx.numpy_helper.to_array(word).astype(np.float32)
    assert np.array_equal(found, model.encoder.embeddings.word.weight.detach())


def test_weights_are_stored_in_half_where_that_is_exact() -> None:
    """A graph of one sum: a matrix that float16 holds, one that it doesn't, and a vector."""
    drawn_of = np.random.default_rng(0).normal
    values = {
        "held": drawn_of(size=(2, 3)).astype(np.float16).astype(np.float32),
        "finer": drawn_of(size=(2, 3)).astype(np.float32),
        "vector": np.ones(3, dtype=np.float32),
    }
    file = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Sum", list(values), ["sum"])],
            "sum",
            [],
            [onnx.helper.make_tensor_value_info("sum", onnx.TensorProto.FLOAT, (2, 3))],
            [onnx.numpy_helper.from_array(value, name) for name, value in values.items()],
        )
    )
    store_halves(file)
    kinds = {one.name: one.data_type for one in file.graph.initializer}
    assert kinds == {
        "held.half": onnx.TensorProto.FLOAT16,
        "finer": onnx.TensorProto.FLOAT,
        "vector": onnx.TensorProto.FLOAT,
    }
    (found,) = ReferenceEvaluator(file).run(None, {})
    assert np.array_equal(found, sum(values.values()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"pal_size": 8}, "`pal_size` should be 0"), ({"paraphrase_head": "two_tower"}, "two_tower")],
)
def test_a_model_that_one_graph_can_t_answer_for_is_told(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        onnx_file(tiny_model(tmp_path, **changes).eval())


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = drawn(tmp_path)
    monkeypatch.setattr(graph, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(ValueError, match=r"Found no onnxscript; run `pip install -e '.\[live\]'`"):
        onnx_file(model)
