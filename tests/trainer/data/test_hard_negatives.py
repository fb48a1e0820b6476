"""Hard negatives: near each other, joined by no chain of labels, and no row of any split."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.tables import Example, read_table
from minbert.tasks import PARAPHRASE
from tests.support import assert_says
from trainer.cli import main
from trainer.data import hard_negatives
from trainer.data import hard_negatives as mining
from trainer.data.course import SPLITS, pair_hash, read_split
from trainer.data.further_pairs import chosen_names
from trainer.data.hard_negatives import Questions, group_questions, mine, seeded_order


def labelled(first: str, second: str, label: float) -> Example:
    """Return a labelled pair."""
    return Example("", (first, second), label)


def numbered(angles: list[float], groups: list[int]) -> tuple[Questions, Tensor]:
    """Return questions on a circle, at these angles in degrees, and their embeddings."""
    radians = torch.deg2rad(torch.tensor(angles))
    names = [f"question {number}" for number in range(len(angles))]
    return Questions(names, torch.tensor(groups)), torch.stack([radians.cos(), radians.sin()], 1)


def mined(
    questions: Questions, embeddings: Tensor, forbidden: set[int] | None = None, **changed: float
) -> set[frozenset[int]]:
    """Mine, and return each pair's numbers."""
    settings = {"size": 99, "nearest": 20, "ceiling": 0.99, "seed": 0, **changed}
    pairs = list(mine(questions, embeddings, forbidden or set(), **settings))  # type: ignore[arg-type]  # whole numbers where they have to be
    found = [frozenset(int(text.split()[1]) for text in pair) for pair in pairs]
    assert len(set(found)) == len(found), "each pair once"
    return set(found)


def test_duplicates_of_duplicates_are_one_group() -> None:
    pairs = [
        labelled("Why snow?", "what  makes snow ?", 1.0),
        labelled("why SNOW?", "Who sings?", 0.0),
        labelled("Whence comes snow?", "What makes snow ?", 1.0),
        labelled("Who sings?", "Which bird sings?", 1.0),
    ]
    questions = group_questions(pairs)
    assert questions.texts == [
        *("Why snow?", "what  makes snow ?", "Who sings?"),
        *("Whence comes snow?", "Which bird sings?"),
    ], "each once, as first spelled"
    a, b, c, d, e = questions.groups.tolist()
    assert a == b == d
    assert c == e != a


def test_no_pair_of_one_group_and_none_too_near() -> None:
    questions, embeddings = numbered([0, 2, 20, 40], [0, 1, 0, 2])
    everything = {frozenset(pair) for pair in ((0, 1), (0, 3), (1, 2), (1, 3), (2, 3))}
    drawn = set()
    for seed in range(40):
        found = mined(questions, embeddings, ceiling=1.1, seed=seed)
        assert found <= everything, "0 and 2 are one group"
        drawn |= found
    assert drawn == everything
    for seed in range(40):  # 0 and 1 are nearer than cos 5 degrees
        assert frozenset((0, 1)) not in mined(questions, embeddings, ceiling=0.9962, seed=seed)


def test_the_nearest_one_that_qualifies() -> None:
    questions, embeddings = numbered([0, 10, 25, 60], [0, 0, 1, 2])
    # of 0: 2, since 1 is its duplicate; of 1: 2; of 2: 1; of 3: 2
    found = mined(questions, embeddings, nearest=1)
    assert found == {frozenset(pair) for pair in ((0, 2), (1, 2), (2, 3))}


def test_rows_of_the_splits_never_come_out() -> None:
    questions, embeddings = numbered([0, 10, 30], [0, 1, 2])
    forbidden = {pair_hash(("Question 1", "question 0"))}  # another order and spelling
    assert mined(questions, embeddings, forbidden, nearest=1) == {frozenset((1, 2))}


def test_size_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    embeddings = F.normalize(torch.randn(50, 8), dim=1)
    questions = Questions([f"question {n}" for n in range(50)], torch.arange(50))
    first = mined(questions, embeddings, size=11)
    assert len(first) == 11
    assert mined(questions, embeddings, size=11) == first
    assert mined(questions, embeddings, size=11, seed=1) != first
    monkeypatch.setattr(mining, "SEARCH_CHUNK", 7)
    assert mined(questions, embeddings, size=11) == first, "the chunk changes nothing"
    assert sorted(seeded_order(50, 3).tolist()) == list(range(50))


def test_the_command_writes_what_training_reads(
    data: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in SPLITS:
        name = read_split(data, "paraphrase", split).path.name
        (tmp_path / name).write_bytes((data / name).read_bytes())
    command = ["mine", "--data", str(tmp_path), "--encoder", str(encoder_folder)]
    assert main([*command, "--size", "9", "--ceiling", "1"]) == 0, capsys.readouterr().err
    target = tmp_path / "extra" / "quora-mined.csv"
    table = read_table(target, PARAPHRASE, labelled=True)
    assert (len(table.examples), table.bad_rows) == (9, [])
    assert set(table.labels) == {0.0}
    rows = [row for split in SPLITS for row in read_split(data, "paraphrase", split).examples]
    taken = {pair_hash(row.texts) for row in rows}
    assert not taken & {pair_hash(row.texts) for row in table.examples}
    assert_says(capsys.readouterr().err, found="extra/quora-mined.csv: 9 pairs")
    before = target.read_bytes()
    assert main([*command, "--size", "9", "--ceiling", "1"]) == 0
    assert target.read_bytes() == before
    assert chosen_names("extra_paraphrase", "quora-mined", "paraphrase") == ("quora-mined",)


def test_embeddings_have_length_1(encoder_folder: Path) -> None:
    found = hard_negatives.embed_questions(["Why snow?", "Who?"], str(encoder_folder), "cpu")
    assert found.norm(dim=1) == pytest.approx(torch.ones(2), abs=1e-6)


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--size", "0", "at least 1"),
        ("--nearest", "0", "at least 1"),
        *(("--ceiling", value, "(0, 1]") for value in ("0", "1.2", "nan")),
    ],
)
def test_numbers_out_of_range(
    data: Path, option: str, value: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mine", "--data", str(data), option, value]) == 1
    assert_says(capsys.readouterr().err, parameter=f"`{option}`", rule=rule, found=value)
