"""Reproducing the report's rows: what is run, what is skipped, and what is recorded of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.files import write_json
from minbert.records.runs import Run as Record
from minbert.records.runs import Shares
from minbert.tasks import TASKS
from tests.support import assert_says
from trainer.cli import main
from trainer.commands.terminal import RESULTS
from trainer.config import TrainConfig
from trainer.recipes import ROWS
from trainer.recipes.profiles import PROFILES
from trainer.reproduction import reproduce as module
from trainer.reproduction.claims import CLAIMS
from trainer.reproduction.reproduce import (
    configured,
    is_recorded,
    minutes_left,
    pair_means,
    read_records,
    reproduce,
)
from trainer.reproduction.tables import tables
from trainer.run.folder import Run, RunError

NAMES = ("surgery", "mean_pretraining", "part1_cfimdb_pretrain")  # not in the tables' order
Go = Callable[..., list[str]]


class KilledError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module", autouse=True)
def tiny_profile(encoder_folder: Path) -> Iterator[None]:
    """Offer a profile that fits these tests."""

    def tiny(config: TrainConfig) -> dict[str, Any]:
        return {
            **{"encoder": str(encoder_folder), "max_length": 48, "precision": "fp32"},
            **{"epochs": min(config.epochs, 2), "steps_per_epoch": 4, "checkpoint_every": 2},
            "batch_examples": 8,
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES, "tiny", tiny)
        yield


@pytest.fixture(scope="module")
def go(data: Path) -> Go:
    """Give a function that reproduces rows in a folder and returns the lines told."""

    def run(
        folder: Path,
        names: tuple[str, ...] = NAMES,
        seeds: int = 1,
        report: Callable[[str], None] | None = None,
        profile: str = "tiny",
    ) -> list[str]:
        torch.set_num_threads(1)
        told: list[str] = []
        reproduce(
            names,
            range(seeds),
            profile,
            data=data,
            runs=folder / "runs",
            results=folder / "results",
            device_name="cpu",
            report=report or told.append,
        )
        return told

    return run


@pytest.fixture(scope="module")
def whole(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which the rows ran; nobody writes there."""
    folder = tmp_path_factory.mktemp("whole")
    told = go(folder)
    (folder / "told.txt").write_text("\n".join(told), encoding="utf-8")
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """Give a copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def strictly(path: Path) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON as the standard has it, without NaN or infinities."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in {path}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def records_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = strictly(folder / "results" / "reproduction.json")
    return found


def record_of(folder: Path, row: str) -> dict[str, Any]:
    (found,) = (record for record in records_of(folder) if record["row"] == row)
    return found


def result_of(folder: Path, row: str) -> dict[str, Any]:
    found: dict[str, Any] = strictly(folder / "runs" / f"{row}-0" / "result.json")
    return found


def test_missing_rows_run_in_the_order_asked_for_and_are_filed_in_the_tables_order(
    whole: Path,
) -> None:
    told = (whole / "told.txt").read_text(encoding="utf-8").splitlines()
    assert told[0] == "0 of 3 runs are there; 3 to go"
    begun = [line.split("; ")[0] for line in told if line.startswith("Run ")]
    assert begun == [
        f"Run {place} of 3: {name}, seed 0, profile tiny" for place, name in enumerate(NAMES, 1)
    ]
    left = [line.split("; ")[1] for line in told if line.startswith("Run ")]
    assert left[0] == "no telling yet how many minutes left in all"
    assert len(left) == 3
    for told_later in left[1:]:  # how many is the clock's to say
        assert told_later.startswith("about ")
        assert told_later.endswith(" minutes left in all")
    changes = [line for line in told if line.startswith("Profile tiny changes: encoder google-b")]
    assert len(changes) == 3
    assert_says(changes[0], found=" epochs 10 -> 2,")
    assert_says(changes[1], never=" epochs ")
    assert [record["row"] for record in records_of(whole)] == [
        *("part1_cfimdb_pretrain", "mean_pretraining", "surgery"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_holds_what_came_out_and_what_the_report_says(whole: Path, name: str) -> None:
    record, result, row = record_of(whole, name), result_of(whole, name), ROWS[name]
    assert (record["title"], record["table"], record["note"]) == (row.title, row.table, row.note)
    assert (record["seed"], record["profile"]) == (0, "tiny")
    assert record["report"] == row.report
    assert record["report_split"] == "dev"
    assert record["config"] == result["config"] == configured(row, 0, "tiny").to_dict()
    for field in ("minutes", "tokens", "commit", "machine", "threads", "torch"):
        assert record[field] == result[field]
    assert record["best_epoch"] == result["best"]["epoch"]


def test_metrics_are_named_by_task_and_the_mean_counts_all_examples(whole: Path) -> None:
    record, result = record_of(whole, "surgery"), result_of(whole, "surgery")
    wanted = {f"{t} {n}": m for t, found in result["metrics"].items() for n, m in found.items()}
    mean = {"value": result["normalised"], "se": None, "n": 48, "split": "dev"}
    assert record["metrics"] == {**wanted, "normalised": mean}
    assert set(ROWS["surgery"].report) < set(record["metrics"])


def test_reviews_are_no_sentiment_score(whole: Path) -> None:
    record = record_of(whole, "part1_cfimdb_pretrain")
    accuracy = result_of(whole, "part1_cfimdb_pretrain")["metrics"]["sentiment"]["accuracy"]
    assert record["metrics"] == {"cfimdb accuracy": accuracy}
    assert set(record["report"]) == set(record["metrics"])


def test_the_curve_and_shares_are_those_of_the_log(whole: Path) -> None:
    record = record_of(whole, "surgery")
    log = Run(whole / "runs" / "surgery-0").logged("validation")
    assert [point["epoch"] for point in record["curve"]] == [0, 1, 2]
    for point, line in zip(record["curve"], log, strict=True):
        assert point["tokens"] == line["tokens"]
        assert point["normalised"] == line["selection"]
        assert point["sentiment"] == line["scores"]["sentiment"]["accuracy"]["value"]
        assert point["paraphrase"] == line["scores"]["paraphrase"]["accuracy"]["value"]
        assert point["similarity"] == line["scores"]["similarity"]["pearson"]["value"]
    third = {name: pytest.approx(1 / 3) for name in TASKS}
    assert record["probabilities"] == [{"epoch": e, "alpha": None, "p": third} for e in (1, 2)]
    frozen = record_of(whole, "mean_pretraining")
    assert (frozen["curve"], frozen["probabilities"], frozen["surgery"]) == ([], [], [])


def test_surgery_s_steps_are_averaged_by_epoch(whole: Path) -> None:
    record = record_of(whole, "surgery")
    lines = Run(whole / "runs" / "surgery-0").logged("surgery")
    assert len(lines) == 8
    assert [(entry["epoch"], entry["steps"]) for entry in record["surgery"]] == [(1, 4), (2, 4)]
    for entry in record["surgery"]:
        steps = [line["pairs"] for line in lines if line["epoch"] == entry["epoch"]]
        assert len(entry["pairs"]) == 3
        for name, found in entry["pairs"].items():
            conflicts = [step[name]["conflict"] for step in steps]
            assert found["conflict_rate"] == sum(conflicts) / 4
            assert found["cosine"] == pytest.approx(sum(s[name]["cosine"] for s in steps) / 4)


def test_averages_of_a_pair_by_hand() -> None:
    def step(conflict: bool, before: float | None, after: float | None) -> dict[str, Any]:
        return {"a-b": {"conflict": conflict, "cosine": before, "cosine_after": after}}

    steps = [step(True, -0.4, 0.1), step(False, None, None), step(False, 0.1, -0.1)]
    assert dict(pair_means([*steps, step(True, -0.3, 0.3)])["a-b"]) == {
        "conflict_rate": 0.5,
        "cosine": pytest.approx(-0.2),
        "conflict_rate_after": pytest.approx(1 / 3),
        "cosine_after": pytest.approx(0.1),
    }
    assert dict(pair_means([step(False, None, None)])["a-b"]) == {
        **{"conflict_rate": 0.0, "cosine": None},
        **{"conflict_rate_after": None, "cosine_after": None},
    }


def test_an_epoch_s_last_shares_are_recorded(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.prepare(TrainConfig(), {}, resume=False)
    for epoch, alpha, share in ((2, 0.6, 0.5), (1, 1.0, 0.9), (1, 1.0, 0.8)):
        run.log(phase="fine-tuning", epoch=epoch, alpha=alpha, probabilities={"a": share})
    assert module.probabilities_of(run) == (
        Shares(epoch=1, alpha=1.0, p={"a": 0.8}),
        Shares(epoch=2, alpha=0.6, p={"a": 0.5}),
    )


def test_predictions_are_kept_and_the_run_s_folder_is_pruned(whole: Path) -> None:
    for name in NAMES:
        folder = whole / "runs" / f"{name}-0"
        kept = whole / "results" / "predictions" / f"{name}-0.json"
        assert kept.read_bytes() == (folder / "predictions.json").read_bytes()
        assert sorted(path.name for path in folder.iterdir()) == [
            *("metrics.jsonl", "model", "predictions.json", "result.json", "run.json"),
        ]
        assert (folder / "model" / "model.safetensors").is_file()


def test_every_claim_is_judged_and_no_file_holds_nan(whole: Path) -> None:
    found = strictly(whole / "results" / "comparisons.json")
    assert [claim["claim"] for claim in found] == [claim.id for claim in CLAIMS]
    for path in whole.rglob("*.json"):
        strictly(path)


def test_what_is_recorded_is_skipped(go: Go, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", lambda *_, **__: pytest.fail("trained again"))
    before = (copy / "results" / "reproduction.json").read_bytes()
    (copy / "results" / "comparisons.json").unlink()
    shutil.rmtree(copy / "runs")
    assert go(copy) == ["3 of 3 runs are there; 0 to go"]
    assert (copy / "results" / "reproduction.json").read_bytes() == before
    assert (copy / "results" / "comparisons.json").is_file()


def test_another_seed_runs_beside_the_first(go: Go, copy: Path) -> None:
    told = go(copy, ("mean_pretraining", "part1_cfimdb_pretrain"), seeds=2)
    assert told[0] == "2 of 4 runs are there; 2 to go"
    assert [(record["row"], record["seed"]) for record in records_of(copy)] == [
        *(("part1_cfimdb_pretrain", 0), ("part1_cfimdb_pretrain", 1)),
        *(("mean_pretraining", 0), ("mean_pretraining", 1), ("surgery", 0)),
    ]
    assert records_of(copy)[3]["config"]["seed"] == 1
    assert (copy / "results" / "predictions" / "mean_pretraining-1.json").is_file()


def test_a_row_whose_settings_changed_runs_again(go: Go, copy: Path) -> None:
    records = records_of(copy)
    records[1]["config"]["head_learning_rate"] = 0.5
    records[1]["minutes"] = 77.0
    write_json(copy / "results" / "reproduction.json", records)
    shutil.rmtree(copy / "runs" / "mean_pretraining-0")
    told = go(copy)
    assert told[0] == "2 of 3 runs are there; 1 to go"
    assert told[1].endswith("mean_pretraining, seed 0, profile tiny; about 77 minutes left in all")
    assert len(records_of(copy)) == 3
    assert record_of(copy, "mean_pretraining")["minutes"] < 77.0


def test_another_profile_is_kept_apart(go: Go, copy: Path) -> None:
    before = (copy / "results" / "reproduction.json").read_bytes()
    with pytest.raises(ValueError, match=r"one profile. Found runs of tiny in .* for report"):
        go(copy, ("mean_pretraining",), profile="report")
    assert (copy / "results" / "reproduction.json").read_bytes() == before
    (copy / "results" / "reproduction.json").unlink()
    with pytest.raises(RunError, match="as it was begun"):
        go(copy, ("mean_pretraining",), profile="report")


def test_a_setting_that_a_record_lacks_counts_as_its_default(whole: Path) -> None:
    row, records = ROWS["mean_pretraining"], read_records(whole / "results")
    assert is_recorded(records, row, 0, "tiny")
    for record in records:
        del record.config["pal_size"]
    assert is_recorded(records, row, 0, "tiny")
    assert not is_recorded(records, row, 1, "tiny")
    assert not is_recorded(records, row, 0, "report")
    for record in records:
        del record.config["pooling"]
        record.config["similarity_head"] = "linear"
    assert not is_recorded(records, row, 0, "tiny")


@pytest.mark.parametrize("stop", ["training", "store_predictions", "add_record"])
def test_a_killed_reproduction_goes_on(
    go: Go, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    def killed(*_: object) -> None:
        raise KilledError

    def report(line: str) -> None:
        if stop == "training" and line.startswith("Phase 1, similarity"):
            raise KilledError

    with monkeypatch.context() as patch:
        if stop != "training":
            patch.setattr(module, stop, killed)
        with pytest.raises(KilledError):
            go(tmp_path, ("mean_pretraining",), report=report)
    assert not (tmp_path / "results" / "reproduction.json").exists()
    told = go(tmp_path, ("mean_pretraining",))
    went_on = "Continuing in heads at step 0." if stop == "training" else "is finished already."
    assert any(line.endswith(went_on) for line in told)
    found, wanted = record_of(tmp_path, "mean_pretraining"), record_of(whole, "mean_pretraining")
    assert found["metrics"] == wanted["metrics"]
    kept = "results/predictions/mean_pretraining-0.json"
    assert (tmp_path / kept).read_bytes() == (whole / kept).read_bytes()


def test_the_minutes_left_by_hand() -> None:
    def record(row: str, minutes: float, profile: str = "cpu") -> Record:
        return Record(row=row, table="dev", metrics={}, minutes=minutes, profile=profile)

    missing = [(ROWS[name], 0) for name in ("annealed", "cosine", "surgery")]
    records = [record("annealed", 20.0), record("baseline", 2.0), record("cls_pretraining", 5.0)]
    other = record("cosine", 500.0, "report")
    assert minutes_left(missing, [*records, other], "cpu") == "about 30 minutes"  # 20 + 5 + 5
    assert minutes_left(missing, [other], "cpu") == "no telling yet how many minutes"
    assert minutes_left(missing[:1], [record("baseline", 0.1)], "cpu") == "about 1 minutes"


def test_the_command_runs_every_row_unless_some_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "reproduce", lambda *found, **_: calls.append(found))
    assert main(["reproduce"]) == 0
    assert (
        main(["reproduce", "--rows", "cosine", "all", "--seeds", "3", "--profile", "report"]) == 0
    )
    assert calls == [(tuple(ROWS), range(1), "cpu"), (["cosine", "all"], range(3), "report")]
    shown = tables(RESULTS)
    assert capsys.readouterr().out == 2 * (shown + "\n")
    assert all(f"`{name}`" in shown for name in ROWS), "every row, from the saved results"
    assert main(["reproduce", "--seeds", "0"]) == 1
    assert_says(capsys.readouterr().err, parameter="`--seeds`", rule="1", found="0")
