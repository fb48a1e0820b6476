"""The pooling lab's beginning: what pooling is, and both models' scores with intervals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from minbert.records.form import Metric
from minbert.records.scores import Scores
from minbert.records.shipped import read_records
from minbert.ui.pooling.intro import (
    PARTS,
    consequences,
    drawing,
    opening,
    scores_block,
    scores_finding,
    with_interval,
)

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


def test_the_opening_is_a_few_sentences_and_two_drawings() -> None:
    told = opening(384)
    words = re.sub(r"<svg.*?</svg>", "", told)
    assert len(re.findall(r"\.(?:\s|<)", words)) == 4
    assert "a list of 384 numbers" in words
    assert told.count('role="img"') == 2


def test_what_the_choice_changes_says_what_the_files_found(tmp_path: Path) -> None:
    results = write(tmp_path / "results", cls=stored(0.40), mean=stored(0.50))
    told = consequences(read_records(tmp_path / "models", results))
    assert told.count("<li>") == 3
    assert "Over whole files mean is clearly ahead on sentiment." in told
    assert [f'href="#{anchor}"' in told for anchor in PARTS] == [True] * 6
    assert "whole files" not in consequences(read_records(tmp_path / "models", tmp_path / "none"))


@pytest.mark.parametrize(("pooling", "used"), [("cls", 1), ("mean", 5)])
def test_a_drawing_shows_which_tokens_count(pooling: str, used: int) -> None:
    drawn = ElementTree.fromstring(drawing(pooling))
    groups = [group.get("class") for group in drawn.iter("g")]
    assert groups.count("mb-used") == used + 1, "and the sentence's own vector"
    assert groups.count("mb-unused") == 5 - used
    assert len(list(drawn.iter("path"))) == used
    assert [text.text for text in drawn.iter("text")][1:6] == [
        "[CLS]",
        "a",
        "fine",
        "film",
        "[SEP]",
    ]
    assert "vector" in (drawn.get("aria-label") or "")


def test_scores_come_with_their_95_percent_interval() -> None:
    assert with_interval(Metric(value=0.5, se=0.01, n=100)) == "0.500  [0.480, 0.520]"
    assert with_interval(Metric(value=0.5, n=100)) == "0.500"
    assert with_interval(None) == "–"


def test_both_models_stand_beside_each_other(tmp_path: Path) -> None:
    results = write(tmp_path / "results", cls=stored(0.40), mean=stored(0.50))
    told = scores_block(read_records(tmp_path / "models", results))
    assert "0.400  [0.380, 0.420]" in told
    assert "0.500  [0.480, 0.520]" in told
    assert "mean is clearly ahead on sentiment" in told
    assert "sentiment 100, paraphrase 100, similarity 100" in told
    assert "itself trained with mean pooling" in told
    assert "is not there" not in told


def test_a_missing_file_is_told_with_what_writes_it(tmp_path: Path) -> None:
    results = write(tmp_path / "results", mean=stored(0.5))
    told = scores_block(read_records(tmp_path / "models", results))
    assert "cls-dev.json is not there" in told
    assert "python -m trainer evaluate" in told
    assert "mean pooling</th>" in told
    assert "CLS pooling</th>" not in told
    assert "one of the two is not told" in told
    nothing = scores_block(read_records(tmp_path / "models", tmp_path / "none"))
    assert "is not known here" in nothing
    assert nothing.count("-dev.json is not there") == 2


def test_the_finding_needs_two_standard_errors() -> None:
    def said(cls: float, mean: float) -> str:
        both = {"cls": stored(cls), "mean": stored(mean)}
        return scores_finding({name: Scores.model_validate(one) for name, one in both.items()})

    assert said(0.5, 0.52) == "Over whole files neither is clearly ahead on any of 3 tasks"
    assert said(0.5, 0.53) == "Over whole files mean is clearly ahead on sentiment"
    assert said(0.53, 0.5) == "Over whole files CLS is clearly ahead on sentiment"


def test_the_shipped_records_can_be_shown() -> None:
    told = scores_block(read_records(ROOT / "assets" / "models", ROOT / "assets" / "results"))
    assert told.count("[") >= 6
    assert "is not there" not in told
