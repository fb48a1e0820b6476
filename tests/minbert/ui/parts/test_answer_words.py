"""Findings in words: right winner, right numbers, right order."""

from __future__ import annotations

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.tasks import SENTIMENT, similarity_band
from minbert.ui.parts import answer_words, numbers
from minbert.ui.question import Answer
from tests.read_html import named_in, numbers_in, quoted_in

POOLINGS = ("CLS", "mean")


def pair(paraphrase: float = 0.5, similarity: float = 2.5) -> PairResult:
    return PairResult(paraphrase, paraphrase, similarity, similarity, similarity, similarity)


def sentiment(best: int) -> SentimentResult:
    return SentimentResult(tuple(0.6 if index == best else 0.1 for index in range(5)))


def answer(best: int, paraphrase: float = 0.5, similarity: float = 2.5) -> Answer:
    return Answer((sentiment(best), sentiment(best)), pair(paraphrase, similarity))


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.001, "< 1 %"), (0.999, "> 99 %"), (0.345, "34 %")],
)
def test_percent_never_overstates(share: float, told: str) -> None:
    assert numbers.percent(share) == told


def test_yes_begins_above_the_threshold() -> None:
    assert answer_words.yes_no(pair(0.5)) == "no"
    assert answer_words.yes_no(pair(0.51)) == "yes"
    assert answer_words.yes_no(pair(0.51), threshold=0.6) == "no"


def test_a_score_is_clamped_for_display_only() -> None:
    assert [numbers.shown(score) for score in (-0.4, 2.34, 6.0)] == ["0.0", "2.3", "5.0"]


@pytest.mark.parametrize(
    ("cls", "mean", "closer", "told"),
    [
        (1.0, 4.0, ["mean"], ["4.0", "1.0", "5"]),
        (3.0, 2.0, ["CLS"], ["3.0", "2.0", "5"]),
        (3.0, 3.1, ["CLS", "mean"], ["3.0", "3.1", "5"]),  # hardly apart: both are named
        (5.0, 5.4, ["CLS", "mean"], ["5.0", "5.0", "5"]),  # both are shown as 5.0
    ],
)
def test_the_closer_pooling_and_its_score_come_first(
    cls: float, mean: float, closer: list[str], told: list[str]
) -> None:
    title = answer_words.similarity_headline(pair(similarity=cls), pair(similarity=mean))
    assert named_in(title, POOLINGS) == closer
    assert numbers_in(title) == told


@pytest.mark.parametrize(("cls", "mean", "steps"), [(0, 3, ["3"]), (3, 1, ["2"]), (2, 3, [])])
def test_disagreements_are_counted_in_steps(cls: int, mean: int, steps: list[str]) -> None:
    told = answer_words.sentiment_difference("A", answer(cls), answer(mean), 0)
    assert numbers_in(told) == steps
    assert ("one" in told.split()) == (not steps)
    labels = [SENTIMENT.labels[cls], SENTIMENT.labels[mean]]
    assert named_in(told, (*POOLINGS, *labels)) == ["CLS", labels[0], "mean", labels[1]]
    assert named_in(told, "AB") == ["A"]


def test_an_agreement_names_the_class_once() -> None:
    told = answer_words.sentiment_difference("B", answer(2), answer(2), 1)
    assert named_in(told, ("B", *POOLINGS, *SENTIMENT.labels)) == ["B", "neutral"]


@pytest.mark.parametrize(
    ("cls", "mean", "said", "shares"),
    [
        (0.2, 0.8, ["CLS", "no", "yes", "mean", "yes", "yes"], ["20", "80"]),
        (0.81, 0.8, ["yes", "yes"], ["80"]),  # equally sure: none is named
        (0.1, 0.4, ["no", "CLS", "CLS", "yes", "mean", "yes"], ["10", "40"]),  # the surer one first
        (0.6, 0.9, ["yes", "mean", "CLS", "yes", "mean", "yes"], ["60", "90"]),
    ],
)
def test_paraphrase_differences(
    cls: float, mean: float, said: list[str], shares: list[str]
) -> None:
    told = answer_words.paraphrase_difference(pair(cls), pair(mean))
    assert named_in(told, (*POOLINGS, "yes", "no")) == said
    assert numbers_in(told) == shares


def test_a_comparison_of_one_sentence_asks_for_the_second() -> None:
    alone = Answer((sentiment(1),), None)
    title, (line,) = answer_words.comparison(alone, alone)
    assert named_in(title, SENTIMENT.labels) == ["negative"]
    assert "B" in line.split()


def test_a_comparison_of_pairs_tells_all_three_tasks() -> None:
    cls, mean = answer(1, 0.2, 0.3), answer(1, 0.9, 4.8)
    assert cls.pair is not None
    assert mean.pair is not None
    title, lines = answer_words.comparison(cls, mean)
    assert title == answer_words.similarity_headline(cls.pair, mean.pair)
    assert lines[:3] == [
        answer_words.sentiment_difference("A", cls, mean, 0),
        answer_words.sentiment_difference("B", cls, mean, 1),
        answer_words.paraphrase_difference(cls.pair, mean.pair),
    ]
    assert named_in(lines[3], POOLINGS) == ["CLS", "mean"]
    assert quoted_in(lines[3]) == [similarity_band(0.3), similarity_band(4.8)]
    _, alike = answer_words.comparison(cls, cls)
    assert quoted_in(alike[3]) == [similarity_band(0.3)]
