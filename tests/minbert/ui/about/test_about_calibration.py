"""The tab "About" tells calibration errors where a record has them, and of this very model."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from minbert.records.shipped import read_records
from minbert.ui.about.tab import sections
from tests.minbert.ui.sample_about import metric, write, write_about

HOSTILE = '<img src=x onerror="alert(1)">'


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


def record(commit: str = "fed987") -> dict[str, Any]:
    tasks = {
        "sentiment": task(1.75, 0.0, 0.123, 0.045),
        "paraphrase": task(1.25, -0.5, 0.0671, 0.011),
    }
    return {"tasks": tasks, "folds": 5, "seed": 7, "commit": commit, "machine": "Test machine"}


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


def shown(folders: tuple[Path, Path]) -> dict[str, str]:
    return sections(read_records(*folders))


@pytest.mark.parametrize("with_config", [False, True])
def test_errors_before_and_after_are_shown(with_config: bool, folders: tuple[Path, Path]) -> None:
    if with_config:
        config(folders[0])
    parts = shown(folders)
    assert "problems" not in parts
    html = unescape(parts["numbers"])
    rows = [
        [*re.findall(r'<th scope="row">(.*?)</th>', row), *re.findall(r"<td>(.*?)</td>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    ]
    wanted = ["mean, sentiment", "0.123", "0.045", "0.034", "1.750", "–", "dev", "1,234"]
    assert wanted in rows
    wanted = ["mean, paraphrase", "0.067", "0.011", "0.034", "1.250", "−0.500", "dev", "1,234"]
    assert wanted in rows
    assert "differ by 4 %, and by 12 % before calibration" in html
    assert "mean: seed 7 · 5 folds · commit fed987 · machine Test machine" in html
    assert html.count("<caption>") == 3


def test_without_a_record_nothing_is_said_of_it(folders: tuple[Path, Path]) -> None:
    (folders[1] / "mean-calibration.json").unlink()
    parts = shown(folders)
    assert "problems" not in parts
    assert "alibrat" not in parts["numbers"]


@pytest.mark.parametrize(
    "changes",
    [{"sentiment_temperature": 1.0}, {"paraphrase_temperature": 2.0}, {"paraphrase_offset": 0.0}],
)
def test_the_record_of_another_fit_is_told_not_shown(
    changes: dict[str, float], folders: tuple[Path, Path]
) -> None:
    config(folders[0], **changes)
    parts = shown(folders)
    (field,) = changes
    problems = unescape(parts["problems"])
    assert f"<code>{field}</code> should be the model's own" in problems
    assert "python -m trainer calibrate --model assets/models/mean --json" in problems
    assert "0.045" not in parts["numbers"]


def test_a_record_beside_an_uncalibrated_model_is_told(folders: tuple[Path, Path]) -> None:
    (folders[0] / "mean").mkdir()
    write(folders[0] / "mean" / "config.json", {"pooling": "mean"})
    assert "should be the model's own, 1.0. Found 1.75" in unescape(shown(folders)["problems"])


@pytest.mark.parametrize(
    "content",
    [{}, {"tasks": 3}, {"tasks": {"sentiment": {}}}, {"tasks": {"sentiment": {"before": {}}}}, []],
)
def test_a_broken_record_is_told(content: object, folders: tuple[Path, Path]) -> None:
    write(folders[1] / "mean-calibration.json", content)
    parts = shown(folders)
    assert "mean-calibration.json" in parts["problems"]
    assert "ours: mean pooling" in parts["numbers"]


def test_a_record_s_text_is_escaped(folders: tuple[Path, Path]) -> None:
    told = record(HOSTILE) | {"machine": HOSTILE}
    told["tasks"][HOSTILE] = task(1.5, 0.0, 0.2, 0.1) | {"split": HOSTILE}
    write(folders[1] / "mean-calibration.json", told)
    html = shown(folders)["numbers"]
    assert html.count(escape(HOSTILE)) == 5
    assert "<img" not in html
