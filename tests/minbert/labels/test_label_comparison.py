"""Both poolings on the same folds: properties of a comparison, its steps, its urgency."""

from __future__ import annotations

import dataclasses
import random
import time
from collections import Counter

import pytest
import torch
from torch import Tensor

from minbert.labels import (
    Comparison,
    FitError,
    LabelledTexts,
    LabelWork,
    Progress,
    compare,
    compare_in_steps,
    examples_of,
    fit_regression,
)
from minbert.predictor import Predictor
from minbert.serving import BULK, QUICK, _urgency
from minbert.text import Encoded
from tests.support import WORDS, assert_seed_decides, redraw, tiny_model

CLASSES = {"pets": ("cat", "dog", "sofa"), "films": ("film", "actor", "plot"), "code": ("python",)}


def examples(rows: int = 40) -> LabelledTexts:
    """Return sentences whose class follows from one of their words, most of the time."""
    draw = random.Random(4)
    texts, labels = [], []
    for row in range(rows):
        label = list(CLASSES)[row % 3]
        word = draw.choice(CLASSES[label] if row % 7 else WORDS)
        texts.append(f"the {word} {draw.choice(WORDS)} {draw.choice(WORDS)} {row}")
        labels.append(label)
    return examples_of(texts, labels)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    folder, found = tmp_path_factory.mktemp("labels"), {}
    for pooling in ("cls", "mean"):
        model = tiny_model(folder / pooling, pooling=pooling)
        redraw(model, seed=3)
        found[pooling] = Predictor(model, "cpu")
    return found


@pytest.fixture(scope="module")
def found(models: dict[str, Predictor]) -> Comparison:
    return compare(examples(), models)


def test_the_scores_are_those_of_the_answers(found: Comparison) -> None:
    labels = found.examples.labels
    for side in found.sides:
        hits = sum(a == b for a, b in zip(side.answers, labels, strict=True))
        assert side.accuracy.value == hits / 40
        assert sum(side.confusion[place][place] for place in range(3)) == hits
        assert [sum(row) for row in side.confusion] == list(found.examples.counts)
        assert {wrong.row for wrong in side.mistakes} == {
            row for row, answer in enumerate(side.answers) if answer != labels[row]
        }
        for wrong in side.mistakes:
            assert wrong.answer == side.answers[wrong.row]
            assert 1 / 3 < wrong.probability < 1
            assert 0 < wrong.of_label < wrong.probability
        chances = [wrong.probability for wrong in side.mistakes]
        assert chances == sorted(chances, reverse=True)
        assert side.curve[-1].accuracy == side.accuracy
        assert [point.rows for point in side.curve] == [8, 11, 14, 18, 24, 32]
        assert side.probe.accuracy == side.accuracy
    cls, mean = found.sides
    assert (cls.name, mean.name, mean.called) == ("cls", "mean", "mean pooling")
    assert found.difference is not None
    assert found.difference.value == pytest.approx(mean.accuracy.value - cls.accuracy.value)
    assert (found.baseline.label, found.baseline.accuracy.value) == (2, 14 / 40)
    assert mean.accuracy.low > found.baseline.accuracy.value, "there is something to learn"


def test_each_answer_is_of_a_fit_that_had_not_seen_the_row(models: dict[str, Predictor]) -> None:
    """A fit to all rows, which has seen them, gets more of them right."""
    data = examples()
    embeddings = models["mean"].embed(data.texts)
    seen = fit_regression(embeddings, torch.tensor(data.labels), 3)
    right = (seen.probabilities(embeddings).argmax(dim=1) == torch.tensor(data.labels)).sum()
    side = compare(data, models).side("mean")
    assert right > 40 * side.accuracy.value
    assert torch.allclose(side.probe.regression.weight, seen.weight, atol=1e-3)


def test_the_order_of_the_rows_changes_nothing_else(
    models: dict[str, Predictor], found: Comparison
) -> None:
    data = examples()
    order = list(range(len(data)))
    random.Random(2).shuffle(order)
    names = [data.classes[label] for label in data.labels]
    again = compare(examples_of([data.texts[o] for o in order], [names[o] for o in order]), models)
    assert (again.difference, again.verdict) == (found.difference, found.verdict)
    for side, other in zip(again.sides, found.sides, strict=True):
        assert side.answers == tuple(other.answers[o] for o in order)
        assert (side.accuracy, side.macro_f1, side.confusion) == (
            other.accuracy,
            other.macro_f1,
            other.confusion,
        )
        assert side.curve == other.curve
        assert torch.equal(side.probe.regression.weight, other.probe.regression.weight)


def test_equal_embeddings_differ_in_nothing(models: dict[str, Predictor]) -> None:
    found = compare(examples(), {"one": models["mean"], "other": models["mean"]})
    assert found.difference is not None
    assert found.difference == dataclasses.replace(
        found.difference, value=0, low=0, high=0, won=0, lost=0, p=1
    )
    assert found.difference.kind == "no difference"
    assert found.verdict.endswith("no difference.")


def test_the_seed_decides(models: dict[str, Predictor]) -> None:
    assert_seed_decides(lambda seed: LabelWork(examples(), models, seed=seed).trials)


def test_nothing_is_judged_before_it_is_embedded(models: dict[str, Predictor]) -> None:
    with pytest.raises(FitError, match="finite"):
        next(LabelWork(examples(), models).judge())


def test_one_model_has_nothing_to_compare_with(models: dict[str, Predictor]) -> None:
    found = compare(examples(), {"mean": models["mean"]}, names={"mean": "mean (first)"})
    assert found.difference is None
    assert found.verdict.startswith("Mean (first) pooling gets ")
    with pytest.raises(ValueError, match="one or two"):
        compare(examples(), {})
    with pytest.raises(KeyError):
        found.side("cls")


def test_progress_rises_from_nothing_to_all(models: dict[str, Predictor]) -> None:
    *steps, last = compare_in_steps(examples(), models)
    assert isinstance(last, Comparison)
    shares = []
    for step in steps:
        assert isinstance(step, Progress)
        shares.append(step.share)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, pytest.approx(1))
    assert Counter(step.what.split(",")[0] for step in steps if isinstance(step, Progress)) == {
        "Reading the sentences": 2,
        "Learning and testing": 2 * (5 + 1 + 1),  # sizes, folds, all rows
    }


def test_long_texts_are_cut_and_told_and_a_step_is_short(models: dict[str, Predictor]) -> None:
    data = examples()
    long = dataclasses.replace(data, texts=tuple(f"{text} film" * 30 for text in data.texts))
    chunks = LabelWork(long, models).chunks
    assert all(sum(map(len, chunk.inputs)) <= 1024 for chunk in chunks)
    assert len(chunks) == 4
    found = compare(long, {"mean": models["mean"]})
    assert [side.cut for side in found.sides] == [40]
    assert found.notes[-1].startswith("40 of the sentences are longer than the models read")


class Watched:
    """A backend that notes how urgent its work is."""

    def __init__(self, plain: Predictor) -> None:
        self.plain, self.seen = plain.backend, list[int]()
        self.hidden, self.maps, self.call = (
            plain.backend.hidden,
            plain.backend.maps,
            plain.backend.call,
        )

    def pooled(self, inputs: list[Encoded], task: str | None) -> Tensor:
        self.seen.append(_urgency.get())
        return self.plain.pooled(inputs, task)


def test_it_stands_back_and_stops_between_two_steps(models: dict[str, Predictor]) -> None:
    watched = Watched(models["mean"])
    steps = compare_in_steps(examples(), {"mean": models["mean"].with_backend(watched)})
    next(steps)
    assert watched.seen == []
    next(steps)
    assert _urgency.get() == QUICK  # of whoever asks for the next step
    assert watched.seen == [BULK]
    begun = time.monotonic()
    steps.close()  # type: ignore[attr-defined] # a generator
    assert time.monotonic() - begun < 1
    assert list(steps) == []
    assert watched.seen == [BULK]


def test_memory_is_the_embeddings_alone(models: dict[str, Predictor]) -> None:
    work = LabelWork(examples(), models)
    for name, kept in work.embeddings.items():
        assert (kept.dtype, kept.shape) == (torch.float32, (40, 16)), name
