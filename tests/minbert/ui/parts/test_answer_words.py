"""Findings in words: right winner, right numbers, right order."""

from __future__ import annotations

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.ui.engine import Answer
from minbert.ui.parts import answer_words, numbers


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


def test_the_closer_pooling_is_named_first() -> None:
    assert answer_words.similarity_headline(pair(similarity=1.0), pair(similarity=4.0)) == (
        "Mean pooling sees these as closer: 4.0 against 1.0 of 5"
    )
    assert answer_words.similarity_headline(pair(similarity=3.0), pair(similarity=2.0)) == (
        "CLS pooling sees these as closer: 3.0 against 2.0 of 5"
    )
    assert "agree" in answer_words.similarity_headline(pair(similarity=3.0), pair(similarity=3.1))
    beyond = answer_words.similarity_headline(pair(similarity=5.0), pair(similarity=5.4))
    assert "agree" in beyond, "both are shown as 5.0"


def test_disagreements_are_counted_in_steps() -> None:
    told = answer_words.sentiment_difference("A", answer(0), answer(3), 0)
    assert told == (
        "They disagree on sentence A by 3 steps: CLS says very negative, mean says positive."
    )
    assert "by one step" in answer_words.sentiment_difference("A", answer(2), answer(3), 0)
    assert answer_words.sentiment_difference("B", answer(2), answer(2), 1) == (
        "Both call sentence B neutral."
    )


def test_paraphrase_differences() -> None:
    assert answer_words.paraphrase_difference(pair(0.2), pair(0.8)) == (
        "Paraphrase: CLS says no (yes 20 %), mean says yes (yes 80 %)."
    )
    assert "equally sure" in answer_words.paraphrase_difference(pair(0.81), pair(0.8))
    assert "CLS is surer" in answer_words.paraphrase_difference(pair(0.1), pair(0.4))
    assert "mean is surer" in answer_words.paraphrase_difference(pair(0.6), pair(0.9))


def test_a_comparison_of_one_sentence_asks_for_the_second() -> None:
    alone = Answer((sentiment(1),), None)
    title, lines = answer_words.comparison(alone, alone)
    assert title == "Both call sentence A negative"
    assert lines == ["Type a sentence B to compare them on pairs too."]


def test_a_comparison_of_pairs_tells_all_three_tasks() -> None:
    title, lines = answer_words.comparison(answer(1, 0.2, 0.3), answer(1, 0.9, 4.8))
    assert title.startswith("Mean pooling sees these as closer")
    assert len(lines) == 4
    assert lines[3] == "Similarity: CLS says “different topics”, mean says “the same meaning”."
