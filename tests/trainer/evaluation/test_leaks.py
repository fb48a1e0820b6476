"""What training shares with dev and test, counted by hand; and the scores without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minbert.records.scores import NewScore
from minbert.tables import Example
from tests.trainer.samples import header, write_table
from trainer.data.course import FILES, read_split
from trainer.evaluation.leaks import answers_of, leak_checks, row_key

DEV = [  # (A, B, label); what training has of it is told beside
    ("the cat sleeps", "the cat runs", "1"),  # the pair itself, turned
    ("the actor plays", "a python learns", "0"),  # one sentence
    ("this story was long", "that plot is short", "1"),  # nothing
    ("the red film", "the blue film", "0"),  # nothing
]
TRAIN = [
    Example("a", ("The cat  runs", "the CAT sleeps"), 1.0),
    Example("b", ("the actor plays", "the sofa"), 0.0),
]


def write_pairs(folder: Path, split: str, rows: list[tuple[str, str, str]]) -> None:
    """Write a file of Quora's format."""
    labelled = split != "test"
    numbered = [(str(place), *row) for place, row in enumerate(rows)]
    kept = numbered if labelled else [row[:-1] for row in numbered]
    path = folder / FILES["paraphrase"][split]
    write_table(path, header("paraphrase", labelled=labelled), kept)


def test_shared_rows_and_new_rows_by_hand(tmp_path: Path) -> None:
    write_pairs(tmp_path, "dev", DEV)
    dev = {"paraphrase": read_split(tmp_path, "paraphrase", "dev")}
    answers = {"paraphrase": {"duplicate": np.array([True, True, True, True])}}
    found = leak_checks({"paraphrase": TRAIN, "similarity": TRAIN}, dev, answers)
    assert list(found) == ["paraphrase"]
    told = found["paraphrase"]
    assert (told.rows, told.dev_in_training, told.test_in_training) == (2, 1, None)
    assert (told.new.metric, told.new.n, told.new.value) == ("accuracy", 2, 0.5)
    write_pairs(tmp_path, "test", [*DEV[:2], ("the sofa", "The actor plays", "")])
    told = leak_checks({"paraphrase": TRAIN}, dev, answers)["paraphrase"]
    assert told.test_in_training == 2


def test_without_a_new_row_no_score_is_made_up(tmp_path: Path) -> None:
    write_pairs(tmp_path, "dev", DEV[:2])
    dev = {"paraphrase": read_split(tmp_path, "paraphrase", "dev")}
    answers = {"paraphrase": {"duplicate": np.array([True, False])}}
    assert leak_checks({"paraphrase": TRAIN}, dev, answers)["paraphrase"].new == NewScore(n=0)


@pytest.mark.parametrize("turned", [False, True])
def test_keys_of_rows(turned: bool) -> None:
    first, second = TRAIN[0].texts[:: -1 if turned else 1]
    assert row_key(Example("x", (first.upper(), f" {second} "), None)) == row_key(TRAIN[0])
    assert row_key(TRAIN[0]) != row_key(TRAIN[1])
    assert row_key(Example("x", ("A  film .",), None)) == row_key(Example("y", ("a film .",), 1.0))


def test_predictions_are_read_back() -> None:
    told = {"files": {}, "sentiment": "042", "paraphrase": "0110", "similarity": [1.5, -0.25]}
    found = answers_of(told)
    assert {name: list(values) for name, values in found.items()} == {
        "sentiment": ["class"],
        "paraphrase": ["duplicate"],
        "similarity": ["headline"],
    }
    assert found["sentiment"]["class"].tolist() == [0, 4, 2]
    assert found["paraphrase"]["duplicate"].tolist() == [0, 1, 1, 0]
    assert found["similarity"]["headline"].tolist() == [1.5, -0.25]
    assert answers_of({"files": {}, "paraphrase": "1"}).keys() == {"paraphrase"}
