"""The model card's section on calibration tells the model's own fit, or that there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from minbert.records.calibration import Calibration
from trainer.publish.card_calibration import calibration_part, probabilities_line
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan, build_model

FIT = {"sentiment_temperature": 1.75, "paraphrase_temperature": 1.25, "paraphrase_offset": -0.5}


def task(temperature: float, offset: float) -> dict[str, Any]:
    """Return one task's part of a record; no number here was measured."""

    def measures(ece: float) -> dict[str, Any]:
        return {
            "ece": {"value": ece, "se": None, "n": 1_234},
            "nll": {"value": 1.5, "se": 0.25, "n": 1_234},
            "accuracy": {"value": 0.511, "se": 0.012, "n": 1_234},
        }

    return {
        "temperature": temperature,
        "offset": offset,
        "n": 1_234,
        "split": "dev",
        "before": measures(0.123),
        "after": measures(0.045),
        "ece_by_chance": 0.034,
    }


RECORD: dict[str, Any] = {
    "tasks": {"sentiment": task(1.75, 0.0), "paraphrase": task(1.25, -0.5)},
    **{"folds": 5, "bins": 15, "seed": 7, "commit": "fed987"},
}
CALIBRATION = Calibration.model_validate(RECORD)


def test_the_fit_and_its_worth_are_told() -> None:
    found = calibration_part(CALIBRATION, FIT)
    for line in (
        "| sentiment | Expected calibration error | 0.123 | 0.045 | 0.034 | dev | 1,234 |",
        "| paraphrase | Negative log-likelihood | 1.500 ± 0.250 | 1.500 ± 0.250 |  | dev | 1,234 |",
        "| paraphrase | Accuracy | 0.511 ± 0.012 | 0.511 ± 0.012 |  | dev | 1,234 |",
    ):
        assert line in found.splitlines()
    assert "1.750 for sentiment and by 1.250 for paraphrase, where -0.500 is added" in found
    assert "fit to the 4 of 5 folds without it (seed 7)" in found
    assert "with 15 bins" in found
    assert "`fed987`" in found
    assert "calibrated on text like dev's alone" in probabilities_line(FIT)


def test_no_fit_is_told_as_none() -> None:
    assert calibration_part(None, {"pooling": "mean"}).startswith("None: ")
    assert "not calibrated" in probabilities_line({"pooling": "mean"})
    found = calibration_part(None, FIT)
    assert "divided by 1.750" in found
    assert "not recorded" in found


@pytest.mark.parametrize("name", list(FIT))
def test_the_record_of_another_fit_is_refused(name: str) -> None:
    with pytest.raises(PublishError, match=r"the model's own fit.*calibrate --json"):
        calibration_part(CALIBRATION, {**FIT, name: 3.0})
    with pytest.raises(PublishError, match="the model's own fit"):
        calibration_part(CALIBRATION, {"pooling": "mean"})


def test_the_published_card_has_it(checkout: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(checkout, tmp_path / "checkout"))
    plan = Plan("anna/lab", "anna/model", root=root)
    card = (build_model(plan, tmp_path / "plain") / "README.md").read_text(encoding="utf-8")
    assert "## Calibration\n\nNone: " in card
    assert "The probabilities are not calibrated for any decision." in card
    config = root / "assets" / "models" / "mean" / "config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**values, **FIT}), encoding="utf-8")
    record = root / "assets" / "results" / "mean-calibration.json"
    record.write_text(json.dumps(RECORD), encoding="utf-8")
    card = (build_model(plan, tmp_path / "fitted") / "README.md").read_text(encoding="utf-8")
    assert calibration_part(CALIBRATION, FIT) in card
    assert "they are no ground for a decision" in card
    record.write_text(json.dumps({"tasks": {}}), encoding="utf-8")
    with pytest.raises(PublishError, match=r"the model's own fit.*Found \{\}"):
        build_model(plan, tmp_path / "broken")
