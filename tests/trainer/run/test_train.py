"""Whole runs on tiny data, from a recipe to a checkpoint that is scored as it was recorded."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert import metrics
from minbert.checkpoint import export_encoder
from minbert.explain.heads_summary import bare_model
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from tests.support import assert_says, tiny_model
from tests.trainer.samples import header, sentiment_rows, write_table
from trainer.config import TrainConfig
from trainer.data.course import FILES, REVIEW_FILES, file_sha256, read_split
from trainer.data.hard_negatives import embed_questions
from trainer.evaluation.command import evaluate
from trainer.evaluation.scores import answer_task, score_all
from trainer.recipes import RECIPES
from trainer.run.folder import Run, RunError
from trainer.run.train import build_model, train

TINY: dict[str, Any] = {
    "max_length": 48,
    "precision": "fp32",
    "steps_per_epoch": 6,
    "batch_examples": 8,
    "learning_rate": 3e-3,
    "head_learning_rate": 1e-2,
}


@dataclasses.dataclass(frozen=True)
class Finished:
    """A finished run, read back."""

    run: Run
    told: list[str]

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run.result.read_text(encoding="utf-8"))
        return found

    @property
    def predictions(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run.predictions.read_text(encoding="utf-8"))
        return found

    def model(self) -> MultitaskBert:
        return MultitaskBert.from_pretrained(self.run.model)


Train = Callable[..., Finished]
MASKED = "demographic terms masked in 20 texts"


@pytest.fixture(scope="module")
def trained(data: Path, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Give a function that trains a recipe, made tiny, in a folder beside the other runs."""
    runs = tmp_path_factory.mktemp("runs")

    def run(recipe: str, name: str = "", folder: Path = data, **changes: Any) -> Finished:  # noqa: ANN401
        torch.set_num_threads(1)
        told: list[str] = []
        config = config_of(recipe, encoder_folder, **changes)
        out = runs / (name or recipe)
        train(config, folder, out, resume=False, device_name="cpu", report=told.append)
        return Finished(Run(out), told)

    return run


def config_of(recipe: str, encoder: Path, **changes: Any) -> TrainConfig:  # noqa: ANN401 - any field
    """Make a recipe tiny."""
    epochs = min(RECIPES[recipe].epochs, 2)
    settings = {**TINY, "encoder": str(encoder), "epochs": epochs, **changes}
    return dataclasses.replace(RECIPES[recipe], **settings)


def assert_predictions_agree(found: Finished, data: Path) -> None:
    """Assert that the stored predictions give the recorded scores, and evaluate the model's."""
    predictor = Predictor(found.model(), "cpu", runtime="torch")
    config = found.result["config"]
    for name, scores in found.result["metrics"].items():
        table = read_split(data, name, "dev", config["sentiment_data"])
        stored, labels = found.predictions[name], table.labels
        assert len(stored) == len(labels) == next(iter(scores.values()))["n"]
        assert found.predictions["files"][table.path.name] == file_sha256(table.path)
        answers = answer_task(
            predictor, TASKS[name], table.examples, both_orders=config["both_orders"]
        )
        if name == "similarity":
            assert stored == pytest.approx(answers["headline"].tolist(), abs=1e-3)
            wanted = metrics.pearson(stored, labels).value
            assert scores["pearson"]["value"] == pytest.approx(wanted, abs=2e-3)
        else:
            (told,) = answers.values()
            digits = [int(letter) for letter in stored]
            assert digits == told.astype(int).tolist()
            assert scores["accuracy"]["value"] == metrics.accuracy(digits, labels).value
    assert set(found.predictions) == {"files", *found.result["metrics"]}


def lines_of(found: Finished, phase: str) -> list[dict[str, Any]]:
    """Return a phase's lines of metrics.jsonl."""
    return found.run.logged(phase)


@pytest.fixture(scope="module")
def annealed(trained: Train) -> Finished:
    return trained("annealed")


def test_a_run_s_predictions_agree_with_its_scores(annealed: Finished, data: Path) -> None:
    assert_predictions_agree(annealed, data)
    assert list(annealed.result["metrics"]) == list(TASKS)
    assert set(annealed.result["files"]) == {
        FILES[name][split] for name in TASKS for split in ("train", "dev")
    }


def test_the_result_says_how_it_was_made(annealed: Finished, encoder_folder: Path) -> None:
    result = annealed.result
    assert result["recipe"] == "annealed"
    assert result["config"] == config_of("annealed", encoder_folder).to_dict()
    assert result["tokens"] == lines_of(annealed, "fine-tuning")[-1]["tokens"]
    assert result["encoder_sha256"] == file_sha256(encoder_folder / "model.safetensors")
    assert result["best"]["epoch"] in (0, 1, 2)
    assert [line["alpha"] for line in lines_of(annealed, "fine-tuning")] == pytest.approx([1, 0.2])


def test_evaluate_repeats_the_scores_of_a_run(annealed: Finished, data: Path) -> None:
    path = annealed.run.folder / "scores.json"
    table = evaluate(
        annealed.run.model,
        data,
        "dev",
        device="cpu",
        keep_trained=True,
        json_file=path,
        report=lambda _: None,
    )
    scores = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    found = annealed.result["metrics"]["sentiment"]["accuracy"]
    assert scores["sentiment"]["accuracy"] == found
    assert_says(table, found=f"{found['value']:.3f}")
    rows = {name: read_split(data, name, "dev").examples for name in TASKS}
    again = score_all(Predictor(annealed.model(), "cpu", runtime="torch"), rows, both_orders=False)
    for name, told in annealed.result["metrics"].items():
        for metric, value in told.items():
            assert again[name][metric].value == pytest.approx(value["value"], abs=1e-6)


@pytest.mark.parametrize("recipe", ["part1_cfimdb_pretrain", "part1_cfimdb_finetune"])
def test_reviews_train_two_classes_up_to_the_length(
    trained: Train, data: Path, recipe: str
) -> None:
    found = trained(recipe, max_length=24)
    model = found.model()
    assert (
        model.config.sentiment_classes == model.sentiment_logits(torch.zeros(1, 16)).shape[1] == 2
    )
    assert model.config.max_length == 24
    assert list(found.result["metrics"]) == ["sentiment"]
    assert set(found.result["files"]) == set(REVIEW_FILES.values())
    assert set(found.predictions["sentiment"]) <= {"0", "1"}
    assert_predictions_agree(found, data)
    assert found.result["normalised"] is None
    heads = lines_of(found, "heads")
    assert {line["task"] for line in heads} <= {"sentiment"}
    assert len(heads) == (3 if recipe.endswith("pretrain") else 0)
    assert (found.result["tokens"] > 0) is recipe.endswith("finetune")
    assert found.result["tokens"] <= 12 * 8 * 24


def test_the_baseline_trains_its_sentiment_head_and_leaves_the_others_as_drawn(
    trained: Train, data: Path, encoder_folder: Path
) -> None:
    found = trained("baseline")
    start = build_model(config_of("baseline", encoder_folder), lambda _: None).state_dict()
    model = found.model().state_dict()
    moved = {n for n, tensor in model.items() if not torch.equal(tensor, start[n].half().float())}
    assert moved == {"heads.sentiment.linear.weight", "heads.sentiment.linear.bias"}
    assert list(found.result["metrics"]) == list(TASKS)
    assert "zero_share" in found.result["metrics"]["similarity"]
    assert found.result["tokens"] == 0
    assert found.result["best"]["epoch"] == 0
    assert "quora-train.csv" not in found.result["files"]
    assert_predictions_agree(found, data)
    assert lines_of(found, "fine-tuning") == []


def test_masked_trains_on_masked_texts_and_is_scored_on_plain_ones(
    trained: Train, data: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    for split, seed in (("train", 1), ("dev", 2)):
        rows = [(row[0], f"the actress said {row[1]}", row[2]) for row in sentiment_rows(20, seed)]
        write_table(folder / FILES["sentiment"][split], header("sentiment"), rows)
    neutral = Path(shutil.copytree(folder, tmp_path / "neutral"))
    path = neutral / FILES["sentiment"]["train"]
    path.write_text(path.read_text(encoding="utf-8").replace("actress", "actor"), encoding="utf-8")
    masked = trained("masked", folder=folder, epochs=1)
    by_hand = trained("annealed", "masked by hand", folder=neutral, epochs=1)
    assert [line for line in masked.told if line.split(": ")[1:2] == [MASKED]] == [
        f"ids-sst-train.csv: {MASKED}"
    ]
    for name in ("model.safetensors", "heads.safetensors", "config.json"):
        assert (masked.run.model / name).read_bytes() == (by_hand.run.model / name).read_bytes()
    assert masked.predictions == by_hand.predictions
    plain = trained("annealed", "not masked", folder=folder, epochs=1)
    assert (plain.run.model / "model.safetensors").read_bytes() != (
        masked.run.model / "model.safetensors"
    ).read_bytes()


def test_projected_attention_layers_are_stored_and_scored(trained: Train, data: Path) -> None:
    found = trained("pals", pal_size=8, pal_epochs=1)
    model = found.model()
    assert model.config.pal_size == 8
    assert model.encoder.pals is not None
    assert_predictions_agree(found, data)


def test_the_contrastive_row_logs_its_loss_for_every_task(trained: Train, data: Path) -> None:
    found = trained("contrastive", sampler="round_robin")
    (line,) = lines_of(found, "fine-tuning")
    assert set(line["contrastive"]) == set(TASKS)
    assert all(value > 0 for value in line["contrastive"].values())
    assert found.result["config"]["epochs"] == 1
    assert_predictions_agree(found, data)


def test_phase_0_makes_an_encoder_beside_the_run_that_a_second_run_reuses(
    trained: Train, encoder_folder: Path
) -> None:
    first = trained("mlm_mean_pretraining", mlm_passes=0.5)
    beside = first.run.folder.parent / "mlm-0-0.5" / "model"
    weights = beside / "model.safetensors"
    made = weights.stat().st_mtime_ns
    second = trained("mlm_cls_pretraining", mlm_passes=0.5)
    assert_says("\n".join(second.told), found=f"{beside} is finished already")
    assert_says("\n".join(first.told), never=f"{beside} is finished already")
    assert weights.stat().st_mtime_ns == made
    for found in (first, second):
        assert found.result["config"]["encoder"] == str(encoder_folder), "as the recipe says"
        assert found.result["config"]["mlm_passes"] == 0.5
    config = dataclasses.replace(config_of("mean_pretraining", encoder_folder), epochs=0)
    from_mlm = build_model(config, lambda _: None, beside).encoder.state_dict()
    plain = build_model(config, lambda _: None).encoder.state_dict()
    stored = first.model().encoder.state_dict()
    assert all(torch.equal(t, from_mlm[n].half().float()) for n, t in stored.items())
    assert not all(torch.equal(t, plain[n].half().float()) for n, t in stored.items())
    other = trained("mlm_mean_pretraining", "other seed", mlm_passes=0.5, seed=1)
    assert (other.run.folder.parent / "mlm-1-0.5" / "model").is_dir()


def test_an_encoder_of_one_token_type_trains_on_pairs(data: Path, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, type_vocab_size=1, pair_token_types=False, vocab_size=160)
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, tmp_path / "encoder")
    encoder = str(tmp_path / "encoder")
    config = config_of("mean", Path(encoder), epochs=1, head_epochs=0)
    out = tmp_path / "run"
    train(config, data, out, resume=False, device_name="cpu", report=lambda _: None)
    shape = MultitaskBert.from_pretrained(out / "model").config
    assert (shape.pair_token_types, shape.encoder.vocab_size) == (False, 160)
    assert len(Predictor(bare_model(encoder), "cpu").pairs([("a film", "the film")])) == 1
    assert embed_questions(["a film"], encoder, "cpu").shape == (1, 16)


def test_a_task_that_is_trained_but_not_scored_goes_through(trained: Train, data: Path) -> None:
    found = trained("two_tower", scored_tasks="sentiment", epochs=1)
    assert list(found.result["metrics"]) == ["sentiment"]
    undefined = [line for line in lines_of(found, "heads") if line["task"] == "paraphrase"]
    assert [line["accuracy"] for line in undefined] == [None] * 3
    assert_predictions_agree(found, data)


def test_runs_share_embeddings_of_one_encoder(trained: Train) -> None:
    first = trained("mean_pretraining", "first")
    cache = first.run.folder.parent / "embeddings"
    before = set(cache.iterdir())
    assert len(before) >= 6
    second = trained("mean_pretraining", "second", head_epochs=2)
    assert set(cache.iterdir()) == before
    assert len(lines_of(second, "heads")) == 6


def test_a_finished_run_is_left_alone_and_no_other_run_takes_its_place(
    annealed: Finished, data: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    config, moved = config_of("annealed", encoder_folder), tmp_path / "data"
    shutil.copytree(data, moved)  # the same data in another place
    out = Path(shutil.copytree(annealed.run.folder, tmp_path / "run"))
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    told: list[str] = []
    options: dict[str, Any] = {"device_name": "cpu", "report": told.append}
    train(config, moved, out, resume=True, **options)
    assert told[-1] == f"{out / 'model'} is finished already."
    with (moved / "sts-dev.csv").open("a", encoding="utf-8") as file:
        file.write("99\tnew\tthe cat runs\tthe cat sits\t1.5\n")
    other = dataclasses.replace(config, seed=1)
    for settings, folder, resume, found in (
        (other, data, True, "config.seed: 0 then, 1 now"),
        (config, moved, True, "files.sts-dev.csv: "),
        (config, data, False, "--resume"),
    ):
        with pytest.raises(RunError) as caught:
            train(settings, folder, out, resume=resume, **options)
        assert_says(caught.value, parameter=str(out), found=found)
        assert str(caught.value).count(" then, ") == int(resume)
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before
