"""Phase 2 from its first validation to its last: what is logged, kept and saved, and when."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.metrics import Metric
from minbert.tasks import TASKS
from tests.trainer.tuning import tuning_of
from trainer.evaluation.scores import Scores
from trainer.run.fine_tuning import FineTuning, learning_rate_at
from trainer.run.folder import Run
from trainer.run.loop import fine_tune, record_validation


def scored(sentiment: float | None, pearson: float | None) -> dict[str, Scores]:
    """Make scores with only the main metrics."""
    return {
        "sentiment": {"accuracy": Metric(sentiment, 0.01, 50)},
        "paraphrase": {"accuracy": Metric(0.5, 0.01, 50)},
        "similarity": {"pearson": Metric(pearson, None, 50)},
    }


def lines_of(run: Run) -> list[dict[str, Any]]:
    """Read a run's metrics; a NaN in them is an error."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} in metrics.jsonl")

    text = (run.folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give an empty run's folder."""
    fresh = Run(tmp_path / "run")
    fresh.folder.mkdir()
    return fresh


def validated(tuning: FineTuning, run: Run, rounds: list[tuple[float, float | None]]) -> list[int]:
    """Record a validation an epoch, of such scores; return the epochs whose model was saved."""
    saved: list[int] = []
    for epoch, scores in enumerate(rounds):
        record_validation(
            tuning,
            run,
            lambda scores=scores: scored(*scores),
            lambda epoch=epoch: saved.append(epoch),
            epoch=epoch,
        )
    return saved


def test_validation_keeps_the_best_and_each_task_s_best(tmp_path: Path, run: Run) -> None:
    tuning = tuning_of(tmp_path)
    history = [(0.2, 0.1), (0.6, 0.5), (0.7, 0.2), (0.6, 0.6)]
    assert validated(tuning, run, history) == [0, 1, 3]
    assert tuning.best["epoch"] == 3
    assert tuning.best["score"] == pytest.approx((0.6 + 0.5 + 0.8) / 3)
    assert tuning.best["per_task"] == {
        "sentiment": {"value": 0.7, "epoch": 2},
        "paraphrase": {"value": 0.5, "epoch": 1},
        "similarity": {"value": 0.6, "epoch": 3},
    }


def test_an_undefined_pearson_neither_stops_training_nor_replaces_the_best(
    tmp_path: Path, run: Run
) -> None:
    tuning = tuning_of(tmp_path)
    assert validated(tuning, run, [(0.3, 0.4), (0.9, None), (0.4, 0.5)]) == [0, 2]
    assert tuning.best["epoch"] == 2
    assert tuning.best["per_task"]["sentiment"] == {"value": 0.9, "epoch": 1}
    assert [line["selection"] is None for line in lines_of(run)] == [False, True, False]
    assert lines_of(run)[1]["scores"]["similarity"]["pearson"]["value"] is None


def test_a_first_validation_that_is_undefined_still_saves_a_model_and_any_score_beats_it(
    tmp_path: Path, run: Run
) -> None:
    tuning = tuning_of(tmp_path)
    assert validated(tuning, run, [(0.3, None), (0.3, None), (0.1, -0.9)]) == [0, 2]


def finished(
    tmp_path: Path, run: Run, validate: Callable[[], dict[str, Scores]]
) -> tuple[FineTuning, list[int]]:
    """Fine-tune to the end with a safe point every 4 of 2 x 6 steps."""
    tuning = tuning_of(tmp_path, checkpoint_every=4)
    saved: list[int] = []
    fine_tune(tuning, run, validate, lambda: saved.append(tuning.step))
    return tuning, saved


def test_fine_tuning_validates_logs_and_saves_on_time(tmp_path: Path, run: Run) -> None:
    scores = iter([(0.2, 0.2), (0.5, None), (0.4, 0.4)])
    tuning, saved = finished(tmp_path, run, lambda: scored(*next(scores)))
    assert tuning.step == 12
    assert saved == [0, 12]
    lines = lines_of(run)
    assert [(line["phase"], line.get("step"), line["epoch"]) for line in lines] == [
        ("validation", None, 0),
        ("fine-tuning", 4, 1),
        ("fine-tuning", 6, 1),
        ("validation", None, 1),
        ("fine-tuning", 8, 2),
        ("fine-tuning", 12, 2),
        ("validation", None, 2),
    ]
    trained = [line for line in lines if line["phase"] == "fine-tuning"]
    assert [sum(line["steps"].values()) for line in trained] == [4, 2, 2, 4]
    assert trained[-1]["learning_rate"] == learning_rate_at(11, 12, tuning.config)
    assert trained[-1]["probabilities"] == dict(zip(TASKS, tuning.probabilities(2), strict=True))
    assert trained[-1]["tokens"] == tuning.tokens
    assert all(set(line["loss"]) == set(line["steps"]) for line in trained)


def test_fine_tuning_tells_its_speed_where_nobody_sees_a_bar(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    tuning = tuning_of(tmp_path)
    fine_tune(tuning, run, lambda: scored(0.2, 0.2), lambda: None, told.append)
    assert re.fullmatch(r"Peak: .* in float32 reach [\d,]+ GFLOP/s here, .* tokens/s\.", told[0])
    speed = r"[\d,]+ tokens/s, \d+% of peak"
    assert re.fullmatch(rf"Trained {tuning.tokens:,} tokens at {speed}\.", told[1])
    assert len(told) == 2
    assert re.search(speed, capsys.readouterr().err), "the bar, on a stream that is no terminal"
    fine_tune(tuning, run, lambda: scored(0.2, 0.2), lambda: None, told.append)
    assert len(told) == 2, "nothing is left to train"


def test_safe_points_come_every_so_many_steps_and_at_each_epoch_s_end(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: list[tuple[int, int]] = []
    save_state = run.save_state

    def watched(tensors: dict[str, torch.Tensor], counters: dict[str, Any]) -> None:
        points.append((counters["step"], len(lines_of(run))))
        save_state(tensors, counters)

    monkeypatch.setattr(run, "save_state", watched)
    finished(tmp_path, run, lambda: scored(0.2, 0.2))
    assert points == [(0, 1), (4, 2), (6, 4), (8, 5), (12, 7)], "after what there is to log"


def test_the_last_safe_point_is_the_finished_state(tmp_path: Path, run: Run) -> None:
    tuning, _ = finished(tmp_path, run, lambda: scored(0.2, 0.2))
    loaded = run.load_state()
    assert loaded is not None
    tensors, counters = loaded
    wanted, wanted_counters = tuning.state()
    assert counters["phase"] == "fine-tuning"
    assert {name: counters[name] for name in wanted_counters} == wanted_counters
    assert all(torch.equal(tensors[name], tensor) for name, tensor in wanted.items())


def test_a_run_restored_before_its_first_step_validates_once(tmp_path: Path, run: Run) -> None:
    tuning = tuning_of(tmp_path / "first", checkpoint_every=4)

    class StoppedError(Exception):
        """Stands for a kill in the first step."""

    def stop() -> tuple[str, float]:
        raise StoppedError

    tuning.train_step = stop  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        fine_tune(tuning, run, lambda: scored(0.2, 0.2), lambda: None)
    loaded = run.load_state()
    assert loaded is not None
    continued = tuning_of(tmp_path / "second", checkpoint_every=4)
    continued.restore(*loaded)
    fine_tune(continued, run, lambda: scored(0.2, 0.2), lambda: None)
    validations = [line["epoch"] for line in lines_of(run) if line["phase"] == "validation"]
    assert validations == [0, 1, 2]
