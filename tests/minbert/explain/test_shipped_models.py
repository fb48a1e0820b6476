"""The shipped checkpoints' figures against `transformers.BertModel` on the same weights.

The weights go out through `export_encoder` and come back as the reference, with eager attention.
What the reference has no twin for (merging, rollout) is worked out here in numpy.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoTokenizer
from transformers import BertModel as ReferenceBert

from minbert.checkpoint import export_encoder
from minbert.explain.gradients import baseline_ids, integrated_gradients
from minbert.explain.heads_summary import summarise_heads
from minbert.explain.ranked import explain
from minbert.predictor import Predictor
from minbert.ui.attention.events import ALL, ROLLOUT, TOGETHER, Controls, Studio
from minbert.ui.engine import Engine
from tests.minbert.explain.conftest import by_our_rule
from tests.support import assert_close

with warnings.catch_warnings():  # matplotlib, which captum imports, warns of its own parser
    warnings.simplefilter("ignore")
    from captum.attr import LayerIntegratedGradients

MODELS = Path(__file__).parents[3] / "assets" / "models"
A = "The unbelievably slow script isn't wonderful, but its ending is."
B = "I liked how it ended."
ROUNDED = 6e-5  # four decimals, and float32


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(MODELS, "cpu")


@pytest.fixture(scope="module", params=["mean", "cls"])
def shipped(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Predictor, ReferenceBert, Path]:
    """Give a shipped model, and `transformers`' own of the same weights."""
    predictor = engine.models[request.param]
    folder = tmp_path_factory.mktemp(request.param) / "encoder"
    export_encoder(predictor.model.encoder, predictor.tokenizer, folder)
    reference = ReferenceBert.from_pretrained(folder, attn_implementation="eager").eval()
    return request.param, predictor, reference, folder


def reference_maps(reference: ReferenceBert, folder: Path, *texts: str) -> tuple[Tensor, list[str]]:
    """Return the reference's maps of its own tokenizer's input, (L, H, T, T), and its tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(*texts, return_tensors="pt")
    with torch.no_grad():
        maps = reference(**inputs, output_attentions=True).attentions
    return torch.stack(maps)[:, 0], tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])


def rolled_out(maps: Tensor) -> np.ndarray:
    """Multiply half map, half identity, the lowest layer rightmost."""
    layers = maps.double().mean(dim=1).numpy()
    found = np.eye(layers.shape[-1])
    for layer in layers:
        found = (layer + np.eye(len(layer))) / 2 @ found
    return found


def by_words(square: np.ndarray, tokens: list[str]) -> np.ndarray:
    """Sum the columns of a word's pieces, then average their rows."""
    starts = [place for place, token in enumerate(tokens) if not token.startswith("##")]
    summed = np.add.reduceat(square, starts, axis=1)
    lengths = np.diff([*starts, len(tokens)])
    return np.add.reduceat(summed, starts, axis=0) / lengths[:, None]


def drawn(studio: Studio, controls: Controls) -> np.ndarray:
    _, figure, *_ = studio.show(A, B, *vars(controls).values())
    return np.asarray(figure.data[0].z, dtype=np.float64)


def test_maps_of_one_sentence_and_of_a_pair(
    shipped: tuple[str, Predictor, ReferenceBert, Path],
) -> None:
    _, predictor, reference, folder = shipped
    for texts in ((A,), (A, B)):
        maps, tokens = reference_maps(reference, folder, *texts)
        found = predictor.attention(*texts)
        assert found.tokens == tokens
        assert any(token.startswith("##") for token in tokens), "a word of several pieces"
        assert found.weights.shape == (6, 12, len(tokens), len(tokens))
        assert_close(found.weights, maps, 5e-6)


def test_every_drawn_map_is_the_reference_s(
    engine: Engine, shipped: tuple[str, Predictor, ReferenceBert, Path]
) -> None:
    name, predictor, reference, folder = shipped
    studio = Studio(engine)
    maps, tokens = reference_maps(reference, folder, A, B)
    whole = maps.double().numpy()
    pieces = Controls(scope=TOGETHER, model=name, pieces=True)
    every = Controls(**{**vars(pieces), "view": ALL})
    small = studio.cut(predictor.attention(A, B), every, []).view.weights  # (L, H, T, T)
    assert_close(small, maps, 5e-6)
    for layer in range(6):
        for head in range(12):
            one = {"layer": layer + 1, "head": head + 1}
            if (layer + head) % 12 == 0:  # one of each layer
                found = drawn(studio, Controls(**{**vars(pieces), **one}))
                assert np.abs(found - whole[layer, head]).max() < ROUNDED
                merged = drawn(studio, Controls(**{**vars(pieces), **one, "pieces": False}))
                assert np.abs(merged - by_words(whole[layer, head], tokens)).max() < ROUNDED
    mean = drawn(studio, Controls(**{**vars(pieces), "layer": 4, "head": 0}))
    assert np.abs(mean - whole[3].mean(axis=0)).max() < ROUNDED
    for layers in (2, 6):
        rolled = drawn(studio, Controls(**{**vars(pieces), "view": ROLLOUT, "layer": layers}))
        assert np.abs(rolled - rolled_out(maps[:layers])).max() < ROUNDED


def test_the_heads_numbers_are_those_of_the_reference_s_maps(
    shipped: tuple[str, Predictor, ReferenceBert, Path],
) -> None:
    _, predictor, reference, folder = shipped
    maps, tokens = reference_maps(reference, folder, A, B)
    whole = maps.double().numpy()
    found = summarise_heads(predictor.attention(A, B))
    bits = -(whole * np.log2(whole.clip(1e-30))).sum(axis=-1).mean(axis=-1)
    assert np.abs(found.entropy.numpy() - bits).max() < 1e-4
    marks = [place for place, token in enumerate(tokens) if token == "[SEP]"]
    rest = whole[..., marks].sum(axis=-1).mean(axis=-1)
    assert np.abs(found.to_sep.numpy() - rest).max() < 1e-5
    apart = np.abs(np.subtract.outer(np.arange(len(tokens)), np.arange(len(tokens))))
    assert np.abs(found.distance.numpy() - (whole * apart).sum(-1).mean(-1)).max() < 1e-4
    first, last = marks
    crossing = whole[:, :, 1:first, first + 1 : last].sum(axis=-1).mean(axis=-1)
    assert found.a_to_b is not None
    assert np.abs(found.a_to_b.numpy() - crossing).max() < 1e-5


def test_the_rollout_of_the_tab_why(shipped: tuple[str, Predictor, ReferenceBert, Path]) -> None:
    name, predictor, reference, folder = shipped
    maps, tokens = reference_maps(reference, folder, A)
    rolled = rolled_out(maps)
    share = rolled[0] if name == "cls" else rolled.mean(axis=0)
    starts = [place for place, token in enumerate(tokens) if not token.startswith("##")]
    wanted = np.add.reduceat(share, starts)[1:-1]
    found = explain(predictor, A, task="sentiment", method="rollout")
    assert found.first.values == pytest.approx(wanted.tolist(), abs=1e-5)


def test_integrated_gradients_by_captum_on_the_reference(
    shipped: tuple[str, Predictor, ReferenceBert, Path],
) -> None:
    """The reference's encoder, our sentiment head: captum goes along the same line."""
    name, predictor, reference, _ = shipped
    (item,) = predictor.encode_single([A])
    found = integrated_gradients(predictor, A, task="sentiment", target="expected")

    def expected(ids: Tensor) -> Tensor:
        hidden = reference(input_ids=ids).last_hidden_state
        pooled = hidden[:, 0] if name == "cls" else hidden.mean(dim=1)
        logits = predictor.model.sentiment_logits(pooled)
        logits = logits / predictor.config.sentiment_temperature  # answers are calibrated
        return logits.softmax(dim=-1) @ torch.arange(5.0)

    method = LayerIntegratedGradients(expected, reference.embeddings.word_embeddings)
    ids, blank = torch.tensor([item.ids]), torch.tensor([baseline_ids(predictor, item, "pad")])
    with by_our_rule():
        by_token = method.attribute(ids, blank, n_steps=found.steps + 1).sum(dim=-1)[0]
    tokens = predictor.tokenizer.tokens(item.ids)
    starts = [place for place, token in enumerate(tokens) if not token.startswith("##")]
    wanted = np.add.reduceat(by_token.double().numpy(), starts)[1:-1]
    assert found.first.values == pytest.approx(wanted.tolist(), abs=1e-4)
    assert max(map(abs, found.first.values)) > 0.05
