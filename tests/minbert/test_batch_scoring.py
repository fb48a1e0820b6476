"""Scores of labelled batches, worked out by hand; what is undefined stays None."""

from __future__ import annotations

import math

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.batch import BatchScores, BatchTable, Bin, read_batch, score_batch
from minbert.metrics import Metric
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY


def rated(rating: int, confidence: float) -> SentimentResult:
    """Build a result that gives one class this probability, and the others equal shares."""
    rest = (1 - confidence) / 4
    return SentimentResult(tuple(confidence if each == rating else rest for each in range(5)))


def paired(probability: float = 0.5, similarity: float = 0.0) -> PairResult:
    """Build a result whose two orders differ, with this mean probability."""
    return PairResult(probability + 0.01, probability - 0.01, 9.0, 9.0, 9.0, similarity)


def sentences(*labels: object) -> BatchTable:
    return read_batch("sentence,sentiment\n" + "".join(f"a film,{label}\n" for label in labels))


def pairs(target: str, *labels: object) -> BatchTable:
    rows = "".join(f"a film,a story,{label}\n" for label in labels)
    return read_batch(f"sentence1,sentence2,{target}\n{rows}")


def filled(scores: BatchScores) -> dict[float, tuple[int, float | None, float | None]]:
    """Return the bins that hold something, by their lower end; check that the others say so."""
    assert len(scores.bins) == 10
    for each in scores.bins:
        assert (each.count == 0) == (each.predicted is None) == (each.found is None)
    return {
        round(each.low, 6): (each.count, each.predicted, each.found)
        for each in scores.bins
        if each.count
    }


def assert_bins(
    scores: BatchScores, wanted: dict[float, tuple[int, float, float]], width: float = 0.1
) -> None:
    found = filled(scores)
    assert list(found) == list(wanted)
    for low, values in wanted.items():
        assert found[low] == pytest.approx(values)
    for index, each in enumerate(scores.bins):
        assert (each.low, each.high) == pytest.approx((index * width, (index + 1) * width))


def test_sentiment_by_hand() -> None:
    answers = [rated(4, 0.95), rated(1, 0.85), rated(0, 0.91), rated(2, 0.45)]
    scores = score_batch(sentences(4, 2, 3, 2), answers)
    assert (scores.task, scores.scored, scores.unlabelled, scores.unanswered) == (
        SENTIMENT,
        4,
        0,
        0,
    )
    assert list(scores.metrics) == ["accuracy", "within_one"]
    assert scores.metrics["accuracy"] == Metric(0.5, 0.25, 4)
    assert scores.metrics["within_one"] == Metric(0.75, math.sqrt(0.75 * 0.25 / 4), 4)
    assert scores.confusion == (  # row: label, column: prediction
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0),
        (0, 1, 1, 0, 0),
        (1, 0, 0, 0, 0),
        (0, 0, 0, 0, 1),
    )
    assert_bins(scores, {0.4: (1, 0.45, 1.0), 0.8: (1, 0.85, 0.0), 0.9: (2, 0.93, 0.5)})
    assert scores.calibration_error == pytest.approx((0.55 + 0.85 + 2 * 0.43) / 4)


def test_paraphrase_by_hand() -> None:
    answers = [paired(p) for p in (0.95, 0.65, 0.35, 0.05, 0.92)]
    table = pairs("is_duplicate", 1, 0, 1, 0, 1)
    scores = score_batch(table, answers)
    assert scores.task == PARAPHRASE
    assert scores.metrics["accuracy"].value == pytest.approx(3 / 5)
    assert scores.metrics["f1"].value == pytest.approx(4 / 6)
    assert scores.metrics["f1"].se is not None
    assert scores.confusion == ((1, 1), (1, 2))
    bins = {0.0: (1, 0.05, 0), 0.3: (1, 0.35, 1), 0.6: (1, 0.65, 0), 0.9: (2, 0.935, 1)}
    assert_bins(scores, bins)
    assert scores.calibration_error == pytest.approx((0.05 + 0.65 + 0.65 + 2 * 0.065) / 5)


def test_the_threshold_moves_the_decisions_and_not_the_calibration() -> None:
    answers = [paired(p) for p in (0.95, 0.65, 0.35, 0.05, 0.92)]
    table = pairs("is_duplicate", 1, 0, 1, 0, 1)
    lower, usual = (score_batch(table, answers, threshold=at) for at in (0.3, 0.5))
    assert lower.metrics["accuracy"].value == pytest.approx(4 / 5)
    assert lower.metrics["f1"].value == pytest.approx(6 / 7)
    assert lower.confusion == ((1, 1), (0, 3))
    assert (lower.bins, lower.calibration_error) == (usual.bins, usual.calibration_error)


def test_similarity_by_hand() -> None:
    answers = [paired(similarity=score) for score in (1.0, 2.2, 2.4, 4.0)]
    scores = score_batch(pairs("similarity", 1, 3, 2, 4), answers)
    assert scores.task == SIMILARITY
    # x - 2.4: -1.4, -.2, 0, 1.6; y - 2.5: -1.5, .5, -.5, 1.5
    r = (2.1 - 0.1 + 2.4) / math.sqrt(4.56 * 5)
    assert scores.metrics["pearson"].value == pytest.approx(r)
    assert scores.metrics["pearson"].se == pytest.approx(1 - r * r)  # the root of n - 3 is 1
    assert scores.metrics["spearman"].value == pytest.approx(0.8)
    assert (scores.confusion, scores.calibration_error) == (None, None)
    assert_bins(scores, {1.0: (1, 1, 1), 2.0: (2, 2.3, 2.5), 4.0: (1, 4, 4)}, width=0.5)


def test_scores_past_the_ends_are_clamped_in_the_bins_and_ranked_as_they_are() -> None:
    answers = [paired(similarity=score) for score in (-0.6, 0.2, 6.1, 5.4)]
    scores = score_batch(pairs("similarity", 0, 1, 5, 4), answers)
    assert_bins(scores, {0.0: (2, 0.1, 0.5), 4.5: (2, 5.0, 4.5)}, width=0.5)
    assert scores.metrics["spearman"].value == pytest.approx(1.0), "clamping would tie the two"


def test_a_bin_holds_its_lower_end_and_the_last_both() -> None:
    results = [PairResult(p, p, 0, 0, 0, 0) for p in (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)]
    scores = score_batch(pairs("is_duplicate", *[0] * 6), results)
    assert list(filled(scores)) == [0.0, 0.1, 0.3, 0.5, 0.7, 0.9]
    assert scores.bins[9] == Bin(0.9, 1.0, 1, 1.0, 0.0)


def test_a_perfectly_calibrated_batch_has_no_error() -> None:
    results = [PairResult(0.75, 0.75, 0, 0, 0, 0)] * 4
    scores = score_batch(pairs("is_duplicate", 1, 1, 0, 1), results)
    assert scores.calibration_error == 0


def test_rows_without_label_or_answer_are_counted_and_left_out() -> None:
    table = sentences(4, "", 0, 0, "")
    scores = score_batch(table, [rated(4, 0.9), rated(4, 0.9), rated(0, 0.9)])
    assert (scores.scored, scores.unlabelled, scores.unanswered) == (2, 1, 2)
    assert scores.metrics["accuracy"] == Metric(1.0, 0.0, 2)


@pytest.mark.parametrize(
    "similarities", [(1.0, 2.0), (3.0, 3.0, 3.0), (1.0, math.nan, 2.0), (1.0, 2.0, math.inf)]
)
def test_an_undefined_correlation_is_none(similarities: tuple[float, ...]) -> None:
    answers = [paired(similarity=score) for score in similarities]
    labels = range(1, len(answers) + 1)
    metrics = score_batch(pairs("similarity", *labels), answers).metrics
    assert metrics["pearson"] == Metric(None, None, len(answers))
    assert metrics["spearman"].value is None


def test_constant_labels_leave_the_correlation_undefined() -> None:
    answers = [paired(similarity=score) for score in (1.0, 2.0, 3.0)]
    assert score_batch(pairs("similarity", 2, 2, 2), answers).metrics["pearson"].value is None


def test_no_positive_at_all_leaves_f1_undefined() -> None:
    metrics = score_batch(pairs("is_duplicate", 0, 0), [paired(0.1), paired(0.2)]).metrics
    assert metrics["f1"] == Metric(None, None, 2)
    assert metrics["accuracy"] == Metric(1.0, 0.0, 2)


@pytest.mark.parametrize(
    "table", [sentences("", ""), pairs("is_duplicate", ""), pairs("similarity", "")]
)
def test_nothing_to_score_is_undefined_and_no_error(table: BatchTable) -> None:
    scores = score_batch(table, [])
    assert scores.scored == 0
    assert {metric.value for metric in scores.metrics.values()} == {None}
    assert scores.calibration_error is None
    assert {each.count for each in scores.bins} == {0}


def test_a_probability_that_is_no_number_leaves_the_calibration_undefined() -> None:
    results = [PairResult(math.nan, math.nan, 0, 0, 0, 0), PairResult(0.9, 0.9, 0, 0, 0, 0)]
    scores = score_batch(pairs("is_duplicate", 1, 1), results)
    assert scores.calibration_error is None
    assert sum(each.count for each in scores.bins) == 1


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="should have a column of labels, sentiment"):
        score_batch(read_batch("a film"), [rated(0, 0.9)])
    with pytest.raises(ValueError, match=r"is_duplicate or similarity\. Found none"):
        score_batch(read_batch("sentence1,sentence2\na,b\n"), [paired()])
    with pytest.raises(ValueError, match=r"at most one a row, 1\. Found 2"):
        score_batch(sentences(1), [rated(0, 0.9)] * 2)
    with pytest.raises(ValueError, match=r"should all be SentimentResult\. Found 1 others"):
        score_batch(sentences(1, 1), [rated(0, 0.9), paired()])
    with pytest.raises(ValueError, match=r"should have 5 classes, as the labels do\. Found 2"):
        score_batch(sentences(1), [SentimentResult((0.4, 0.6))])
