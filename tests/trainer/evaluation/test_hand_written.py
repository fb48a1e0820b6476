"""The hand-written sets: what each number counts, and the command that tells them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tables import DataError
from trainer.cli import main
from trainer.evaluation import hand_written
from trainer.evaluation.hand_written import score_hand_written

HEADER = "id\tsentence1\tsentence2\tis_duplicate\tkind\n"
SETS = {  # (probability that is answered, label)
    "who_did_what": [(0.9, 1), (0.4, 1), (0.6, 0), (0.2, 0)],
    "unrelated_statements": [(0.01, 0), (0.3, 0), (0.7, 0), (0.04, 0)],
    "same_statements": [(0.8, 1), (0.1, 1)],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write sets whose first sentence is the probability that is answered."""
    for name, rows in SETS.items():
        lines = [f"{row}\t{told}\tb {row}\t{label}\tk\n" for row, (told, label) in enumerate(rows)]
        (tmp_path / f"{name}.tsv").write_text(HEADER + "".join(lines), encoding="utf-8")
    return tmp_path


class Parrot:
    """Answers what a pair's first sentence says."""

    def pairs(self, pairs: list[tuple[str, str]]) -> list[SimpleNamespace]:
        return [SimpleNamespace(paraphrase=float(first)) for first, _ in pairs]


def test_each_number_counts_what_its_name_says(folder: Path) -> None:
    found = score_hand_written(cast(Predictor, Parrot()), folder)
    values = {task: {name: one.value for name, one in told.items()} for task, told in found.items()}
    assert values == {
        "who did what": {
            **{"accuracy": 0.5, "same meaning": 0.5, "another meaning": 0.5},
            "area under ROC": 0.75,  # .9 above both, .4 above one of two
        },
        "unrelated": {"below .05": 0.5, "below .5": 0.75},
        "reworded": {"above .5": 0.5},
    }
    assert found["who did what"]["accuracy"].n == 4


def test_a_folder_without_them_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"who_did_what\.tsv should exist"):
        score_hand_written(cast(Predictor, Parrot()), tmp_path)


def test_the_command_tells_and_stores_them(
    model: MultitaskBert,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(hand_written.score_hand_written, "__defaults__", (folder,))
    model.save_pretrained(tmp_path / "model")
    record = tmp_path / "scores.json"
    asked = ["evaluate", "--model", str(tmp_path / "model"), "--split", "hand-written"]
    main([*asked, "--device", "cpu", "--json", str(record)])
    told = capsys.readouterr().out
    assert [line.split("  ")[0] for line in told.splitlines()[1:]] == [
        *["who did what"] * 4,
        *["unrelated"] * 2,
        "reworded",
    ]
    assert "normalised" not in told
    stored = json.loads(record.read_text(encoding="utf-8"))
    assert stored["metrics"]["reworded"]["above .5"]["split"] == "hand-written"
    assert stored["normalised"] is None
