"""The command bias: what it measures, compares and writes."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from minbert.explain import probe_bias, probe_terms
from minbert.predictor import Predictor
from minbert.records.bias import OVERALL, Bias
from minbert.records.reading import read_record
from minbert.tasks import TASKS
from tests.support import assert_says, redraw, tiny_model
from trainer.cli import main
from trainer.evaluation.bias import less, summarise


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = []
    for seed, recipe in ((1, "masked"), (2, "plain")):
        folder = tmp_path_factory.mktemp(recipe) / "model"
        model = tiny_model(folder)
        redraw(model, seed=seed, std=0.3)
        model.save_pretrained(folder)
        config = {"mask_demographics": recipe == "masked"}
        score = {"value": 0.5 + seed / 100, "se": 0.01, "n": 9, "split": "dev"}
        told = {"recipe": recipe, "seed": 7, "config": config, "commit": "abc"}
        told["metrics"] = {"sentiment": {"accuracy": score}}
        (folder.parent / "result.json").write_text(json.dumps(told), encoding="utf-8")
        folders.append(folder)
    return folders


def test_two_models_are_measured_and_compared(
    models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bias.json"
    first, second = map(str, models)
    arguments = ["bias", "--model", first, "--against", second, "--out", str(out)]
    code = main([*arguments, "--device", "cpu"])
    told = capsys.readouterr().err
    assert code == 0, told
    record = json.loads(out.read_text(encoding="utf-8"))
    names = [f"{folder.parent.name}/model" for folder in models]
    assert [entry["model"] for entry in record["models"]] == names, "no path of this machine"
    assert [entry["masked_in_training"] for entry in record["models"]] == [True, False]
    assert [entry["dev"]["sentiment accuracy"]["value"] for entry in record["models"]] == [
        0.51,
        0.52,
    ]
    assert record["models"][0]["seed"] == 7
    assert record["commit"]
    assert read_record(out, Bias).to_dict() == record
    predictor = Predictor.from_pretrained(models[0], "cpu")
    probes = [probe_bias(predictor, category, "similarity") for category in probe_terms()]
    spread = record["models"][0]["spread"]["similarity"]
    assert set(spread) == {OVERALL, *probe_terms()}
    for probe in probes:
        found = spread[probe.category]
        expected = (probe.mean_spread, probe.low, probe.high)
        assert (found["mean"], found["low"], found["high"]) == pytest.approx(expected, abs=1e-6)
    whole = statistics.fmean(probe.mean_spread for probe in probes)
    assert spread[OVERALL]["mean"] == pytest.approx(whole, abs=1e-6)
    for task in TASKS:
        means = [entry["spread"][task][OVERALL]["mean"] for entry in record["models"]]
        apart = record["difference"][task][OVERALL]
        assert apart["mean"] == pytest.approx(means[0] - means[1], abs=1e-6)
        assert apart["low"] <= apart["mean"] <= apart["high"]
    assert_says(told, parameter=str(first))


def test_one_model_without_a_record_says_what_is_not_known(
    models: list[Path], tmp_path: Path
) -> None:
    empty, out = tmp_path / "scores.json", tmp_path / "bias.json"
    empty.write_text("{}", encoding="utf-8")
    arguments = ["--model", str(models[0]), "--scores", str(empty), "--out", str(out)]
    assert main(["bias", *arguments, "--device", "cpu"]) == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    (entry,) = record["models"]
    assert (entry["masked_in_training"], entry["seed"], entry["dev"]) == (None, None, None)
    assert "difference" not in record


def test_files_of_scores_go_with_models(
    models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bias.json"
    arguments = ["--model", str(models[0]), "--scores", "a.json", "b.json", "--out", str(out)]
    assert main(["bias", *arguments]) == 1
    assert_says(capsys.readouterr().err, parameter="`--scores`", rule="1", found="2")
    assert not out.exists()


def test_differences_are_paired_by_sentence() -> None:
    first = {"sentiment": {"age": [0.3, 0.5, 0.7]}}
    second = {"sentiment": {"age": [0.2, 0.4, 0.6]}}
    found = summarise(less(first, second))["sentiment"]["age"]
    assert dict(found) == pytest.approx({"mean": 0.1, "low": 0.1, "high": 0.1})
