"""Masking demographic terms: each category, the ambiguous words, and what must stay."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import pytest

from minbert.demographics.terms import FILE, read_lists, term_lists
from minbert.demographics.terms_in_text import find_terms, mask_demographics, mask_examples
from minbert.files import CheckpointError
from minbert.tables import Example

VOCABULARY = Path(__file__).resolve().parents[2] / "assets" / "models" / "mean" / "tokenizer.json"

LISTED, EXACT, KEPT = term_lists().listed, term_lists().exact, term_lists().kept
CATEGORIES = {entry.category for entry in (*LISTED.values(), *EXACT.values())}
JOINING = ("the", "a", "an", "and", "or", "is", "was", "does", "I", "am", ",", ".", "'", "-")

MASKED = {
    # One sentence or more of each category.
    "The actress thanked the waitresses.": "The actor thanked the servers.",
    "My sister and my sons bake bread.": "My sibling and my children bake bread.",
    "Some businessmen met a policewoman.": "Some executives met an officer.",
    "Mr. Oak and Mrs. Elm danced.": "Mx. Oak and Mx. Elm danced.",
    "Yesterday Miss Elm sang to a princess.": "Yesterday Mx Elm sang to a royal.",
    "Brazilians adore this Korean soup.": "Nationals adore this National soup.",
    "The South African team won.": "The National team won.",
    "Latinas and Arabs wrote it.": "People and People wrote it.",
    "Muslims, Jews and Hindus ate here.": "Believers, Believers and Believers ate here.",
    "They wrote about Buddhism.": "They wrote about Religion.",
    "Teenagers help the elderly.": "People help the people.",
    "Two lesbians run a gay bar.": "Two people run a particular bar.",
    "An autistic painter and a wheelchair user.": "A particular painter and a person.",
    # Case.
    "WOMEN vote": "PEOPLE vote",
    "A Girl and a boy": "A Person and a person",
    "indians and Indians": "nationals and Nationals",
    # Articles.
    "an Indian train": "a National train",
    "a waitress, an actress": "a server, an actor",
    "a stewardess and an heiress": "an attendant and an heir",
    "A black woman": "An ethnic person",
    # Apostrophes and the treebank's tokens.
    "She's kind and he'll wait.": "They're kind and they'll wait.",
    "he’s late": "they’re late",
    "She 's been away .": "They 've been away .",
    "A woman's hat, the girls' hats": "A person's hat, the people's hats",
    "the man 's hat": "the person 's hat",
    "He does n't mind .": "They do n't mind .",
    # Verbs.
    "She is, he was, she has, he doesn't": "They are, they were, they have, they don't",
    "Why does she sing?": "Why do they sing?",
    "Is she serious? He serious!": "Are they serious? They serious!",
    "What does he sometimes need?": "What do they sometimes need?",
    "Isn't he tall?": "Aren't they tall?",
    "he sings, she tries, he watches": "they sing, they try, they watch",
    "She always knows, he guess": "They always knows, they guess",
    "He or she is here; s/he waits": "They are here; they wait",
    # "Her" and "his".
    "I saw her.": "I saw them.",
    "I saw her again and gave her the key": "I saw them again and gave them the key",
    "I saw her old boat": "I saw their old boat",
    "The boat is his, not hers.": "The boat is theirs, not theirs.",
    "his boat, his or her boat": "their boat, their boat",
    "He likes himself; I like him": "They like themselves; I like them",
    # Adjective or noun.
    "He is a Muslim.": "They are a Believer.",
    "a Muslim poet": "a Religious poet",
    "a Muslim who paints": "a Believer who paints",
    "a female who paints, a female painter": "a person who paints, a particular painter",
    "a shy teen, a teen drama": "a shy person, a particular drama",
    # Words with other senses.
    "Black people and white men": "Ethnic people and ethnic people",
    "gay or straight couples": "particular or particular couples",
    "The blind and the disabled.": "The people and the people.",
    "Old and young women": "Particular and particular people",
    "I'm deaf and I am blind.": "I'm particular and I am particular.",
    "English people like Polish soup": "National people like National soup",
    "Women of color wrote it": "People wrote it",
    "I speak French and French actors nod": "I speak French and National actors nod",
    # Ages in numbers.
    "an 18-year-old girl": "a some-year-old person",
    "She is twenty-five years old.": "They are some years old.",
    # Hyphens.
    "an anti-Muslim law": "an anti-Religious law",
    "An African-American choir, my mother-in-law": "An Ethnic choir, my relative",
}

UNCHANGED = [
    "The history of this theme is other than human.",
    "A womanly, manly or boyish style, an amen and a hermit.",
    "Thermal sheds, shells, heron, hims and boycott.",
    "Black coffee, white walls and an old bridge.",
    "A blind date on a straight road; love is blind.",
    "They polish the silver and trans fat is banned.",
    "Turkey and China trade turkey and china.",
    "They may mute the old television.",
    "I miss the train. Gaye and Jordan live in Chad.",
    "Wonder Woman met Iron Man near Burger King.",
    "A man-made lake, the Spider-Man of the X-Men.",
    "My mother tongue has French fries.",
    "Learn Spanish, then write it in Japanese.",
    "How is English grammar taught?",
    "She-devil is a he-goat's neighbour.",
    "A 12 year old car",
    "A king size bed by Queen",
    "Oh boy, that fell on deaf ears!",
    "MS in biology, an MR scan",
    "The child and the kid grew up.",
    "",
    "   ",
    "?!",
]


@pytest.mark.parametrize(("text", "expected"), MASKED.items(), ids=list(MASKED))
def test_a_term_becomes_its_abstraction(text: str, expected: str) -> None:
    assert mask_demographics(text) == expected


@pytest.mark.parametrize("text", UNCHANGED)
def test_a_text_without_terms_stays(text: str) -> None:
    assert mask_demographics(text) == text
    assert find_terms(text) == []


@pytest.mark.parametrize("text", [*MASKED, *UNCHANGED])
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask_demographics(text)
    assert mask_demographics(once) == once


def test_masking_any_words_twice_is_masking_them_once_and_leaves_words() -> None:
    draw = random.Random(0)
    between = [*sorted(term_lists().person_nouns), *JOINING, "he"]
    words = [*sorted(LISTED), *sorted(EXACT), *sorted(KEPT), *between * 5]
    for _ in range(1500):
        text = " ".join(draw.choices(words, k=draw.randint(1, 8)))
        text = draw.choice([str, str.upper, str.capitalize])(text)
        once = mask_demographics(text)
        assert mask_demographics(once) == once, text
        assert bool(once.strip()) == bool(text.strip()), text


def test_a_placeholder_is_no_listed_term() -> None:
    entries = [*LISTED.values(), *EXACT.values()]
    placeholders = {word for entry in entries for word in (entry.before_noun, entry.alone)}
    assert not placeholders & {*LISTED, *EXACT, *KEPT}
    for word, frame in itertools.product(sorted(placeholders), ("{}", "the {} people", "I am {}")):
        assert mask_demographics(frame.format(word)) == frame.format(word)


def test_a_placeholder_is_one_piece_of_the_vocabulary() -> None:
    vocabulary = json.loads(VOCABULARY.read_text(encoding="utf-8"))["model"]["vocab"]
    for entry in [*LISTED.values(), *EXACT.values()]:
        assert {entry.before_noun.lower(), entry.alone.lower()} <= vocabulary.keys()


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_each_listed_term_is_masked_before_people(category: str) -> None:
    terms = [term for term, entry in LISTED.items() if entry.category == category]
    assert terms
    for term in terms:
        masked = mask_demographics(f"we met {term} people")
        assert not re.search(rf"\b{re.escape(term)}\b", masked), masked
        assert category in {found.category for found in find_terms(f"we met {term} people")}


def test_no_term_is_found_inside_a_word() -> None:
    for term in LISTED:
        if " " not in term and "/" not in term:
            for text in (f"q{term}q people", f"{term}q people", f"q{term} people"):
                if text.split()[0] not in LISTED:
                    assert mask_demographics(text) == text


def test_a_term_is_listed_once() -> None:
    assert all(term == term.lower() for term in LISTED)
    assert not KEPT & LISTED.keys()


def test_masked_examples_keep_ids_and_labels() -> None:
    examples = [
        Example("a", ("She waves.", "A dog barks."), 2.5),
        Example("b", ("A bird sings.",), None),
        Example("c", ("Two men wave.", "Two women wave."), 5.0),
    ]
    masked, changed = mask_examples(examples)
    assert masked == [
        Example("a", ("They wave.", "A dog barks."), 2.5),
        Example("b", ("A bird sings.",), None),
        Example("c", ("Two people wave.", "Two people wave."), 5.0),
    ]
    assert changed == 3
    assert examples[0].texts[0] == "She waves."
    assert mask_examples(masked) == (masked, 0)


def test_no_examples() -> None:
    assert mask_examples([]) == ([], 0)


def test_terms_are_found_with_their_categories() -> None:
    found = {
        text: [(text[each.start : each.end], each.category) for each in find_terms(text)]
        for text in ("She is a Muslim actress.", "Mr. Oak saw her.", "an 18-year-old lesbian", "")
    }
    assert list(found.values()) == [
        [("She", "pronoun"), ("Muslim", "religion"), ("actress", "gender")],
        [("Mr", "title"), ("her", "pronoun")],
        [("18", "age"), ("lesbian", "orientation")],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listed", {"any": {"age": ["old"]}}),
        ("listed", {"any": {"age": {"person": "old"}}}),
        ("exact", None),
        ("words", {"kept": ["oh boy"]}),
        ("words", {"kept": [1]}),
    ],
)
def test_lists_of_another_form_are_told(name: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "terms.json"
    path.write_text(json.dumps({**json.loads(FILE.read_text("utf-8")), name: value}))
    with pytest.raises(CheckpointError, match=r"terms\.json should hold .* restore the file"):
        read_lists(path)


def test_white_space_and_odd_letters_survive() -> None:
    assert mask_demographics("  she \t waves\nİ \ud800 ") == "  they \t wave\nİ \ud800 "
    assert mask_demographics("South \n Korean tea") == "National tea"
