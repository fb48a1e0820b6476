"""The three tasks as values, and what a similarity means in words."""

from __future__ import annotations

import pytest

from minbert.tasks import SIMILARITY_BANDS, TASKS, Task, similarity_band, task_named


def test_the_tasks_are_the_report_s_three() -> None:
    assert list(TASKS) == ["sentiment", "paraphrase", "similarity"]
    assert [task.classes for task in TASKS.values()] == [5, 1, 1]
    assert [task.metric for task in TASKS.values()] == ["accuracy", "accuracy", "pearson"]
    assert [(task.lowest, task.highest) for task in TASKS.values()] == [(0, 4), (0, 1), (0, 5)]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("sentiment", ("sentence",)),
        ("paraphrase", ("sentence1", "sentence2")),
        ("similarity", ("sentence1", "sentence2")),
    ],
)
def test_a_task_names_its_text_columns(name: str, columns: tuple[str, ...]) -> None:
    task = task_named(name)
    assert task.name == name
    assert task.text_columns == columns


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_labels_cover_the_targets(task: Task) -> None:
    if task.kind == "score":
        assert task.labels == ()
    else:
        assert len(task.labels) == task.highest - task.lowest + 1
        assert len(set(task.labels)) == len(task.labels)


def test_an_unknown_task_lists_the_known_ones() -> None:
    listed = r"`task` should be one of 'sentiment', 'paraphrase', 'similarity'\. Found 'sst'\."
    with pytest.raises(ValueError, match=listed):
        task_named("sst")


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (-3.0, 0),
        (0.0, 0),
        (0.4, 0),
        (0.6, 1),
        (1.0, 1),
        (2.4, 2),
        (2.6, 3),
        (3.0, 3),
        (4.4, 4),
        (4.6, 5),
        (5.0, 5),
        (7.5, 5),
    ],
)
def test_a_score_s_band(score: float, band: int) -> None:
    assert similarity_band(score) == SIMILARITY_BANDS[band]


def test_the_bands_never_go_back_down() -> None:
    bands = [SIMILARITY_BANDS.index(similarity_band(step / 20)) for step in range(-20, 121)]
    assert bands == sorted(bands)
    assert set(bands) == set(range(6))


def test_every_band_between_the_ends_is_one_wide() -> None:
    bands = [similarity_band(step / 100) for step in range(501)]
    widths = [bands.count(band) for band in SIMILARITY_BANDS]
    assert widths == [50, 100, 100, 100, 100, 51], "a half belongs to the band above, always"
