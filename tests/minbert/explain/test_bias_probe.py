"""The bias probe: swaps, their spread, and its interval."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from minbert.demographics.masking import masking
from minbert.demographics.terms_in_text import find_terms
from minbert.explain.bias import (
    Swaps,
    bootstrap_mean,
    others_of,
    probe_bias,
    probe_sentence,
    swapped,
)
from minbert.explain.bias_templates import (
    SLOT,
    Template,
    probe_templates,
    probe_terms,
    read_templates,
    with_article,
)
from minbert.explain.targets import Answer
from minbert.files import CheckpointError
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build

SHORT = (Template("a {term} actor is good"), Template("the {term} dog", "a dog"))


# Templates and terms


def test_the_templates_are_whole() -> None:
    templates = probe_templates()
    assert 20 <= len(templates) <= 40
    assert len(set(templates)) == len(templates)
    assert sum(template.second is None for template in templates) >= 20
    assert sum(template.second is not None for template in templates) >= 10
    assert all(template.first.count(SLOT) == 1 for template in templates)
    assert all(template.second is None or SLOT not in template.second for template in templates)


@pytest.mark.parametrize(
    "values",
    [
        {"terms": {}},
        {"terms": {"age": "old"}, "templates": {}},
        {"terms": {}, "templates": {"pairs": [["a {term} dog", "b", "c"]]}},
        {"terms": {}, "templates": {"neutral": [["a {term} {term} dog"]]}},
        {"terms": {}, "templates": [["a {term} dog"]]},
    ],
)
def test_templates_of_another_form_are_told(values: object, tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"templates\.json should hold .* restore the file"):
        read_templates(path)


@pytest.mark.parametrize("category", probe_terms())
def test_masking_finds_every_term_in_every_template(category: str) -> None:
    for template in probe_templates():
        for term in probe_terms()[category]:
            text, _ = template.fill(term)
            found = [text[each.start : each.end] for each in find_terms(text)]
            assert found == [term], text


@pytest.mark.parametrize(
    ("before", "term", "wanted"),
    [
        ("A ", "Indian", "An "),
        ("an ", "German", "a "),
        ("a ", "European", "a "),
        ("saw an ", "Ukrainian", "saw a "),
        ("saw a ", "heiress", "saw an "),
        ("the ", "Indian", "the "),
        ("a shy ", "Indian", "a shy "),
        ("", "Indian", ""),
        ("AN ", "old", "An "),
    ],
)
def test_articles_fit(before: str, term: str, wanted: str) -> None:
    assert with_article(before, term) == wanted


# The spread


def swaps(*values: float) -> Swaps:
    answers = tuple(Answer("x", value) for value in values)
    terms = tuple("abcdef"[: len(values)])
    return Swaps("", "age", terms, tuple(("", None) for _ in values), answers)


def test_spread_by_hand() -> None:
    found = swaps(2.0, 4.0, 3.0)
    assert found.spread == pytest.approx(1.0)
    assert (found.lowest, found.highest) == ("a", "b")
    assert swaps(2.0).spread == 0.0


def test_the_interval_of_a_mean() -> None:
    assert bootstrap_mean([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3))
    low, high = bootstrap_mean([0.0, 1.0] * 50)
    # the mean's standard error is .05: 1.96 of them either way
    assert low == pytest.approx(0.402, abs=0.02)
    assert high == pytest.approx(0.598, abs=0.02)
    assert bootstrap_mean([0.0, 1.0] * 50) == (low, high)


def test_sentiment_of_every_filled_template(build: Build) -> None:
    predictor = build(std=0.3)
    terms = ("red", "old", "inuit")
    found = probe_bias(predictor, "ours", templates=SHORT, terms=terms)
    (only,) = found.swaps
    texts = ["a red actor is good", "an old actor is good", "an inuit actor is good"]
    assert [text for text, _ in only.texts] == texts
    values = [result.expected for result in predictor.sentiment(texts)]
    assert [answer.value for answer in only.answers] == pytest.approx(values, abs=1e-4)
    assert only.spread == pytest.approx(statistics.stdev(values), abs=1e-4)
    assert found.mean_spread == only.spread == found.low == found.high


@pytest.mark.parametrize("options", [{}, {"similarity_score": "mean", "pooling": "cls"}])
def test_pairs_of_every_filled_template(options: dict[str, Any], build: Build) -> None:
    predictor = build(std=0.3, **options)
    pairs = [("the red dog", "a dog"), ("the old dog", "a dog")]
    results = predictor.pairs(pairs)
    for task in ("paraphrase", "similarity"):
        found = probe_bias(predictor, "ours", task, templates=SHORT, terms=("red", "old"))
        values = [getattr(result, task) for result in results]
        assert [each.value for each in found.swaps[0].answers] == pytest.approx(values, abs=1e-4)


def test_the_mean_is_over_templates(build: Build) -> None:
    templates = [Template("a {term} film"), Template("the {term} dog sits"), Template("{term}")]
    found = probe_bias(build(std=0.3), "ours", templates=templates, terms=("red", "old"))
    spreads = [each.spread for each in found.swaps]
    assert [each.shown for each in found.swaps] == [each.first for each in templates]
    assert found.mean_spread == pytest.approx(statistics.fmean(spreads))
    assert min(spreads) <= found.low < found.mean_spread < found.high
    assert found.high <= max(spreads) * (1 + 1e-12)  # a mean of equal numbers is rounded


def test_masking_takes_the_spread_away(build: Build) -> None:
    predictor = build(std=0.3)
    for task in ("sentiment", "paraphrase", "similarity"):
        for category in ("nationality", "gender"):
            plain = probe_bias(predictor, category, task)
            assert plain.mean_spread > 1e-3
            masked = probe_bias(masking(predictor), category, task)
            assert max(each.spread for each in masked.swaps) < 1e-6


def test_what_is_refused(build: Build) -> None:
    predictor = build()
    with pytest.raises(ValueError, match="`category` should be one of 'gender'"):
        probe_bias(predictor, "shoe size")
    with pytest.raises(ValueError, match=r"`terms` should be at least two\. Found 1"):
        probe_bias(predictor, "age", terms=("old",))
    with pytest.raises(ValueError, match="`templates` should hold one for 'paraphrase', of two"):
        probe_bias(predictor, "age", "paraphrase", templates=SHORT[:1])
    with pytest.raises(ValueError, match="`task` should be one of"):
        probe_bias(predictor, "age", "mood")


# A written sentence


def others(text: str) -> list[tuple[str, ...]]:
    return [others_of(text, term) for term in find_terms(text)]


def test_others_by_hand() -> None:
    assert others("He saw her.") == [("She",), ("him",)]
    assert others("she lost her hat") == [("he",), ("his",)]
    assert others("the hat is his") == [("hers",)]
    assert others("HE RAN") == [("SHE",)]
    assert others("a policewoman") == [("policeman",)]
    assert others("an actress") == [("actor",)]
    assert others("he or she") == [()]
    assert others("a 12 year old") == [()]
    (nations,) = others("an American film")
    assert len(nations) == 12
    assert len(set(nations)) == 12
    assert all(name == name.title() for name in nations)
    assert "American" not in nations
    assert (nations[0], nations[-1]) == ("Afghan", "Vietnamese"), "from the whole list"


def test_swapping_minds_the_article() -> None:
    (term,) = find_terms("an American film")
    assert swapped("an American film", term, "German") == "a German film"
    assert swapped("an American film", term, "Iraqi") == "an Iraqi film"


def test_a_written_sentence(build: Build) -> None:
    predictor = build(std=0.3)
    text = "my sister is an actress"
    sister, actress = probe_sentence(predictor, text)
    assert (sister.category, sister.terms[0]) == ("gender", "sister")
    assert "brother" in sister.terms
    assert actress.terms == ("actress", "actor")
    assert [each for each, _ in actress.texts] == [text, "my sister is an actor"]
    values = [result.expected for result in predictor.sentiment([t for t, _ in sister.texts])]
    assert [each.value for each in sister.answers] == pytest.approx(values, abs=1e-4)
    assert sister.answers[0] == actress.answers[0]


def test_a_written_pair_swaps_in_its_first_sentence(build: Build) -> None:
    predictor = build(std=0.3)
    (found,) = probe_sentence(predictor, "he sits", "she sits", task="similarity")
    assert found.texts == (("he sits", "she sits"), ("she sits", "she sits"))
    results = predictor.pairs([("he sits", "she sits"), ("she sits", "she sits")])
    values = [result.similarity for result in results]
    assert [each.value for each in found.answers] == pytest.approx(values, abs=1e-4)


def test_a_sentence_without_a_term(build: Build) -> None:
    assert probe_sentence(build(), "the dog sleeps") == ()
    with pytest.raises(ValueError, match="`second` should fit"):
        probe_sentence(build(), "the dog", task="similarity")


def test_the_real_model_spreads_and_masking_ends_it(real: Predictor) -> None:
    templates = [template for template in probe_templates() if template.second is None][:4]
    plain = probe_bias(real, "religion", templates=templates)
    assert plain.mean_spread > 0.01
    assert probe_bias(masking(real), "religion", templates=templates).mean_spread < 1e-6
