"""The HTML of the answers: every number there, every dynamic text escaped."""

from __future__ import annotations

from minbert.answers import PairResult, SentimentResult
from minbert.ui.engine import Answer
from minbert.ui.parts import answer_cards, blocks

HOSTILE = '<img src=x onerror="alert(1)">'
SENTIMENT = SentimentResult((0.05, 0.1, 0.15, 0.5, 0.2))
PAIR = PairResult(0.9, 0.7, 5.4, 5.2, 3.1, 5.3)


def test_five_bars_in_the_order_of_the_scale() -> None:
    html = answer_cards.sentiment_card("A", SENTIMENT)
    order = [html.index(f"mb-class-{index}") for index in range(5)]
    assert order == sorted(order)
    assert html.count("mb-best") == 1
    assert 'aria-label="positive: 50 %"' in html
    assert "expected rating 2.7" in html  # .1 + .3 + 1.5 + .8


def test_paraphrase_shows_the_mean_and_both_orders() -> None:
    html = answer_cards.paraphrase_card(PAIR)
    assert '<p class="mb-finding">yes</p>' in html
    assert "80 %" in html
    assert "A then B 90 %, B then A 70 %" in html


def test_similarity_is_clamped_but_tells_the_raw_score() -> None:
    html = answer_cards.similarity_card(PAIR)
    assert "5.0 of 5" in html
    assert "left:100.0%" in html
    assert "the model said 5.30" in html
    assert "the same meaning" in html
    assert "shown is the joint score" in html
    assert "<dt>joint</dt><dd>5.30</dd>" in html
    assert "A then B 5.40, B then A 5.20" in html
    assert "<dt>Siamese</dt><dd>3.10</dd>" in html
    for reported, name in ((4.2, "the mean of the joint and"), (3.1, "the Siamese score<")):
        told = answer_cards.similarity_card(PairResult(0.9, 0.7, 5.4, 5.2, 3.1, reported))
        assert f"shown is {name}" in told
    inside = answer_cards.similarity_card(PairResult(0.9, 0.7, 2.0, 2.0, 2.0, 2.0))
    assert "the model said" not in inside


def test_dynamic_text_is_escaped_everywhere() -> None:
    for html in (
        blocks.card(HOSTILE, HOSTILE, ""),
        blocks.notice_line([HOSTILE]),
        blocks.finding_block(HOSTILE, [HOSTILE], HOSTILE),
        blocks.meter(0.5, "mb-yes", HOSTILE),
    ):
        assert "<img" not in html
        assert "&lt;img" in html


def test_without_b_the_panel_says_what_b_would_bring() -> None:
    html = answer_cards.answer_panel(Answer((SENTIMENT,), None))
    assert "Add a sentence B" in html
    assert html.count('class="mb-card"') == 2
    assert (
        answer_cards.answer_panel(Answer((SENTIMENT, SENTIMENT), PAIR)).count('class="mb-card"')
        == 4
    )
