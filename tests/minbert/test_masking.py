"""The masking switch: demographic terms become [MASK] before the model reads."""

from __future__ import annotations

import pytest

from minbert.demographics.masking import mask_terms, masking
from minbert.demographics.terms_in_text import find_terms, mask_demographics
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.serving import ModelQueue, served
from minbert.text import Tokenizer

MASKED = {
    "an actor met my mother": ["an actor met my ", ""],
    "She thanked the actress.": ["", " thanked the ", "."],
    "An American film": ["A ", " film"],
    "a 70 year old man": ["a ", " year old ", ""],
    "a 70 year old car": ["a 70 year old car"],
    "I speak Spanish": ["I speak Spanish"],
    "a black dog and a black woman": ["a black dog and a ", " ", ""],
    "an interesting Indian plan": ["an interesting ", " plan"],
    "": [""],
}


@pytest.mark.parametrize("text", MASKED)
def test_what_stands_around_the_terms(text: str) -> None:
    assert mask_terms(text) == "[MASK]".join(MASKED[text])


def test_a_term_is_one_mask_however_many_pieces(tokenizer: Tokenizer) -> None:
    found = tokenizer.with_transform(mask_terms).pieces(["an African American film", "the dog", ""])
    mask = tokenizer.mask_id
    a, film, the, dog = (tokenizer.pieces([word])[0][0] for word in ("a", "film", "the", "dog"))
    assert found == [[a, mask, film], [the, dog], []]


def test_texts_without_a_term_are_read_as_ever(tokenizer: Tokenizer) -> None:
    texts = ["The film isn't good -LRB- at all -RRB-", "a dogs `` film ''", "[MASK] [SEP] 日本"]
    assert tokenizer.with_transform(mask_terms).pieces(texts) == tokenizer.pieces(texts)


def test_the_plain_predictor_stays_as_it_is(model: MultitaskBert) -> None:
    plain = Predictor(model, "cpu")
    masked = masking(plain)
    one, other = "my mother is funny", "my father is funny"
    assert masked.sentiment([one]) == masked.sentiment([other])
    assert plain.sentiment([one]) != plain.sentiment([other])
    assert masked.pairs([(one, other)])[0].siamese == pytest.approx(5.0, abs=1e-4)
    assert masked.encode_single([one])[0].ids[3] == plain.tokenizer.mask_id  # my = m ##y
    assert plain.tokenizer.mask_id not in plain.encode_single([one])[0].ids


def test_a_served_predictor_keeps_its_queue(model: MultitaskBert) -> None:
    asked = served(model, "cpu", ModelQueue())
    masked = masking(asked)
    assert masked.backend is asked.backend
    assert masked.sentiment(["my mother"]) == masked.sentiment(["my uncle"])


# Finding terms


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Her book", [("Her", "pronoun", "their")]),
        ("I saw her.", [("her", "pronoun", "them")]),
        ("A Muslim teacher", [("Muslim", "religion", "religious")]),
        ("Does she sing?", [("she", "pronoun", "they")]),
        ("the blind", [("blind", "disability", "people")]),
        ("a mother tongue", []),
        ("polish the Polish car", [("Polish", "nationality", "national")]),
    ],
)
def test_terms_are_found_where_abstraction_finds_them(
    text: str, wanted: list[tuple[str, str, str]]
) -> None:
    found = find_terms(text)
    assert [(text[t.start : t.end], t.category, t.placeholder) for t in found] == wanted
    assert (mask_demographics(text) != text) == bool(wanted)


def test_others_are_the_rest_of_the_term_s_list() -> None:
    (term,) = find_terms("my aunt")
    assert {"uncle", "niece", "grandmother"} <= set(term.others)
    assert "aunt" not in term.others
    assert not {"aunts", "uncles", "mother"} & set(term.others)
