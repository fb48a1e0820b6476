"""The command `evaluate`: scores, errors, baselines, and pairs that the model has seen."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from minbert import metrics
from minbert.demographics.masking import masking
from minbert.demographics.terms_in_text import find_terms
from minbert.metrics import Metric
from minbert.predictor import Predictor
from minbert.tables import DataError, Example
from minbert.tasks import TASKS
from tests.support import assert_says, tiny_model
from tests.trainer.samples import header, task_rows, write_table
from trainer.cli import main
from trainer.data.course import FILES, file_sha256, pair_hash, read_split
from trainer.data.seen import leave_out_seen, read_trained_on, write_trained_on
from trainer.evaluation.command import evaluate
from trainer.evaluation.scores import majority_baseline, normalised, recorded, score_all, score_task

METRICS = {
    "sentiment": ["accuracy", "within_one", "train's majority", "own majority"],
    "paraphrase": ["accuracy", "f1", "train's majority", "own majority"],
    "similarity": ["pearson", "spearman", "joint_pearson", "siamese_pearson"],
}
ROW = re.compile(
    r"(?P<task>\w+) +(?P<metric>[\w' ]+?) +(?P<value>-?\d\.\d{3}|undefined)"
    r"( ± (?P<se>\d\.\d{3}))? +(?P<n>[\d,]+)"
)


@pytest.fixture
def checkpoint(model_folder: Path, tmp_path: Path) -> Path:
    """Give a checkpoint that a test may add files to."""
    return Path(shutil.copytree(model_folder, tmp_path / "checkpoint"))


def evaluated(
    model: Path,
    data: Path,
    *,
    keep_trained: bool = False,
    split: str = "dev",
    masked: bool = False,
) -> tuple[str, dict[str, Any], list[str]]:
    """Evaluate; return the table, the JSON file and the lines told."""
    told: list[str] = []
    path = model.parent / "scores.json"
    table = evaluate(
        model,
        data,
        split,
        device="cpu",
        keep_trained=keep_trained,
        json_file=path,
        report=told.append,
        masked=masked,
    )
    return table, json.loads(path.read_text(encoding="utf-8")), told


def test_the_table_and_the_json_hold_every_metric_with_its_error(
    checkpoint: Path, data: Path
) -> None:
    table, scores, _ = evaluated(checkpoint, data)
    lines = table.splitlines()
    assert lines[0].split() == ["task", "metric", "dev", "±", "SE", "n"]
    rows = [match.groupdict() for line in lines[1:-1] if (match := ROW.fullmatch(line))]
    assert [(row["task"], row["metric"]) for row in rows] == [
        (task, metric) for task, names in METRICS.items() for metric in names
    ]
    for row in rows:
        stored = scores["metrics"][row["task"]][row["metric"]]
        assert float(row["value"]) == pytest.approx(stored["value"], abs=6e-4)
        assert float(row["se"]) == pytest.approx(stored["se"], abs=6e-4)
        assert int(row["n"]) == stored["n"] == 16
        assert stored["split"] == "dev"
    assert lines[-1] == f"normalised mean: {scores['normalised']:.4f}"


def test_scores_are_the_predictor_s_on_the_mean_of_both_orders(
    checkpoint: Path, data: Path
) -> None:
    _, scores, _ = evaluated(checkpoint, data)
    predictor = Predictor.from_pretrained(checkpoint, "cpu")
    rows = read_split(data, "sentiment", "dev").examples
    classes = [
        result.probabilities.index(max(result.probabilities))
        for result in predictor.sentiment([row.texts[0] for row in rows])
    ]
    hits = [found == row.label for found, row in zip(classes, rows, strict=True)]
    near = [abs(found - row.label) <= 1 for found, row in zip(classes, rows, strict=True)]
    found = scores["metrics"]["sentiment"]
    assert found["accuracy"]["value"] == pytest.approx(sum(hits) / 16)
    assert found["within_one"]["value"] == pytest.approx(sum(near) / 16)

    rows = read_split(data, "paraphrase", "dev").examples
    results = predictor.pairs([(row.texts[0], row.texts[1]) for row in rows])
    yes = [result.paraphrase > 0.5 for result in results]
    assert scores["metrics"]["paraphrase"]["accuracy"]["value"] == pytest.approx(
        sum(found == (row.label == 1) for found, row in zip(yes, rows, strict=True)) / 16
    )
    assert scores["metrics"]["paraphrase"]["f1"]["value"] == pytest.approx(
        metrics.f1(yes, [row.label == 1 for row in rows]).value
    )

    rows = read_split(data, "similarity", "dev").examples
    results = predictor.pairs([(row.texts[0], row.texts[1]) for row in rows])
    labels = [row.label for row in rows]
    found = scores["metrics"]["similarity"]
    columns = {
        "pearson": [result.similarity for result in results],
        "joint_pearson": [result.joint for result in results],
        "siamese_pearson": [result.siamese for result in results],
    }
    for name, values in columns.items():
        assert found[name]["value"] == pytest.approx(
            metrics.pearson(values, labels).value, abs=1e-5
        )
    assert found["spearman"]["value"] == pytest.approx(
        metrics.spearman(columns["pearson"], labels).value, abs=1e-5
    )
    assert len({round(metric["value"], 6) for metric in found.values()}) == 4


def test_one_order_alone_is_the_file_s(checkpoint: Path, data: Path) -> None:
    predictor = Predictor.from_pretrained(checkpoint, "cpu")
    rows = read_split(data, "similarity", "dev").examples
    pairs = [(row.texts[0], row.texts[1]) for row in rows]
    labels = [row.label for row in rows]
    scores = score_task(predictor, TASKS["similarity"], rows, both_orders=False)
    forth = predictor.joint(pairs)[1]
    assert scores["joint_pearson"].value == pytest.approx(
        metrics.pearson(forth.numpy(), labels).value
    )
    both = score_task(predictor, TASKS["similarity"], rows, both_orders=True)
    assert scores["joint_pearson"].value != both["joint_pearson"].value


def test_baselines_stand_beside_the_scores(checkpoint: Path, data: Path) -> None:
    _, scores, _ = evaluated(checkpoint, data)
    for name in ("sentiment", "paraphrase"):
        train, dev = (read_split(data, name, split).labels for split in ("train", "dev"))
        found = scores["metrics"][name]
        common = max(sorted(set(train)), key=train.count)
        share = dev.count(common) / 16
        assert found["train's majority"]["value"] == pytest.approx(share)
        assert found["train's majority"]["se"] == pytest.approx(math.sqrt(share * (1 - share) / 16))
        assert found["own majority"]["value"] == max(map(dev.count, dev)) / 16


def test_without_a_training_file_only_its_own_baseline_is_told(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "dev-only"
    folder.mkdir()
    for files in FILES.values():
        shutil.copy(data / files["dev"], folder)
    _, scores, _ = evaluated(checkpoint, folder)
    assert list(scores["metrics"]["sentiment"]) == ["accuracy", "within_one", "own majority"]


def test_majority_baselines_by_hand() -> None:
    labels = [0.0, 1.0, 1.0, 2.0]
    assert majority_baseline(TASKS["sentiment"], [3.0, 1.0, 1.0], labels) == Metric(0.5, 0.25, 4)
    assert majority_baseline(TASKS["sentiment"], [3.0], labels) == Metric(0.0, 0.0, 4)
    assert majority_baseline(TASKS["similarity"], [3.0], labels) is None


def trained_pairs(checkpoint: Path, data: Path) -> None:
    """Mark three dev pairs, one of them turned, as ones that the model was trained on."""
    rows = read_split(data, "paraphrase", "dev").examples
    turned = Example("x", (rows[5].texts[1].upper(), rows[5].texts[0]), 0.0)
    wanted = {frozenset(row.texts) for row in (rows[0], rows[5], rows[9])}
    assert sum(frozenset(row.texts) in wanted for row in rows) == 3, "no pair stands there twice"
    examples = {"paraphrase": [rows[0], turned, rows[9]], "similarity": [rows[2]]}
    write_trained_on(checkpoint, {}, {**examples, "sentiment": rows})


def test_pairs_that_trained_the_model_are_left_out_and_told(checkpoint: Path, data: Path) -> None:
    trained_pairs(checkpoint, data)
    _, scores, told = evaluated(checkpoint, data)
    assert scores["left_out"] == {"sentiment": 0, "paraphrase": 3, "similarity": 0}
    assert_says("\n".join(told), found="quora-dev.csv: 3 pairs")
    assert scores["metrics"]["paraphrase"]["accuracy"]["n"] == 13
    assert scores["metrics"]["paraphrase"]["own majority"]["n"] == 13
    assert scores["metrics"]["similarity"]["pearson"]["n"] == 16
    rows = read_split(data, "paraphrase", "dev").examples
    unseen = [row for place, row in enumerate(rows) if place not in (0, 5, 9)]
    predictor = Predictor.from_pretrained(checkpoint, "cpu")
    wanted = score_task(predictor, TASKS["paraphrase"], unseen, both_orders=True)
    assert scores["metrics"]["paraphrase"]["accuracy"]["value"] == wanted["accuracy"].value


def test_pairs_that_trained_the_model_are_kept_when_asked_for(checkpoint: Path, data: Path) -> None:
    trained_pairs(checkpoint, data)
    _, scores, told = evaluated(checkpoint, data, keep_trained=True)
    assert scores["left_out"] == {"sentiment": 0, "paraphrase": 0, "similarity": 0}
    assert_says("\n".join(told), found="quora-dev.csv: 3 pairs")
    assert scores["metrics"]["paraphrase"]["accuracy"]["n"] == 16


def test_seen_pairs_are_found_in_both_orders() -> None:
    rows = [Example(str(n), (f"text {n}", f"other {n}"), 1.0) for n in range(6)]
    seen = {pair_hash(rows[1].texts), pair_hash((rows[4].texts[1], rows[4].texts[0]))}
    unseen, trained = leave_out_seen(rows, seen)
    assert [row.id for row in unseen] == ["0", "2", "3", "5"]
    assert [row.id for row in trained] == ["1", "4"]


def test_a_file_that_trained_the_model_is_told(checkpoint: Path, data: Path) -> None:
    files = {name: "0" * 64 for name in ("ids-sst-dev.csv", "sts-dev.csv")}
    files["ids-sst-dev.csv"] = file_sha256(data / "ids-sst-dev.csv")
    write_trained_on(checkpoint, files, {"paraphrase": []})
    _, _, told = evaluated(checkpoint, data)
    assert [line.split(":")[0] for line in told if line.endswith("trained the model")] == [
        "ids-sst-dev.csv"
    ]


def test_a_split_that_was_trained_on_whole_is_refused(checkpoint: Path, data: Path) -> None:
    rows = read_split(data, "similarity", "train").examples
    path = data / "sts-train.csv"
    write_trained_on(checkpoint, {path.name: file_sha256(path)}, {"similarity": rows})
    told = r"sts-train\.csv should hold pairs that the model was not trained on.*--keep-trained"
    with pytest.raises(DataError, match=told):
        evaluated(checkpoint, data, split="train")
    _, scores, told_lines = evaluated(checkpoint, data, split="train", keep_trained=True)
    assert scores["metrics"]["similarity"]["pearson"]["n"] == 48
    assert scores["metrics"]["similarity"]["pearson"]["split"] == "train"
    assert_says("\n".join(told_lines), found=("sts-train.csv: this", "sts-train.csv: 48 pairs"))


def test_what_a_model_was_trained_on_is_read_back(tmp_path: Path) -> None:
    rows = {
        name: [Example(row[0], row[1:-1], 0.0) for row in task_rows(name, 9, 1)] for name in TASKS
    }
    write_trained_on(tmp_path, {"a.csv": "ff"}, rows)
    files, seen = read_trained_on(tmp_path)
    assert files == {"a.csv": "ff"}
    assert set(seen) == {"paraphrase", "similarity"}
    for name, hashes in seen.items():
        unseen, trained = leave_out_seen(rows[name], hashes)
        assert (len(unseen), len(trained)) == (0, 9)
    assert read_trained_on(tmp_path / "nowhere") == ({}, {})


def test_broken_rows_are_told(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    rows = [list(row) for row in task_rows("sentiment", 5, 3)]
    rows[3][1] = " "
    write_table(folder / "ids-sst-dev.csv", header("sentiment"), rows)
    _, scores, told = evaluated(checkpoint, folder)
    assert_says("\n".join(told), found="ids-sst-dev.csv: 4 rows, 1 left out (line 5: ")
    assert scores["metrics"]["sentiment"]["accuracy"]["n"] == 4


def test_an_undefined_score_is_null_and_told_as_such(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    rows = [(*row[:-1], "2.5") for row in task_rows("similarity", 6, 3)]
    write_table(folder / "sts-dev.csv", header("similarity"), rows)
    table, scores, _ = evaluated(checkpoint, folder)
    assert scores["metrics"]["similarity"]["pearson"]["value"] is None
    assert scores["normalised"] is None
    assert table.splitlines()[-1] == "normalised mean: undefined"
    assert table.count("undefined") == 5


def test_the_normalised_mean_takes_the_three_main_metrics() -> None:
    scores = {
        "sentiment": {"within_one": Metric(0.9, None, 1), "accuracy": Metric(0.521, None, 1)},
        "paraphrase": {"f1": Metric(0.9, None, 1), "accuracy": Metric(0.803, None, 1)},
        "similarity": {"spearman": Metric(0.9, None, 1), "pearson": Metric(0.857, None, 1)},
    }
    assert normalised(scores) == pytest.approx((0.521 + 0.803 + 0.9285) / 3)
    assert dict(recorded(scores, "dev")["similarity"]["pearson"]) == {
        "value": 0.857,
        "se": None,
        "n": 1,
        "split": "dev",
    }


def test_all_tasks_given_are_scored(checkpoint: Path, data: Path) -> None:
    predictor = Predictor.from_pretrained(checkpoint, "cpu")
    rows = {name: read_split(data, name, "dev").examples for name in TASKS}
    scores = score_all(predictor, rows, both_orders=False)
    assert {name: list(found) for name, found in scores.items()} == {
        name: names[:2] if name != "similarity" else names for name, names in METRICS.items()
    }


def test_provenance_stands_beside_the_scores(checkpoint: Path, data: Path) -> None:
    _, scores, _ = evaluated(checkpoint, data)
    assert {"commit", "machine", "threads", "torch", "python"} <= set(scores)


def test_a_two_class_model_is_refused(tmp_path: Path, data: Path) -> None:
    tiny_model(tmp_path, sentiment_classes=2).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"five sentiment classes of SST. Found 2"):
        evaluated(tmp_path, data)


def test_a_folder_without_data_says_how_to_get_it(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ids-sst-dev\.csv should exist.*trainer download"):
        evaluated(checkpoint, tmp_path)


def test_the_command_prints_the_table(
    checkpoint: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, scores, _ = evaluated(checkpoint, data)
    path = checkpoint.parent / "command.json"
    command = ["evaluate", "--model", str(checkpoint), "--data", str(data), "--device", "cpu"]
    assert main([*command, "--json", str(path)]) == 0
    assert capsys.readouterr().out == table + "\n"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["metrics"] == scores["metrics"]


def test_demographic_terms_are_masked_on_request(
    checkpoint: Path, data: Path, tmp_path: Path
) -> None:
    more = Path(shutil.copytree(data, tmp_path / "data"))
    path = read_split(more, "similarity", "dev").path
    told_rows = [
        ("a", "the actress sleeps", "the actor runs", "4.5"),
        ("b", "the cat sleeps", "the woman plays", "1.0"),
        ("c", "a python learns", "the cat was red", "0.5"),
        ("d", "his red film", "the red film", "3.0"),
    ]
    write_table(path, header("similarity", labelled=True), told_rows)
    _, plain, told = evaluated(checkpoint, more)
    assert "masked" not in plain
    assert_says("\n".join(told), never="masked")
    _, found, told = evaluated(checkpoint, more, masked=True)
    assert found["masked"] is True
    assert_says(told[0], found="masked")
    rows = read_split(more, "similarity", "dev").examples
    assert any(find_terms(text) for row in rows for text in row.texts), "there is something to mask"
    predictor = masking(Predictor.from_pretrained(checkpoint, "cpu", runtime="torch"))
    wanted = score_task(predictor, TASKS["similarity"], rows, both_orders=True)["pearson"].value
    assert found["metrics"]["similarity"]["pearson"]["value"] == pytest.approx(wanted)
    assert plain["metrics"]["similarity"]["pearson"]["value"] != pytest.approx(wanted)
