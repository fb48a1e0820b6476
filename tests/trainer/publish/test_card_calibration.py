"""The model card's section on calibration tells the model's own fit, or that there is none."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from minbert.records.calibration import Calibration
from minbert.storage.manifest import rewriting
from minbert.storage.model_folder import change_config
from tests.support import assert_says, markdown_tables
from trainer.publish.card_calibration import MEASURES, calibration_part, probabilities_line
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


PLAIN = {"pooling": "mean"}


def shown(measure: dict[str, Any]) -> str:
    """Return a measure of the record as the table should show it."""
    error = "" if measure["se"] is None else f" ± {measure['se']:.3f}"
    return f"{measure['value']:.3f}{error}"


def test_the_table_is_the_record() -> None:
    wanted = [
        {
            **{"task": name, "measure": title, "split": "dev", "examples": "1,234"},
            **{when: shown(told[when][measure]) for when in ("before", "after")},
            "by chance": "0.034" if measure == "ece" else "",
        }
        for name, told in RECORD["tasks"].items()
        for measure, title in MEASURES.items()
    ]
    assert markdown_tables(calibration_part(CALIBRATION, FIT)) == [wanted]
    assert len(wanted) == 6


def test_the_fit_is_the_config_s_and_the_rest_the_record_s() -> None:
    fit = ("1.750", "1.250", "-0.500")
    assert_says(
        calibration_part(CALIBRATION, FIT), found=(*fit, "4 of 5", "seed 7", "15 bins", "`fed987`")
    )
    alone = calibration_part(None, FIT)
    assert tuple(re.findall(r"[-+]?\d\.\d{3}", alone)) == fit
    assert markdown_tables(alone) == []


def test_without_a_fit_no_number_is_told() -> None:
    assert not re.search(r"\d\.\d", calibration_part(None, PLAIN))
    assert_says(probabilities_line(PLAIN), rule="not calibrated")
    assert_says(probabilities_line(FIT), rule="calibrated on", never="not calibrated")


@pytest.mark.parametrize("name", list(FIT))
def test_the_record_of_another_fit_is_refused(name: str) -> None:
    with pytest.raises(PublishError, match=r"the model's own fit.*calibrate --json"):
        calibration_part(CALIBRATION, {**FIT, name: 3.0})
    with pytest.raises(PublishError, match="the model's own fit"):
        calibration_part(CALIBRATION, PLAIN)


def test_the_published_card_has_it(slim: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(slim, tmp_path / "checkout"))
    plan = Plan("anna/lab", "anna/model", root=root)

    def card(name: str) -> str:
        return (build_model(plan, tmp_path / name) / "README.md").read_text(encoding="utf-8")

    assert_says(card("plain"), found=(calibration_part(None, PLAIN), probabilities_line(PLAIN)))
    model = root / "assets" / "models" / "mean"
    with rewriting(model):
        change_config(model, FIT)
    record = root / "assets" / "results" / "mean-calibration.json"
    record.write_text(json.dumps(RECORD), encoding="utf-8")
    part = calibration_part(CALIBRATION, FIT)
    assert_says(card("fitted"), found=(part, probabilities_line(FIT)))
    record.write_text(json.dumps({"tasks": {}}), encoding="utf-8")
    with pytest.raises(PublishError) as caught:
        build_model(plan, tmp_path / "broken")
    assert_says(caught.value, found="Found {}", step="calibrate --json")
