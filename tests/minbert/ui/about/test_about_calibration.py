"""The tab "About" tells calibration errors where a record has them, and of this very model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minbert.records.shipped import read_records
from minbert.ui.about.tab import sections
from tests.minbert.ui.sample_about import metric, write, write_about
from tests.read_html import Element, numbers_in, read

AGAIN = (  # writes the record
    "python -m trainer calibrate --model assets/models/mean "
    "--json assets/results/mean-calibration.json"
)


def task(temperature: float, offset: float, before: float, after: float) -> dict[str, Any]:
    return {
        "temperature": temperature,
        "offset": offset,
        "before": {"ece": metric(before, 1_234, None)},
        "after": {"ece": metric(after, 1_234, None)},
        "ece_by_chance": 0.034,
        "n": 1_234,
        "split": "dev",
    }


def record() -> dict[str, Any]:
    tasks = {
        "sentiment": task(1.75, 0.0, 0.123, 0.045),
        "paraphrase": task(1.25, -0.5, 0.0671, 0.011),
    }
    return {"tasks": tasks, "folds": 5, "seed": 7, "commit": "fed987", "machine": "Test machine"}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    models, results = write_about(tmp_path)
    write(results / "mean-calibration.json", record())
    return models, results


def config(models: Path, **changes: float) -> None:
    """Write the mean model's config.json, which has the record's fit but for changes."""
    (models / "mean").mkdir()
    fit = {"sentiment_temperature": 1.75, "paraphrase_temperature": 1.25, "paraphrase_offset": -0.5}
    write(models / "mean" / "config.json", {**fit, **changes})


def shown(folders: tuple[Path, Path]) -> dict[str, Element]:
    return {key: read(html) for key, html in sections(read_records(*folders)).items()}


@pytest.mark.parametrize("with_config", [False, True])
def test_errors_before_and_after_are_shown(with_config: bool, folders: tuple[Path, Path]) -> None:
    if with_config:
        config(folders[0])
    parts = shown(folders)
    assert "problems" not in parts
    _, _, errors = parts["numbers"].tables
    assert errors.rows == [
        ["mean, sentiment", "0.123", "0.045", "0.034", "1.750", "–", "dev", "1,234"],
        ["mean, paraphrase", "0.067", "0.011", "0.034", "1.250", "−0.500", "dev", "1,234"],
    ]
    finding = parts["numbers"].find(css="mb-findings")[1]
    assert [numbers_in(line) for line in finding.texts("li")] == [["4", "12"], ["1", "7"]]
    source = parts["numbers"].find("p", "mb-source")[1].text
    assert numbers_in(source) == ["7", "5"]
    assert "fed987" in source
    assert "Test machine" in source


def test_without_a_record_nothing_is_said_of_it(folders: tuple[Path, Path]) -> None:
    (folders[1] / "mean-calibration.json").unlink()
    parts = shown(folders)
    assert "problems" not in parts
    assert len(parts["numbers"].tables) == len(parts["numbers"].find("p", "mb-source")) + 1 == 2


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"sentiment_temperature": 1.0}, ["1.0", "1.75"]),
        ({"paraphrase_temperature": 2.0}, ["2.0", "1.25"]),
        ({"paraphrase_offset": 0.0}, ["0.0", "-0.5"]),
    ],
)
def test_the_record_of_another_fit_is_told_not_shown(
    changes: dict[str, float], found: list[str], folders: tuple[Path, Path]
) -> None:
    config(folders[0], **changes)
    parts = shown(folders)
    assert parts["problems"].texts("code") == [*changes, AGAIN]
    assert parts["problems"].numbers == found
    assert len(parts["numbers"].tables) == 2


def test_a_record_beside_an_uncalibrated_model_is_told(folders: tuple[Path, Path]) -> None:
    (folders[0] / "mean").mkdir()
    write(folders[0] / "mean" / "config.json", {"pooling": "mean"})
    assert shown(folders)["problems"].numbers == ["1.0", "1.75"]


@pytest.mark.parametrize(
    "content",
    [{}, {"tasks": 3}, {"tasks": {"sentiment": {}}}, {"tasks": {"sentiment": {"before": {}}}}, []],
)
def test_a_broken_record_is_told(content: object, folders: tuple[Path, Path]) -> None:
    write(folders[1] / "mean-calibration.json", content)
    parts = shown(folders)
    assert "mean-calibration.json" in parts["problems"].text
    assert len(parts["numbers"].tables) == 2, "the scores stand"
