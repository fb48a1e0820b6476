"""What is recorded of the shipped models: the card, scores, training, calibration, the report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from minbert.checkpoint import CONFIG_FILE
from minbert.records.calibration import Calibration, scales_of
from minbert.records.reading import read_known, shown
from minbert.records.scores import Anchor, Scores, Training, read_report
from minbert.records.speed import FILE as SPEED_FILE
from minbert.records.speed import Speed

MODELS = ("mean", "cls")
CARD_FILE = "README.md"


@dataclasses.dataclass(frozen=True)
class Records:
    """Everything that could be read, and a line for each file that couldn't."""

    card: str  # the model card's Markdown
    scores: Mapping[str, Scores]  # by model
    training: Mapping[str, Training]  # by model
    calibration: Mapping[str, Calibration]  # by model; of those that were calibrated
    report: tuple[Anchor, ...]
    problems: tuple[str, ...]
    own: bool = False  # of models of your own, not of the shipped ones
    speed: Speed | None = None

    @property
    def encoders(self) -> list[str]:
        """Return the encoders that the models started from; empty where none is known."""
        return list(dict.fromkeys(one.encoder for one in self.training.values()))


def read_records(models: Path, results: Path) -> Records:
    """Return the model card and both models' records."""
    problems: list[str] = []
    report = problems.append
    card = _read_card(models / CARD_FILE, report)
    scores: dict[str, Scores] = {}
    training: dict[str, Training] = {}
    calibration: dict[str, Calibration] = {}
    for model in MODELS:
        path = results / f"{model}-dev.json"
        evaluate = (
            f"`python -m trainer evaluate --model {shown(models / model)} --keep-trained "
            f"--json {shown(path)}` writes it."
        )
        train = f"It is the result.json of a run of `python -m trainer train {model}`."
        if said := read_known(path, Scores, report, evaluate):
            scores[model] = said
        if ran := read_known(results / f"{model}.json", Training, report, train):
            training[model] = ran
        if fitted := _calibration_of(model, models, results, report):
            calibration[model] = fitted
    anchors = read_report(results, report)
    path = results / SPEED_FILE
    speed = read_known(path, Speed, report, Speed.again) if path.exists() else None
    return Records(card, scores, training, calibration, anchors, tuple(problems), speed=speed)


def _calibration_of(
    model: str, models: Path, results: Path, report: Callable[[str], object]
) -> Calibration | None:
    """Return a model's calibration, if it is recorded and the fit is the model's own."""
    path = results / f"{model}-calibration.json"
    if not path.exists():
        return None
    again = (
        f"`python -m trainer calibrate --model {shown(models / model)} --json {shown(path)}` "
        "writes it."
    )
    found = read_known(path, Calibration, report, again)
    try:
        config = json.loads((models / model / CONFIG_FILE).read_text(encoding="utf-8"))
        wanted = scales_of(config) if isinstance(config, dict) else {}
    except (OSError, ValueError, RecursionError):
        return found  # nothing to compare with
    for name, value in found.scales.items() if found else ():
        if value != wanted.get(name, value):
            report(
                f"{shown(path)} is left out: `{name}` should be the model's own, {wanted[name]}. "
                f"Found {value}. {again}"
            )
            return None
    return found


def _read_card(path: Path, report: Callable[[str], object]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        report(
            f"The model card {shown(path)} is not there. It tells data, limits and ethics; the "
            "repository has it."
        )
    except (OSError, ValueError) as error:
        report(f"The model card {shown(path)} can't be read ({error}).")
    return ""
