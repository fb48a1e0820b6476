"""The index of training sentences: neighbours by cosine, and clear errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from minbert.explain import nearest
from minbert.explain.nearest import (
    PROBE,
    NearestIndex,
    TrainingText,
    default_folder,
    product,
    save_index,
)
from minbert.files import CheckpointError
from minbert.heads import cosine
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

TEXTS = [
    TrainingText("sentiment", "a dull film", 1.0),
    TrainingText("sentiment", "a great story", 4.0, "", 2),
    TrainingText("paraphrase", "how do dogs learn", 1.0, "what do dogs learn"),
    TrainingText("paraphrase", "a dull film", 0.0, 'a "quoted"\ttab'),
    TrainingText("similarity", "the cat sits in a garden", 2.6, "the dog runs"),
]


@pytest.fixture
def both(build: Build) -> dict[str, Predictor]:
    return {"mean": build(pooling="mean", std=0.2), "cls": build(pooling="cls", std=0.2)}


@pytest.fixture
def folder(tmp_path: Path, both: dict[str, Predictor]) -> Path:
    texts = [text.text for text in TEXTS]
    embeddings = {name: each.embed(texts, "similarity") for name, each in both.items()}
    probes = {name: each.embed([PROBE], "similarity")[0] for name, each in both.items()}
    save_index(tmp_path / "index", TEXTS, embeddings, probes, {"note": 1})
    return tmp_path / "index"


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_neighbours_are_those_of_the_model_s_own_cosine(
    name: str, folder: Path, both: dict[str, Predictor]
) -> None:
    index = NearestIndex.load(folder)
    assert index.texts == tuple(TEXTS)
    assert set(index.models) == {"mean", "cls"}
    found = index.nearest(name, both[name], "a funny film", k=3)
    embedded = both[name].embed(["a funny film", *(text.text for text in TEXTS)], "similarity")
    cosines = cosine(embedded[:1], embedded[1:])
    best = cosines.topk(3)
    assert [each.cosine for each in found] == pytest.approx(best.values.tolist(), abs=2e-3)
    assert len({round(value, 2) for value in cosines.tolist()}) > 2
    for each in found:
        wanted = cosines[TEXTS.index(each.text)].item()
        assert each.cosine == pytest.approx(wanted, abs=2e-3)


def test_a_training_sentence_is_its_own_neighbour(folder: Path, both: dict[str, Predictor]) -> None:
    first, second, *_ = NearestIndex.load(folder).nearest("mean", both["mean"], "a dull film")
    assert {first.text, second.text} == {TEXTS[0], TEXTS[3]}
    assert first.cosine == pytest.approx(1.0, abs=1e-3)


def test_one_task_s_sentences(folder: Path, both: dict[str, Predictor]) -> None:
    index = NearestIndex.load(folder)
    for task, count in (("sentiment", 2), ("paraphrase", 2), ("similarity", 1)):
        found = index.nearest("cls", both["cls"], "a dull film", k=4, task=task)
        assert [each.text.task for each in found] == [task] * count
    assert index.nearest("cls", both["cls"], "x", k=1, task="sentiment")[0].text in TEXTS[:2]


def test_the_product_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(10, 4, generator=generator).half()
    query = torch.randn(4, generator=generator)
    whole = product(embeddings, query)
    monkeypatch.setattr(nearest, "ROWS_AT_ONCE", 3)
    assert_close(product(embeddings, query), whole)  # other shapes are rounded otherwise
    assert_close(whole, embeddings.float() @ query, 1e-6)


def test_embeddings_are_small_and_of_length_1(folder: Path) -> None:
    stored = NearestIndex.load(folder)._embeddings["mean"]
    assert stored.dtype == torch.float16
    assert_close(stored.float().norm(dim=-1), torch.ones(len(TEXTS)), 2e-3)


def test_no_index_says_how_to_build_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path / "nowhere"))
    with pytest.raises(
        CheckpointError, match=r"Found none; build it with `python -m trainer index`"
    ):
        NearestIndex.load()


def test_the_default_folder_is_outside_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINBERT_INDEX", raising=False)
    assert default_folder() == Path.home() / ".cache" / "minbert-lab" / "index"


def test_a_torn_index_says_so(folder: Path) -> None:
    whole = (folder / "texts.tsv").read_bytes()
    for torn in (whole[: len(whole) // 2], b"task\ttext\n"):
        (folder / "texts.tsv").write_bytes(torn)
        with pytest.raises(CheckpointError, match=r"torn or of another version.*build it again"):
            NearestIndex.load(folder)
    (folder / "texts.tsv").write_bytes(whole)
    (folder / "cls.safetensors").unlink()
    with pytest.raises(CheckpointError, match="torn or of another version"):
        NearestIndex.load(folder)


def test_other_weights_are_noticed(folder: Path, build: Build) -> None:
    index = NearestIndex.load(folder)
    with pytest.raises(CheckpointError, match="built with the weights that answer now"):
        index.nearest("mean", build(seed=2, std=0.2), "a film")


def test_what_is_refused(folder: Path, both: dict[str, Predictor]) -> None:
    index = NearestIndex.load(folder)
    with pytest.raises(ValueError, match="`model` should be one of 'mean', 'cls'"):
        index.nearest("max", both["mean"], "a")
    with pytest.raises(ValueError, match="`task` should be one of"):
        index.nearest("mean", both["mean"], "a", task="mood")
    with pytest.raises(ValueError, match=r"`k` should be at least 1\. Found 0"):
        index.nearest("mean", both["mean"], "a", k=0)
