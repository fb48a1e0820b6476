"""The command index: every distinct training sentence, with both models' embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from minbert.explain.nearest import NearestIndex, TrainingText
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tables import Example
from tests.support import assert_says, redraw, tiny_model
from trainer.cli import main
from trainer.data.course import read_split
from trainer.evaluation import index as index_module
from trainer.evaluation.index import build_index, training_texts


@pytest.fixture(scope="session")
def second_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("second")
    model: MultitaskBert = tiny_model(folder, pooling="cls")
    redraw(model, seed=4, std=0.3)
    model.save_pretrained(folder)
    return folder


def test_distinct_sentences_with_their_first_row() -> None:
    rows = [
        Example("1", ("how  do I", "what is"), 1.0),
        Example("2", ("what is", "why"), 0.0),
        Example("3", ("why", "why"), 1.0),
    ]
    assert training_texts("paraphrase", rows) == [
        TrainingText("paraphrase", "how do I", 1.0, "what is", 1),
        TrainingText("paraphrase", "what is", 1.0, "how do I", 2),
        TrainingText("paraphrase", "why", 0.0, "what is", 3),
    ]
    alone = [Example("1", ("does n't -LRB-",), 3.0), Example("2", ("doesn't (",), 2.0)]
    assert training_texts("sentiment", alone) == [
        TrainingText("sentiment", "doesn't (", 3.0, "", 2)
    ]


def test_the_command_builds_what_the_app_reads(
    data: Path,
    model_folder: Path,
    second_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "index"
    models = [str(model_folder), str(second_folder)]
    code = main(["index", "--data", str(data), "--out", str(out), "--models", *models])
    told = capsys.readouterr().err
    assert code == 0, told
    assert_says(told, found=str(out))
    index = NearestIndex.load(out)
    assert index.models == (model_folder.name, second_folder.name)
    for task in ("sentiment", "paraphrase", "similarity"):
        examples = read_split(data, task, "train").examples
        assert [text for text in index.texts if text.task == task] == training_texts(task, examples)
    for folder in (model_folder, second_folder):
        predictor = Predictor.from_pretrained(folder, "cpu")
        text = index.texts[7].text
        found = index.nearest(folder.name, predictor, text, k=1)
        assert found[0].cosine == pytest.approx(1.0, abs=2e-3)
        assert found[0].text.text == text
    seconds = json.loads((out / "index.json").read_text(encoding="utf-8"))["seconds"]
    assert set(seconds) == set(index.models)


def test_the_first_sentences_of_each_task(
    data: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "CHUNK", 2)
    build_index([model_folder], data, tmp_path, most=3, device="cpu", report=lambda _: None)
    index = NearestIndex.load(tmp_path)
    assert [text.task for text in index.texts] == [
        *(["sentiment"] * 3),
        *(["paraphrase"] * 3),
        *(["similarity"] * 3),
    ]
    predictor = Predictor.from_pretrained(model_folder, "cpu")
    wanted = predictor.embed([text.text for text in index.texts], "similarity")
    found = index._embeddings[model_folder.name].float()
    assert (torch.nn.functional.normalize(wanted, dim=-1) - found).abs().max() < 1e-3


def test_what_is_refused(
    data: Path, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["index", "--data", str(data), "--out", str(tmp_path / "x")]
    twice = [str(model_folder), str(model_folder)]
    assert main([*command, "--models", *twice]) == 1
    assert_says(capsys.readouterr().err, parameter="`--models`", found=model_folder.name)
    assert main([*command, "--models", str(model_folder), "--most", "0"]) == 1
    assert_says(capsys.readouterr().err, parameter="`--most`", rule="1", found="0")
    assert main(["index", "--data", str(tmp_path), "--out", str(tmp_path / "x")]) == 1
    assert_says(capsys.readouterr().err, step="python -m trainer download")
    assert not (tmp_path / "x").exists()
