"""The command heads: an encoder's own numbers, under its public name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minbert.explain.heads_summary import MEASURES, bare_model, example_heads
from minbert.predictor import Predictor
from tests.support import assert_says
from trainer.cli import main

EXAMPLES = [{"name": "one", "first": "a good film", "second": ""}]
EXAMPLES += [{"name": "two", "first": "the cat sleeps", "second": "the dog runs"}]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    path = tmp_path / "examples.json"
    path.write_text(json.dumps(EXAMPLES), encoding="utf-8")
    return path


def command(encoder: Path, examples: Path, results: Path, *more: str) -> int:
    places = ["--examples", str(examples), "--results", str(results)]
    return main(["heads", "--encoder", str(encoder), "--device", "cpu", *places, *more])


def test_the_record_holds_the_encoders_numbers_and_no_path(
    encoder_folder: Path, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(encoder_folder, examples, tmp_path / "out", "--name", "some/encoder") == 0
    text = (tmp_path / "out" / "untuned-heads.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert str(encoder_folder) not in text
    assert told["encoder"] == "some/encoder"
    assert told["inputs"] == [["a good film", ""], ["the cat sleeps", "the dog runs"]]
    assert set(told["heads"]) == set(MEASURES)
    wanted = example_heads(
        Predictor(bare_model(encoder_folder), "cpu", runtime="torch"), told["inputs"]
    )
    assert told["heads"] == wanted
    assert_says(capsys.readouterr().err, found="2 examples")


def test_a_folder_needs_a_name(
    encoder_folder: Path, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(encoder_folder, examples, tmp_path) == 1
    assert_says(capsys.readouterr().err, parameter="`--name`", found=str(encoder_folder))
    assert not (tmp_path / "untuned-heads.json").exists()


@pytest.mark.parametrize("bad", ["[]", '[{"second": "x"}]'])
def test_examples_without_sentences_are_refused(
    encoder_folder: Path,
    tmp_path: Path,
    bad: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(bad, encoding="utf-8")
    assert command(encoder_folder, path, tmp_path, "--name", "x/y") == 1
    assert_says(capsys.readouterr().err, parameter="`--examples`", found=str(path))
