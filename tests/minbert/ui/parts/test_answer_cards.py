"""The HTML of the answers: every number and every name in its place."""

from __future__ import annotations

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.tasks import SENTIMENT
from minbert.ui.parts import answer_cards
from minbert.ui.parts.numbers import percent
from minbert.ui.question import Answer
from tests.read_html import named_in, read

MOOD = SentimentResult((0.05, 0.1, 0.15, 0.5, 0.2))
PAIR = PairResult(0.9, 0.7, 5.4, 5.2, 3.1, 5.3)


def similarity(reported: float) -> PairResult:
    return PairResult(0.9, 0.7, 5.4, 5.2, 3.1, reported)


def test_five_bars_in_the_order_of_the_scale() -> None:
    card = read(answer_cards.sentiment_card("A", MOOD))
    shares = [percent(share) for share in MOOD.probabilities]
    assert card.texts(css="mb-name") == list(SENTIMENT.labels)
    assert card.texts(css="mb-value") == shares
    assert card.texts(css="mb-finding") == card.one(css="mb-best").texts(css="mb-name")
    assert card.texts(css="mb-finding") == ["positive"]
    for meter, label, share in zip(
        card.find(role="img"), SENTIMENT.labels, MOOD.probabilities, strict=True
    ):
        assert meter.attributes["aria-label"] == f"{label}: {percent(share)}"
        assert f"mb-class-{SENTIMENT.labels.index(label)}" in meter.classes
        assert meter.one(css="mb-fill").attributes["style"] == f"width:{100 * share:.1f}%"
    assert card.one("p", "mb-note").numbers[0] == "2.7"  # .1 + .3 + 1.5 + .8


def test_paraphrase_shows_the_mean_and_both_orders() -> None:
    for threshold, decision in ((0.5, "yes"), (0.85, "no")):
        card = read(answer_cards.paraphrase_card(PAIR, threshold))
        assert card.texts(css="mb-finding") == [decision]
        assert card.texts(css="mb-value") == ["80 %"]
        assert card.one("p", "mb-note").numbers == ["90", "70", f"{100 * threshold:.0f}"]


def test_similarity_is_clamped_but_tells_the_raw_score() -> None:
    card = read(answer_cards.similarity_card(PAIR))
    assert card.one(css="mb-finding").numbers == ["5.0", "5"]
    assert card.texts(css="mb-band") == ["the same meaning"]
    assert card.one(css="mb-marker").attributes["style"] == "left:100.0%"
    assert "5.30" in card.one("p", "mb-note").numbers
    assert [one.numbers for one in card.find("dd")] == [["5.00"], ["5.00", "5.00"], ["3.10"], []]
    inside = read(answer_cards.similarity_card(PairResult(0.9, 0.7, 2.0, 2.0, 2.0, 2.0)))
    assert inside.one("p", "mb-note").numbers == []


@pytest.mark.parametrize(("reported", "places"), [(5.3, [0]), (3.1, [1]), (4.2, [0, 1])])
def test_the_score_that_is_shown_is_named(reported: float, places: list[int]) -> None:
    card = read(answer_cards.similarity_card(similarity(reported)))
    names = card.texts("dt")
    assert named_in(card.one("p", "mb-note").text, names) == [names[place] for place in places]


@pytest.mark.parametrize(("moods", "pair", "cards"), [(1, None, 2), (2, PAIR, 4)])
def test_an_answer_has_a_card_a_task(moods: int, pair: PairResult | None, cards: int) -> None:
    panel = read(answer_cards.answer_panel(Answer((MOOD,) * moods, pair)))
    assert len(panel.find(css="mb-card")) == cards
