"""What the tab "About" knows: the model card, both models' records, the anchors beside them.

A file that is missing or broken is told, with what to run, and never stops the page.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from minbert.checkpoint import CONFIG_FILE
from minbert.records.calibration import Calibration, read_calibration
from minbert.records.scores import (
    Anchor,
    Scores,
    Training,
    read_record,
    read_report,
    read_scores,
    read_training,
    shown_path,
)

MODELS = ("mean", "cls")


@dataclasses.dataclass(frozen=True)
class Records:
    """Everything that could be read, and what could not."""

    card: str  # the model card's Markdown
    scores: Mapping[str, Scores]  # by model
    training: Mapping[str, Training]  # by model
    calibration: Mapping[str, Calibration]  # by model; of those that were calibrated
    report: tuple[Anchor, ...]
    problems: tuple[str, ...]

    @property
    def encoders(self) -> list[str]:
        """Name each encoder that a shipped model started from; empty where it isn't told."""
        return list(dict.fromkeys(one.encoder for one in self.training.values()))


def read_records(models: Path, results: Path) -> Records:
    """Read the model card and both models' records; what can't be read is in `problems`."""
    problems: list[str] = []
    card = read_card(models / "README.md", problems)
    scores: dict[str, Scores] = {}
    training: dict[str, Training] = {}
    calibration: dict[str, Calibration] = {}
    for model in MODELS:
        path = results / f"{model}-dev.json"
        evaluate = (
            f"`python -m trainer evaluate --model {shown_path(models / model)} --keep-trained "
            f"--json {shown_path(path)}` writes it."
        )
        train = f"It is the result.json of a run of `python -m trainer train {model}`."
        said = read_record(path, read_scores, evaluate, problems)
        ran = read_record(results / f"{model}.json", read_training, train, problems)
        scores |= {model: said} if said else {}
        training |= {model: ran} if ran else {}
        fitted = calibration_of(model, models, results, problems)
        calibration |= {model: fitted} if fitted else {}
    report = read_report(results, problems)
    return Records(card, scores, training, calibration, report, tuple(problems))


def calibration_of(
    model: str, models: Path, results: Path, problems: list[str]
) -> Calibration | None:
    """Return what is recorded of a model's calibration; a model need not be calibrated."""
    path = results / f"{model}-calibration.json"
    if not path.is_file():
        return None
    again = (
        f"`python -m trainer calibrate --model {shown_path(models / model)} "
        f"--json {shown_path(path)}` writes it."
    )
    config = models / model / CONFIG_FILE
    return read_record(path, lambda stored: read_calibration(stored, config), again, problems)


def read_card(path: Path, problems: list[str]) -> str:
    """Return the model card's text, empty if it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(
            f"The model card {shown_path(path)} is not there. It tells data, limits and ethics; "
            "the repository has it."
        )
    except (OSError, ValueError) as error:
        problems.append(f"The model card {shown_path(path)} can't be read ({error}).")
    return ""
