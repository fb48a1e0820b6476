"""Pairs with the same words in another order: relations of our own, rules for sentences."""

from __future__ import annotations

import csv
import random
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from trainer.data.treebank import text_key
from trainer.data.word_order import Relations, relations, reordered, stored_text

EVALUATION = Path(__file__).resolve().parents[3] / "assets" / "evaluation"
SMALL = """
forms = { verb = ["past", "participle"] }
words = { who = ["ann", "bo", "cy"], verb = ["saw|seen"] }
frames = { clause = [["i think {s}.", "{s}, i think."]], past = [["once {s}."]] }
"""


def small(relation: str) -> Relations:
    """Return relations of one alone."""
    return Relations(tomllib.loads(f"{SMALL}\n[[relation]]\n{relation}"))


def test_there_are_as_many_of_either_meaning_and_no_pair_twice() -> None:
    pairs = list(relations().pairs(2000, seed=3))
    assert Counter(same for _, _, same in pairs) == {0: 1000, 1: 1000}
    assert len({frozenset(pair[:2]) for pair in pairs}) > 1990
    assert all(first != second for first, second, _ in pairs)
    assert pairs == list(relations().pairs(2000, seed=3)) != list(relations().pairs(2000, seed=4))


def test_no_slot_and_no_form_is_left_open() -> None:
    for first, second, _ in relations().pairs(4000, seed=5):
        assert not re.search(r"[{}|]", first + second)
        assert first[-1] in ".?"
        assert second[-1] in ".?"


def test_every_relation_names_words_that_there_are() -> None:
    stored = tomllib.loads(stored_text())
    used = {name for each in stored["relation"] for name in each["slots"].values()}
    assert used == set(stored["words"])
    for name, words in stored["words"].items():
        fields = len(stored["forms"].get(name, [""]))
        assert {word.count("|") + 1 for word in words} == {fields}, name
        assert len(set(words)) == len(words), name


def test_an_exchange_means_another_thing_unless_the_relation_is_symmetric() -> None:
    slots = 'slots = { a = "who", b = "who", v = "verb" }\nas = "question"'
    differing = small(f'kind = "x"\n{slots}\nsame = ["{{a}} {{v.past}} {{b}}"]')
    pairs = list(differing.all[0].same)
    assert pairs == ["{a} {v.past} {b}"]
    assert not differing.all[0].can_agree
    first, second = differing.pair(differing.all[0], 0, random.Random(1))
    assert sorted(first.rstrip("?").split()) == sorted(second.rstrip("?").split())
    assert first.split()[0] == second.rstrip("?").split()[-1]
    symmetric = small(f'kind = "x"\nsymmetric = true\n{slots}\nsame = ["{{a}} met {{b}}"]').all[0]
    assert (symmetric.can_agree, symmetric.can_differ) == (True, False)
    first, second = differing.pair(symmetric, 1, random.Random(1))
    assert first.rstrip("?").split() == second.rstrip("?").split()[::-1]


def test_one_meaning_is_said_in_two_ways_with_the_same_words_in_their_places() -> None:
    slots = 'slots = { a = "who", b = "who", v = "verb" }\nas = "question"\nkind = "x"'
    passive = small(
        f'{slots}\nsame = ["{{a}} {{v.past}} {{b}}", "{{b}} was {{v.participle}} by {{a}}"]'
    )
    for seed in range(20):
        told = sorted(passive.pair(passive.all[0], 1, random.Random(seed)), key=len)
        who, _, whom = told[0].rstrip("?").split()
        assert told[1] == f"{whom} was seen by {who}?"


@pytest.mark.parametrize(
    ("text", "found", "same"),
    [
        ("How do I get from Rome to Pisa?", "How do I get from Pisa to Rome?", 0),
        ("How do I get from Rome to Pisa?", "How do I get to Pisa from Rome?", 1),
        ("What is the gap between rich and poor?", "What is the gap between poor and rich?", 1),
        ("A book about cats and dogs.", "A book about dogs and cats.", 1),
        (
            "Can I swim if the water is cold?",
            "if the water is cold, Can I swim?",
            1,
        ),
        ("Who won in 1994?", "in 1994, Who won?", 1),
        ("Can 3 cooks feed 40 guests?", "Can 40 cooks feed 3 guests?", 0),
        ("Why did old Rome fear young Carthage?", "Why did old Carthage fear young Rome?", 0),
        ("A cook is tasting a soup.", "A soup is tasting a cook.", 0),
        ("A cook is tasting a soup.", "a soup is being tasted by A cook.", 1),
        ("A cook is frying a fish.", "A cook is being fried by a fish.", 0),
        ("A cook is eating the fish.", "the fish is being eaten by A cook.", 1),
        ("Two cooks are resting in the shade.", "in the shade, Two cooks are resting.", 1),
        ("A cook and the guest are late.", "the guest and A cook are late.", 1),
    ],
)
def test_rules_reorder_a_sentence(text: str, found: str, same: int) -> None:
    assert (text, found, same) in list(reordered(text))


@pytest.mark.parametrize(
    "text",
    [
        "How does old Rome compare with young Carthage?",  # an exchange may change nothing
        "Is Rome bigger?",
        "The red cars and blue vans wait.",  # single words alone can change places
        "Pay 10 or 20 dollars.",
        "When was version 1.8 written?",
    ],
)
def test_rules_leave_a_sentence_alone(text: str) -> None:
    assert list(reordered(text)) == []


def test_no_hand_written_pair_comes_out() -> None:
    written = set()
    for path in EVALUATION.glob("*.tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                written |= {text_key(row["sentence1"]), text_key(row["sentence2"])}
    assert len(written) == 840
    made = {text_key(text) for pair in relations().pairs(4000, seed=0) for text in pair[:2]}
    assert not made & written
