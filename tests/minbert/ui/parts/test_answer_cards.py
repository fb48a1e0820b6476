"""The HTML of the answers: every number and every name in its place."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.tasks import SENTIMENT
from minbert.ui.parts import answer_cards
from minbert.ui.parts.numbers import percent
from minbert.ui.question import Answer
from tests.read_html import Element, named_in, read

MOOD = SentimentResult((0.05, 0.1, 0.15, 0.5, 0.2))
PAIR = PairResult(0.9, 0.7, 5.4, 5.2, 3.1, 5.3)


OTHER = SentimentResult((0.4, 0.3, 0.1, 0.1, 0.1))
OTHER_PAIR = PairResult(0.2, 0.2, 1.0, 1.0, 1.0, 1.0)


def cards(pair: PairResult | None = None, **options: Any) -> list[Element]:  # noqa: ANN401 - of answer_panel
    """Return the cards of an answer with this pair."""
    moods = (MOOD,) if pair is None else (MOOD, MOOD)
    return read(answer_cards.answer_panel(Answer(moods, pair), **options)).find(css="mb-card")


def similarity(reported: float) -> PairResult:
    return PairResult(0.9, 0.7, 5.4, 5.2, 3.1, reported)


def test_five_bars_in_the_order_of_the_scale() -> None:
    card = cards()[0]
    shares = [percent(share) for share in MOOD.probabilities]
    assert card.texts(css="mb-name") == list(SENTIMENT.labels)
    assert card.texts(css="mb-value") == shares
    assert card.texts(css="mb-finding") == card.one(css="mb-best").texts(css="mb-name")
    assert card.texts(css="mb-finding") == ["positive"]
    for meter, label, share in zip(
        card.find(role="img"), SENTIMENT.labels, MOOD.probabilities, strict=True
    ):
        assert meter.attributes["aria-label"] == f"{label}: {percent(share)}"
        assert meter.one(css="mb-fill").attributes["style"] == f"width:{100 * share:.1f}%"
    assert card.one("p", "mb-note").numbers[0] == "2.7"  # .1 + .3 + 1.5 + .8


def test_paraphrase_shows_the_mean_and_both_orders() -> None:
    for threshold, decision in ((0.5, "yes"), (0.85, "no")):
        card = cards(PAIR, threshold=threshold)[2]
        assert card.texts(css="mb-finding") == [decision]
        assert card.texts(css="mb-value") == ["80 %"]
        assert card.one("p", "mb-note").numbers == ["90", "70", f"{100 * threshold:.0f}"]


def test_similarity_is_clamped_but_tells_the_raw_score() -> None:
    card = cards(PAIR)[3]
    assert card.one(css="mb-finding").numbers == ["5.0", "5"]
    assert card.texts(css="mb-band") == ["the same meaning"]
    assert card.one(css="mb-marker").attributes["style"] == "left:100.0%"
    assert "5.30" in card.one("p", "mb-note").numbers
    assert [one.numbers for one in card.find("dd")] == [["5.00"], ["5.00", "5.00"], ["3.10"], []]
    inside = cards(PairResult(0.9, 0.7, 2.0, 2.0, 2.0, 2.0))[3]
    assert inside.one("p", "mb-note").numbers == []


@pytest.mark.parametrize(("reported", "places"), [(5.3, [0]), (3.1, [1]), (4.2, [0, 1])])
def test_the_score_that_is_shown_is_named(reported: float, places: list[int]) -> None:
    card = cards(similarity(reported))[3]
    names = card.texts("dt")
    assert named_in(card.one("p", "mb-note").text, names) == [names[place] for place in places]


@pytest.mark.parametrize(("moods", "pair", "count"), [(1, None, 2), (2, PAIR, 4)])
def test_an_answer_has_a_card_a_task(moods: int, pair: PairResult | None, count: int) -> None:
    panel = read(answer_cards.answer_panel(Answer((MOOD,) * moods, pair)))
    assert len(panel.find(css="mb-card")) == count
    assert panel.find(css="mb-both") == panel.find(css="mb-tick") == []


def test_the_other_model_is_a_mark_on_every_bar() -> None:
    mine, other = Answer((MOOD, MOOD), PAIR), Answer((OTHER, MOOD), OTHER_PAIR)
    panel = read(answer_cards.answer_panel(mine, other=other))
    ticks = [tick.attributes["style"] for tick in panel.find(css="mb-tick")]
    shares = [*OTHER.probabilities, *MOOD.probabilities, OTHER_PAIR.paraphrase]
    assert ticks == [f"left:{100 * share:.1f}%" for share in shares]
    gauge = panel.one(css="mb-gauge")
    assert gauge.one(css="mb-other").attributes["style"] == f"left:{20 * OTHER_PAIR.score:.1f}%"
    heard = [one.attributes["aria-label"] for one in panel.find(role="img")]
    assert heard[0] == f"{SENTIMENT.labels[0]}: mean 5 %, CLS 40 %"
    assert heard[-1] == "similarity: mean 5.0, CLS 1.0 of 5"
    keys = panel.texts(css="mb-key")
    assert keys == ["mean pooling", "CLS pooling"]


CLOSE = PairResult(0.9, 0.7, 5.0, 5.0, 5.0, 4.9)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Answer((OTHER, MOOD), PAIR), ["sentence A"]),
        (Answer((MOOD, OTHER), PAIR), ["sentence B"]),
        (Answer((MOOD, MOOD), OTHER_PAIR), ["Paraphrase"]),
        (Answer((MOOD, MOOD), dataclasses.replace(PAIR, similarity=2.0)), ["closer"]),
        (Answer((MOOD, MOOD), CLOSE), ["same answers"]),
    ],
)
def test_the_line_names_the_first_place_where_they_differ(other: Answer, named: list[str]) -> None:
    panel = read(answer_cards.answer_panel(Answer((MOOD, MOOD), PAIR), other=other))
    places = ["sentence A", "sentence B", "Paraphrase", "closer", "same answers"]
    assert named_in(panel.one(css="mb-differ").text, places) == named
