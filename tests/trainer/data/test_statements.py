"""The table of statements: what is in it, what is left out, and the runs that it is mixed into."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.tables import Example, Table
from minbert.tasks import TASKS
from tests.support import tiny_model
from tests.trainer.data.test_run_data import loaded
from tests.trainer.samples import task_examples
from trainer.config import TrainConfig
from trainer.data import statements as module
from trainer.data.batches import BatchStream
from trainer.data.mixtures import MixedStream, make_streams
from trainer.data.run_data import RunData
from trainer.data.word_order import RELATIONS_FILE

SIMILAR = [
    Example("low", ("a stone falls", "the queen sings"), 0.5),
    Example("middle", ("a cat sits", "a cat lies"), 3.0),
    Example("high", ("a man sings", "a man is singing"), 4.8),
]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small tables."""
    for name, value in (("RELATED", 40), ("REORDERED", 4), ("STRANGERS", 20)):
        monkeypatch.setattr(module, name, value)


def made(held_out: list[Example]) -> tuple[dict[tuple[str, ...], float], dict[str, int]]:
    """Return the table's pairs with their labels, and the counts."""
    texts = [
        "Fly from Rome to Pisa.",
        "Who won in 1994?",
        "Sail from Oslo to Cork now.",
        "A gap between rich and poor.",
    ]
    table, counts = module.statements(texts, SIMILAR, held_out, 1, lambda _: None)
    return {row.texts: row.label or 0.0 for row in table.examples}, counts


def test_ends_strangers_and_other_orders_are_in_it() -> None:
    found, counts = made([])
    assert found[SIMILAR[0].texts] == 0
    assert found[SIMILAR[2].texts] == 1
    assert SIMILAR[1].texts not in found
    assert (counts["relations"], counts["reordered"], counts["ends"]) == (40, 4, 2)
    assert 0 < counts["strangers"] < 20  # six pairs can be drawn, and none comes twice
    assert len(found) == sum(counts.values())
    assert found["a stone falls", "a man is singing"] == 0


def test_a_dev_or_test_pair_never_trains() -> None:
    every, _ = made([])
    banned = [SIMILAR[0].texts, next(iter(every))]
    found, counts = made([Example("x", (second, first), None) for first, second in banned])
    assert not set(found) & set(banned)
    assert counts["ends"] == 1
    assert counts["relations"] == 39


def test_a_run_reads_them_where_it_asks(data: Path) -> None:
    found, told = loaded(data, paraphrase_statements=0.3)
    plain, _ = loaded(data)
    assert found.statements is not None
    assert plain.statements is None
    assert found.train == plain.train
    assert found.extra[RELATIONS_FILE]["relations"] == 40
    assert found.sha256[RELATIONS_FILE] == module.sha256()
    assert RELATIONS_FILE in found.train_files
    assert found.trained["paraphrase"][-1] == found.statements.examples[-1]
    assert any(line.startswith("statements for paraphrase: 40 relations") for line in told)
    alone, _ = loaded(data, paraphrase_statements=0.3, tasks="paraphrase")
    assert alone.statements == found.statements
    none, _ = loaded(data, paraphrase_statements=0.3, tasks="sentiment")
    assert none.statements is None


def test_masked_runs_read_them_masked(data: Path) -> None:
    plain, _ = loaded(data, paraphrase_statements=0.3)
    masked, _ = loaded(data, paraphrase_statements=0.3, mask_demographics=True)
    assert plain.statements is not None
    assert masked.statements is not None
    rows = list(zip(plain.statements.examples, masked.statements.examples, strict=True))
    assert any(before.texts != after.texts for before, after in rows)
    assert all(before.label == after.label for before, after in rows)


def test_paraphrase_alone_is_mixed_with_them(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    train = {name: Table(tmp_path, task_examples(name, 20, 1), []) for name in TASKS}
    stated = Table(tmp_path, task_examples("paraphrase", 33, 2), [])
    config = TrainConfig(paraphrase_statements=0.25, batch_examples=8)
    streams = make_streams(model, RunData(train, {}, {}, {}, statements=stated), config)
    assert [type(stream) for stream in streams] == [BatchStream, MixedStream, BatchStream]
    mixed = streams[1]
    assert isinstance(mixed, MixedStream)
    assert (mixed.share, len(mixed.other.data), len(mixed.data)) == (0.25, 33, 20)
