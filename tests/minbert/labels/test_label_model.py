"""A model of one's own labels: its answers, their exact split, the folder that is taken along."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from minbert import LabelModel, Predictor
from minbert.checks import TextError
from minbert.files import CheckpointError
from minbert.labels import Probe, compare, load_probe, loading_lines, zipped
from minbert.labels.probe import JSON_FILE, README_FILE, WEIGHTS_FILE, probe_files
from minbert.storage.manifest import MANIFEST_FILE, sums_of
from tests.docs_text import API, ROOT, blocks
from tests.minbert.labels.test_label_comparison import examples
from tests.support import assert_close, redraw, tiny_model

TEXT = "the cats sleeping in the garden"


def saved_model(folder: Path, pooling: str, seed: int = 3) -> Path:
    model = tiny_model(folder / "tokenizer", pooling=pooling)
    redraw(model, seed=seed)
    model.save_pretrained(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    there = tmp_path_factory.mktemp("models")
    return {pooling: saved_model(there / pooling, pooling) for pooling in ("cls", "mean")}


@pytest.fixture(scope="module")
def predictors(folders: dict[str, Path]) -> dict[str, Predictor]:
    return {name: Predictor.from_pretrained(folder, "cpu") for name, folder in folders.items()}


@pytest.fixture(scope="module")
def probes(predictors: dict[str, Predictor]) -> dict[str, Probe]:
    return {side.name: side.probe for side in compare(examples(), predictors).sides}


@pytest.fixture
def saved(tmp_path: Path, predictors: dict[str, Predictor], probes: dict[str, Probe]) -> Path:
    LabelModel(predictors["mean"], probes["mean"]).save(tmp_path / "mine")
    return tmp_path / "mine"


def test_what_is_loaded_is_what_was_saved(
    saved: Path,
    folders: dict[str, Path],
    predictors: dict[str, Predictor],
    probes: dict[str, Probe],
) -> None:
    loaded = LabelModel.load(saved, folders["mean"], "cpu")
    fresh = LabelModel(predictors["mean"], probes["mean"])
    assert loaded.predict([TEXT, "a film"]) == fresh.predict([TEXT, "a film"])
    kept, wanted = load_probe(saved), probes["mean"]
    assert torch.equal(kept.regression.weight, wanted.regression.weight)
    names = ("classes", "counts", "pooling", "max_length", "encoder", "accuracy", "macro_f1")
    assert [getattr(kept, name) for name in names] == [getattr(wanted, name) for name in names]
    assert {path.name for path in saved.iterdir()} == {JSON_FILE, WEIGHTS_FILE, README_FILE}
    assert str(saved.parent) not in (saved / JSON_FILE).read_text(encoding="utf-8")


def test_an_answer_is_the_most_probable_class(
    saved: Path, predictors: dict[str, Predictor]
) -> None:
    model = LabelModel.load(saved, predictors["mean"])
    answers = model.predict([TEXT, "python", "film " * 90])
    for answer in answers:
        assert list(answer.probabilities) == ["code", "films", "pets"]
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.probability == max(answer.probabilities.values())
    assert [answer.left_out for answer in answers] == [0, 0, 44]
    known = examples()
    hits = sum(
        answer.label == known.classes[label]
        for answer, label in zip(model.predict(known.texts), known.labels, strict=True)
    )
    assert hits > 20
    assert model.predict([]) == []
    with pytest.raises(TextError):
        model.predict(["\u200b"])


@pytest.mark.parametrize("pieces", [False, True])
def test_the_logits_split_exactly_over_the_words(
    pieces: bool, predictors: dict[str, Predictor], probes: dict[str, Probe]
) -> None:
    predictor = predictors["mean"]
    model = LabelModel(predictor, probes["mean"])
    split = model.split(TEXT, pieces=pieces)
    assert split.words.labels[:2] == ("[CLS]", "the")
    assert ("cats" in split.words.labels) != pieces
    assert_close(split.contributions.sum(dim=0) + split.bias, split.logits, 1e-5)
    assert split.residual < 1e-5
    (answer,) = model.predict([TEXT])
    assert split.probabilities == pytest.approx(list(answer.probabilities.values()))
    assert_close(split.relative.sum(dim=1), torch.zeros(len(split.words)).double(), 1e-12)
    (state,) = predictor.hidden(predictor.encode_single([TEXT]))
    again = model.split(TEXT, pieces=pieces, state=state)
    assert_close(again.contributions, split.contributions, 1e-6)


def test_cls_pooling_has_no_exact_split(
    predictors: dict[str, Predictor], probes: dict[str, Probe]
) -> None:
    with pytest.raises(ValueError, match="'mean' for an exact split"):
        LabelModel(predictors["cls"], probes["cls"]).split(TEXT)


def test_the_zip_is_the_folder(saved: Path, probes: dict[str, Probe]) -> None:
    content = zipped(probes["mean"])
    assert content == zipped(probes["mean"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {f"my-labels/{path.name}": path.read_bytes() for path in saved.iterdir()}
    assert len(content) < 20_000


def rewritten(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        stored = json.loads((folder / JSON_FILE).read_text(encoding="utf-8"))
        change(stored)
        (folder / JSON_FILE).write_text(json.dumps(stored), encoding="utf-8")

    return damage


def other_weights(folder: Path) -> None:
    """Swap in a whole file of another shape, and tell its SHA-256 too."""
    save_file({"weight": torch.zeros(3, 16), "bias": torch.zeros(3)}, folder / WEIGHTS_FILE)
    found = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    rewritten(lambda stored: stored.update(sha256=found))(folder)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / JSON_FILE).unlink(), "labels.json should exist"),
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "labels.safetensors should exist"),
        (lambda folder: (folder / JSON_FILE).write_text("{"), "torn or damaged"),
        (lambda folder: (folder / JSON_FILE).write_text("[]"), "JSON object"),
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"x" * 99), "SHA-256"),
        (other_weights, "float64"),
        (rewritten(lambda stored: stored.update(version=2)), "`version`"),
        (rewritten(lambda stored: stored.update(classes=["a"])), "`classes`"),
        (rewritten(lambda stored: stored.update(classes=["a", "b"])), "2 classes"),
        (rewritten(lambda stored: stored.update(encoder={"model.safetensors": "x"})), "`encoder"),
        (rewritten(lambda stored: stored.pop("pooling")), "`pooling`"),
        (rewritten(lambda stored: stored.update(code="import os")), "`code`"),
    ],
)
def test_damage_is_refused(damage: Callable[[Path], object], told: str, saved: Path) -> None:
    damage(saved)
    with pytest.raises(CheckpointError, match=told):
        load_probe(saved)


def test_another_encoder_is_refused(
    saved: Path, tmp_path: Path, folders: dict[str, Path], predictors: dict[str, Predictor]
) -> None:
    with pytest.raises(CheckpointError, match=r"whose pooling is 'mean'\. Found 'cls'"):
        LabelModel.load(saved, predictors["cls"])
    other = Predictor.from_pretrained(saved_model(tmp_path / "other", "mean", seed=4), "cpu")
    with pytest.raises(CheckpointError, match=r"SHA-256 of \w+\.safetensors"):
        LabelModel.load(saved, other)
    with pytest.raises(CheckpointError, match="SHA-256"):  # not from a folder, so nobody knows
        LabelModel.load(saved, Predictor(tiny_model(tmp_path, pooling="mean"), "cpu"))
    copy = tmp_path / "copy"
    shutil.copytree(folders["mean"], copy)
    (copy / MANIFEST_FILE).unlink()  # then the sums are computed
    assert sums_of(copy) == sums_of(folders["mean"])
    assert LabelModel.load(saved, copy, "cpu").predict([TEXT])


def test_a_model_from_no_folder_cannot_be_saved(tmp_path: Path) -> None:
    predictor = Predictor(tiny_model(tmp_path, pooling="mean"), "cpu")
    found = compare(examples(), {"mean": predictor})
    with pytest.raises(ValueError, match="loaded from a folder"):
        LabelModel(predictor, found.side("mean").probe).save(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_names_of_classes_are_no_markup_in_the_readme(probes: dict[str, Probe]) -> None:
    probe = dataclasses.replace(probes["mean"], classes=("<b>", "[x](y)", "a_b"))
    told = probe_files(probe)[README_FILE].decode()
    assert r"\<b\> (13), \[x\](y) (13), a\_b" in told
    assert json.loads(probe_files(probe)[JSON_FILE])["classes"] == ["<b>", "[x](y)", "a_b"]
    assert load_lines(told) == loading_lines("FOLDER OF THE MODEL").splitlines()


def load_lines(text: str) -> list[str]:
    return [line.strip() for line in re.findall(r"^    ((?:from|model|print).*)$", text, re.M)]


def test_the_lines_of_the_docs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they stand, with fewer tickets: they compare, save, load and ask."""
    there = tmp_path / "assets" / "examples"
    there.mkdir(parents=True)
    (tmp_path / "assets" / "models").symlink_to(ROOT / "assets" / "models")
    tickets = (ROOT / "assets" / "examples" / "tickets.csv").read_text(encoding="utf-8")
    (there / "tickets.csv").write_text("\n".join(tickets.splitlines()[:61]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (learn,) = [block for block in blocks(API, "python") if "read_examples" in block]
    (load,) = [block for block in blocks(API, "python") if "LabelModel.load" in block]
    lines = [line for line in load.splitlines() if line]
    assert lines == loading_lines("assets/models/mean").split("\n")[: len(lines)]
    assert len(lines) == 3
    exec(learn, {})
    capsys.readouterr()
    exec(load, {})
    assert capsys.readouterr().out.strip() in (
        ["account", "billing", "delivery", "returns", "technical"]
    )
    assert load_file(tmp_path / "my-labels" / WEIGHTS_FILE)["weight"].shape == (5, 384)
