"""Which runtime an encoder works in, and that ONNX Runtime keeps nothing that has changed."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minbert.backends import local, onnx_runtime
from minbert.backends.local import LocalBackend
from minbert.backends.onnx_runtime import OnnxEncoder, fast_numbers, hindrance_of, runs_in_onnx
from minbert.backends.unpadded import UnpaddedEncoder
from minbert.bert import ACTIVATIONS
from minbert.metrics import THRESHOLD
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.storage.onnx_graph import FUNCTIONS, INPUTS, WITH_MAPS, WORD, encoder_graph
from minbert.tasks import similarity_band
from minbert.text import Encoded
from tests.served import ROOT
from tests.support import assert_close, redraw, tiny_model

PAIR = "the cat sleeps", "a dog runs in the park"


@pytest.fixture
def model(tmp_path: Path) -> MultitaskBert:
    """Build a tiny model of which no weight is zero and no layer norm the identity."""
    model = tiny_model(tmp_path).eval()
    redraw(model, seed=3)
    return model


def test_both_runtimes_give_the_same_answers(model: MultitaskBert) -> None:
    both = [Predictor(model, "cpu", runtime=runtime) for runtime in ("torch", "onnx")]
    (moods, pair), (same_moods, same_pair) = (one.answer(*PAIR) for one in both)
    for one, other in zip(moods, same_moods, strict=True):
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-5)
        assert other.label == one.label
    assert vars(same_pair) == pytest.approx(vars(pair), abs=1e-5)


@torch.inference_mode()
def test_both_runtimes_give_the_same_maps_and_layers(model: MultitaskBert) -> None:
    encoders = UnpaddedEncoder(model.encoder), OnnxEncoder(model.encoder)
    layers = range(len(model.encoder.layers))
    inputs = [Encoded([2, *range(5, 5 + length), 3], [0] * (length + 2), 0) for length in (9, 1, 4)]
    wanted, found = (each(inputs, layers, keep_layer_states=True) for each in encoders)
    assert len(found.layer_states) == len(layers) + 1
    for ours, theirs in zip(wanted.layer_states, found.layer_states, strict=True):
        assert_close(theirs, ours, 1e-5)
    for layer in layers:
        for ours, theirs in zip(
            wanted.attention_maps[layer], found.attention_maps[layer], strict=True
        ):
            assert theirs.shape == ours.shape
            assert_close(theirs, ours, 1e-5)


def test_onnx_runtime_is_what_works_where_nothing_is_said(
    model: MultitaskBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    made = onnx_runtime.session_of
    monkeypatch.setattr(
        onnx_runtime,
        "session_of",
        lambda encoder, **more: asked.append(encoder) or made(encoder, **more),
    )
    Predictor(model, "cpu", runtime="torch").answer(*PAIR)
    assert asked == []
    predictor = Predictor(model, "cpu")
    predictor.attention(*PAIR)
    predictor.answer(*PAIR)
    assert asked == [model.encoder], "made when needed, and once"


def test_changed_weights_are_used(model: MultitaskBert) -> None:
    predictor = Predictor(model, "cpu", runtime="onnx")
    before = predictor.embed(PAIR)
    with torch.no_grad():
        model.encoder.layers[0].output.weight.mul_(2)
    after = predictor.embed(PAIR)
    assert not torch.allclose(before, after, atol=1e-3)
    assert_close(after, Predictor(model, "cpu", runtime="torch").embed(PAIR))


def test_what_it_cannot_run_stays_in_pytorch(
    tmp_path: Path, model: MultitaskBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_pals = tiny_model(tmp_path / "pals").eval()
    with_pals.encoder.add_pals(["sentiment"], 4)
    cases = {"projected attention": with_pals.encoder, "float64": model.encoder.double()}
    for reason, encoder in cases.items():
        assert reason in hindrance_of(encoder)
        assert not runs_in_onnx(encoder, "auto")
        with pytest.raises(ValueError, match=f"`runtime` should be 'torch' or 'auto'.*{reason}"):
            runs_in_onnx(encoder, "onnx")
    found = importlib.util.find_spec
    absent = lambda name: None if name == "onnxruntime" else found(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    assert "onnxruntime can't be imported" in hindrance_of(model.encoder.float())


OWN = [
    "A warm and clever film that I would gladly see again.",
    "A dull, clumsy mess; I left before its end.",
    "The harbour is quiet in the morning.",
    "How do I tune a violin at home?",
]


@pytest.mark.parametrize("numbers", ["int8", "bf16"])
@pytest.mark.parametrize("name", ["mean", "cls"])
def test_fast_numbers_are_near_the_exact_ones(
    name: str, numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "fast_numbers", lambda _: numbers)
    model = MultitaskBert.from_pretrained(ROOT / "assets" / "models" / name)
    exact, fast = (Predictor(model, "cpu", runtime=each) for each in ("onnx", "fast"))
    assert isinstance(fast.backend, LocalBackend)
    assert fast.backend.runtime == numbers
    inputs = exact.encode_single(OWN)
    near = torch.cosine_similarity(exact.pooled(inputs), fast.pooled(inputs))
    assert 0.97 < near.min() < 0.999999
    states = fast.hidden(inputs, every_layer=True)
    for state, same in zip(states, exact.hidden(inputs, every_layer=True), strict=True):
        assert state.dtype == torch.float32
        assert torch.cosine_similarity(state.flatten(), same.flatten(), dim=0) > 0.97
    moods, same_moods = fast.sentiment(OWN[:2]), exact.sentiment(OWN[:2])
    assert [mood.label for mood in moods] == [mood.label for mood in same_moods]


def test_without_fast_numbers_fast_is_exact(
    model: MultitaskBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "fast_numbers", lambda _: "")
    plain, fast = (Predictor(model, "cpu", runtime=each) for each in ("auto", "fast"))
    assert torch.equal(fast.embed(PAIR), plain.embed(PAIR))


def test_numbers_are_chosen_by_the_processor(
    model: MultitaskBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(*, bf16: bool, amx: bool, widest: str) -> str:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: widest)
        return fast_numbers(model.encoder)

    assert of(bf16=False, amx=True, widest="AVX512") == "bf16"
    assert of(bf16=True, amx=False, widest="AVX512") == "bf16"
    assert of(bf16=False, amx=False, widest="AVX512") == "int8"
    assert of(bf16=False, amx=False, widest="AVX2") == ""
    model.encoder.double()
    assert of(bf16=True, amx=True, widest="AVX512") == ""


def test_a_wrong_name_is_refused(model: MultitaskBert) -> None:
    with pytest.raises(ValueError, match=r"`runtime` should be one of .*'auto'.* Found 'tensorrt'"):
        LocalBackend(model, torch.device("cpu"), runtime="tensorrt")


def test_the_graph_holds_no_weights(model: MultitaskBert) -> None:
    graph, weights = encoder_graph(model.encoder)
    assert [each.name for each in graph.graph.input] == [*INPUTS, WITH_MAPS, WORD]
    parts = model.encoder.embeddings, model.encoder.layers
    held = sum(each.numel() for part in parts for each in part.parameters())
    table = model.encoder.embeddings.word.weight.numel()
    assert sum(weight.numel() for weight in weights.values()) == held - table
    assert graph.ByteSize() < 20_000
    assert set(FUNCTIONS) == set(ACTIVATIONS.values())


def test_onnx_runtime_tells_nobody_and_keeps_no_file(model: MultitaskBert, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    home = tmp_path / "home"
    home.mkdir()
    silencing = ("CI", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS")  # it keeps still by itself there
    rest = {name: value for name, value in os.environ.items() if name not in silencing}
    program = """
import sys
from minbert.predictor import Predictor
print(Predictor.from_pretrained(sys.argv[1], "cpu", runtime="onnx").answer("a cat", "a dog"))
"""
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")],
        env=rest | {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert list(home.rglob("*")) == []


def random_texts(predictor: Predictor, count: int) -> list[str]:
    """Draw texts of whole words, pieces of words and odd characters, of 1 to 60 tokens."""
    draw = random.Random(0)
    known = sorted(predictor.tokenizer.backend.get_vocab())
    odd = ["ß", "Ω≈", "日本", "--", "it's", "10,000", "\u00a0x", "🙂", "NOT"]
    return [
        " ".join(
            draw.choices(known, k=draw.randint(1, 40)) + draw.choices(odd, k=draw.randint(0, 3))
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_both_runtimes_say_the_same_of_random_texts(name: str) -> None:
    model = MultitaskBert.from_pretrained(ROOT / "assets" / "models" / name)
    by_torch, by_onnx = (Predictor(model, "cpu", runtime=each) for each in ("torch", "onnx"))
    texts = random_texts(by_torch, 24)
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    moods = [each.sentiment(texts) for each in (by_torch, by_onnx)]
    judged = [each.pairs(pairs) for each in (by_torch, by_onnx)]
    wanted, found = (
        torch.tensor(
            [number for mood in mine for number in mood.probabilities]
            + [number for pair in theirs for number in vars(pair).values()]
        )
        for mine, theirs in zip(moods, judged, strict=True)
    )
    assert (found - wanted).abs().max() < 1e-4
    border = 100 * wanted % 1 - 0.5  # digits are printed to hundredths
    same = (found * 100).round() == (wanted * 100).round()
    assert bool((same | (border.abs() < 0.01)).all())
    assert [mood.label for mood in moods[1]] == [mood.label for mood in moods[0]]
    answers = [
        [(pair.paraphrase > THRESHOLD, similarity_band(pair.similarity)) for pair in each]
        for each in judged
    ]
    assert answers[0] == answers[1]
