"""The pooling lab's beginning: what pooling is, and both models' scores with intervals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minbert.records.form import Metric
from minbert.records.runs import ENCODER_NOTE
from minbert.records.scores import Scores
from minbert.records.shipped import read_records
from minbert.ui.pooling.intro import (
    consequences,
    drawing,
    opening,
    scores_block,
    scores_finding,
    with_interval,
)
from tests.read_html import named_in, numbers_in, read

POOLINGS = ("CLS", "mean")
ROOT = Path(__file__).resolve().parents[4]


def stored(sentiment: float, se: float = 0.01) -> dict[str, object]:
    tasks = {"sentiment": "accuracy", "paraphrase": "accuracy", "similarity": "pearson"}
    return {
        "metrics": {
            task: {
                name: {
                    "value": sentiment if task == "sentiment" else 0.8,
                    "se": se,
                    "n": 100,
                    "split": "dev",
                }
            }
            for task, name in tasks.items()
        }
    }


def write(folder: Path, **models: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, told in models.items():
        (folder / f"{name}-dev.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_the_opening_tells_a_vector_s_length_and_has_two_drawings() -> None:
    told = read(opening(384))
    assert told.find("p")[0].numbers == ["384"]
    assert len(told.find("svg", role="img")) == 2


def test_what_the_choice_changes_says_what_the_files_found(tmp_path: Path) -> None:
    results = write(tmp_path / "results", cls=stored(0.40), mean=stored(0.50))
    found = read(scores_block(read_records(tmp_path / "models", results))).finding.title
    told = read(consequences(read_records(tmp_path / "models", results)))
    assert len(told.find("li")) == 3
    assert found in told.find("li")[0].text
    assert found not in consequences(read_records(tmp_path / "models", tmp_path / "none"))


@pytest.mark.parametrize(("pooling", "name", "used"), [("cls", "CLS", 1), ("mean", "mean", 5)])
def test_a_drawing_shows_which_tokens_count(pooling: str, name: str, used: int) -> None:
    drawn = read(drawing(pooling))
    assert len(drawn.find("g", "mb-used")) == used + 1, "and the sentence's own vector"
    assert len(drawn.find("g", "mb-unused")) == 5 - used
    assert len(drawn.find("path")) == used
    assert drawn.texts("text")[1:6] == ["[CLS]", "a", "fine", "film", "[SEP]"]
    assert named_in(drawn.one("svg").attributes["aria-label"], POOLINGS)[0] == name


def test_scores_come_with_their_95_percent_interval() -> None:
    assert with_interval(Metric(value=0.5, se=0.01, n=100)) == "0.500  [0.480, 0.520]"
    assert with_interval(Metric(value=0.5, n=100)) == "0.500"
    assert with_interval(None) == "–"


def test_both_models_stand_beside_each_other(tmp_path: Path) -> None:
    results = write(tmp_path / "results", cls=stored(0.40), mean=stored(0.50))
    block = read(scores_block(read_records(tmp_path / "models", results)))
    (table,) = block.tables
    assert named_in(" ".join(table.heads[0]), POOLINGS) == ["CLS", "mean"]
    assert table.rows[0][1:] == ["0.400  [0.380, 0.420]", "0.500  [0.480, 0.520]"]
    counts, caveat = block.finding.lines
    assert numbers_in(counts) == ["100", "100", "100"]
    assert caveat == ENCODER_NOTE


def test_a_missing_file_is_told_with_what_writes_it(tmp_path: Path) -> None:
    results = write(tmp_path / "results", mean=stored(0.5))
    block = read(scores_block(read_records(tmp_path / "models", results)))
    (problem,) = (line for line in block.finding.lines if "cls-dev.json" in line)
    assert "python -m trainer evaluate" in problem
    assert named_in(" ".join(block.tables[0].heads[0]), POOLINGS) == ["mean"]
    assert named_in(block.finding.title, POOLINGS) == []
    nothing = read(scores_block(read_records(tmp_path / "models", tmp_path / "none")))
    assert nothing.tables == []
    assert ["cls-dev.json" in line for line in nothing.finding.lines] == [False, True]


@pytest.mark.parametrize(
    ("cls", "mean", "ahead"), [(0.5, 0.52, []), (0.5, 0.53, ["mean"]), (0.53, 0.5, ["CLS"])]
)
def test_the_finding_needs_two_standard_errors(cls: float, mean: float, ahead: list[str]) -> None:
    both = {"cls": stored(cls), "mean": stored(mean)}
    told = scores_finding({name: Scores.model_validate(one) for name, one in both.items()})
    assert named_in(told, POOLINGS) == ahead
    assert named_in(told, ("sentiment",)) == ["sentiment"] * len(ahead)


def test_the_shipped_records_can_be_shown() -> None:
    block = read(
        scores_block(read_records(ROOT / "assets" / "models", ROOT / "assets" / "results"))
    )
    assert {len(numbers_in(cell)) for row in block.rows for cell in row[1:]} == {3}
    assert len(block.finding.lines) == 2, "no problem"
