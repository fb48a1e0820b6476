"""ZeroGPU: what the encoder does crosses into another process and back, and says the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from minbert.backends.zero_gpu import SECONDS, ZeroGpuBackend, on_zero_gpu, zero_gpu
from minbert.explain.splits import split_sentiment
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from tests.forked_gpu import ForkedGpu
from tests.support import assert_close, redraw, tiny_model

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
FIRST, SECOND = "the film was not good", "a dull story"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: OpenMP's others don't survive a fork."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def gpu() -> ForkedGpu:
    """Give a decorator that forks."""
    return ForkedGpu()


@pytest.fixture
def served(model: MultitaskBert, gpu: ForkedGpu) -> Predictor:
    """Give a predictor that works in forks of this process."""
    return on_zero_gpu(model, gpu, device="cpu")


def test_every_answer_is_the_plain_predictor_s(
    model: MultitaskBert, served: Predictor, gpu: ForkedGpu
) -> None:
    plain = Predictor(model, "cpu", runtime="torch")
    assert served.sentiment([FIRST, SECOND]) == plain.sentiment([FIRST, SECOND])
    assert served.answer(FIRST, SECOND) == plain.answer(FIRST, SECOND)
    assert len(gpu.processes) >= 2
    assert os.getpid() not in gpu.processes


@pytest.mark.parametrize("every_layer", [False, True])
def test_hidden_states_come_back(
    model: MultitaskBert, served: Predictor, gpu: ForkedGpu, every_layer: bool
) -> None:
    inputs = served.encode_single([FIRST, SECOND])
    wanted = Predictor(model, "cpu").hidden(inputs, every_layer=every_layer)
    for found, state in zip(served.hidden(inputs, every_layer=every_layer), wanted, strict=True):
        assert_close(found, state)
    assert len(gpu.processes) == 1


def test_attention_maps_come_back(model: MultitaskBert, served: Predictor, gpu: ForkedGpu) -> None:
    wanted = Predictor(model, "cpu").attention(FIRST, SECOND, [1])
    found = served.attention(FIRST, SECOND, layers=[1])
    assert found.tokens == wanted.tokens
    assert found.layers == (1,)
    assert_close(found.weights, wanted.weights)
    assert len(gpu.processes) == 1


def test_the_encoder_has_a_copy_of_its_own(model: MultitaskBert, served: Predictor) -> None:
    before = served.sentiment([FIRST])
    redraw(model.encoder, seed=9)
    assert served.sentiment([FIRST]) == before
    assert served.device == torch.device("cpu")


def test_explanations_read_the_cpu_s_weights(
    model: MultitaskBert, served: Predictor, gpu: ForkedGpu
) -> None:
    found, wanted = split_sentiment(served, FIRST), split_sentiment(Predictor(model, "cpu"), FIRST)
    assert_close(found.contributions, wanted.contributions)
    assert_close(found.logits, wanted.logits)
    assert found.words == wanted.words
    assert gpu.processes


def test_an_error_over_there_reaches_whoever_asked(served: Predictor) -> None:
    backend = served.backend
    assert isinstance(backend, ZeroGpuBackend)
    with pytest.raises(AttributeError):
        backend._on_gpu("no_such_method")


def test_the_page_s_engine_takes_the_decorator(tmp_path: Path, gpu: ForkedGpu) -> None:
    for pooling in ("mean", "cls"):
        tiny_model(tmp_path / "words", pooling=pooling).save_pretrained(tmp_path / pooling)
    plain = Engine.load(tmp_path, gpu=lambda task: task, device="cpu")  # no fork
    engine = Engine.load(tmp_path, gpu=lambda task: gpu(task), device="cpu")
    assert engine.answer(engine.mean, engine.ask(FIRST, SECOND)) == plain.answer(
        plain.mean, plain.ask(FIRST, SECOND)
    )
    assert gpu.processes


@pytest.mark.parametrize("missing", ["SPACES_ZERO_GPU", "SPACE_ID", "spaces", ""])
def test_spaces_is_imported_on_a_zero_gpu_space_alone(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    stand_in = ModuleType("spaces")
    stand_in.GPU = lambda *, duration: asked.append(duration) or "decorator"  # type: ignore[attr-defined]
    for name, value in (("SPACES_ZERO_GPU", "true"), ("SPACE_ID", "someone/lab")):
        monkeypatch.delenv(name, raising=False)
        if name != missing:
            monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "spaces", stand_in)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == missing else stand_in
    )
    assert zero_gpu() == (None if missing else "decorator")
    assert asked == ([] if missing else [SECONDS])
