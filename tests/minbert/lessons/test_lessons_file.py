"""A file of lessons is read whole, or refused with the key and the rule it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.lessons import LessonError, read_lessons
from minbert.lessons.lesson import MOST_WORDS, TABS
from tests.support import Parts, assert_says

CLAIM = """
[[lesson.claim]]
quantity = "mean.first.expected"
comparison = "above"
threshold = 2
"""
LESSON = f"""
[[lesson]]
id = "who-did-what"
title = "Who did what?"
first = "the cat sleeps"
second = "the dog runs"
view = "try"
see = "Look here."
{CLAIM}"""
ALONE = """
[[lesson]]
id = "alone"
title = "One alone"
first = "the cat sleeps"
view = "attention-maps"
see = "Look there."

[[lesson.claim]]
quantity = "cls.attention.layer3.head2.to_sep"
less = { first = "the dog" }
comparison = "below"
threshold = 0.5

[[lesson.claim]]
quantity = "mean.first.label"
comparison = "is not"
threshold = "neutral"
"""
OTHER = LESSON.replace("who-did-what", "other").replace("Who did what?", "Other")
EXPECTED = 'quantity = "mean.first.expected"'


def refused(path: Path, text: str) -> LessonError:
    """Return the error that reading a file with this text raises."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LessonError) as caught:
        read_lessons(path)
    return caught.value


def test_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "lessons.toml"
    path.write_text(LESSON + ALONE, encoding="utf-8")
    pair, alone = read_lessons(path)
    assert (pair.id, pair.title) == ("who-did-what", "Who did what?")
    assert (pair.first, pair.second) == ("the cat sleeps", "the dog runs")
    assert (pair.view, pair.see) == ("try", "Look here.")
    assert [str(claim) for claim in pair.claims] == ["mean.first.expected above 2.0"]
    assert (alone.second, alone.view) == ("", "attention-maps")
    assert [str(claim) for claim in alone.claims] == [
        "cls.attention.layer3.head2.to_sep less that of “the dog” below 0.5",
        "mean.first.label is not neutral",
    ]


@pytest.mark.parametrize(
    ("old", "new", "parameter", "rule"),
    [
        ('id = "who-did-what"', 'id = "Who"', ("`id`", "'Who'"), "small letters"),
        ('id = "who-did-what"\n', "", ("lesson 1 in lessons.toml", "`id`"), "should have"),
        ('title = "Who did what?"', f'title = "{"x" * 25}"', "`title`", "at most 24 characters"),
        ('title = "Who did what?"', "title = 3", "`title`", "a text on one line"),
        ('first = "the cat sleeps"', 'first = " \\u200b"', "`first`", "something to read"),
        ('first = "the cat sleeps"\n', "", ("'who-did-what'", "`first`"), "should have"),
        ('see = "Look here."\n', "", "`see`", "should have"),
        (
            'see = "Look here."',
            f'see = "{"x " * (MOST_WORDS + 1)}"',
            "`see`",
            f"{MOST_WORDS} words",
        ),
        ('see = "Look here."', 'see = "Look\\nhere."', "`see`", "on one line"),
        ("see =", 'seen = "x"\nsee =', "`seen`", ("should have no", "second")),
        ('view = "try"', 'view = "trie"', ("`view`", "'trie'"), TABS),
        ('view = "try"', 'view = "trie-words"', ("`view`", "'trie-words'"), TABS),
        ('view = "try"', 'view = "A view"', "`view`", "hyphens"),
        ('view = "try"', 'tab = "try"\nview = "try"', "`tab`", "should have no"),
        (CLAIM, "", "`claim`", "should have"),
        (CLAIM, "claim = []", "`claim`", "or more"),
        ("threshold = 2\n", "", ("claim 1", "'who-did-what'", "`threshold`"), "should have"),
        ("threshold = 2", "threshold = true", "`threshold`", "a number"),
        ("threshold = 2", "threshold = nan", "`threshold`", "a finite number"),
        ('"above"', '"over"', "`comparison`", ("above", "below")),
        ('"above"', '"is"', "`comparison`", ("above", "below")),
        (EXPECTED, 'quantity = "first.expected"', "`quantity`", ("mean, cls", "docs/lessons.md")),
        (EXPECTED, 'quantity = "mean.first.mood"', "`quantity`", "docs/lessons.md"),
        (EXPECTED, 'quantity = "mean.attention.layer0.to_sep"', "`quantity`", "docs/lessons.md"),
        (EXPECTED, 'quantity = "mean_less_cls.first.label"', "`quantity`", "docs/lessons.md"),
        (EXPECTED, 'quantity = "cls.first.label"', "`comparison`", ("'is'", "'is not'")),
        ("threshold = 2", "threshold = 2\nless = {}", "`less`", ("`first`", "`second`")),
        ("threshold = 2", 'threshold = 2\nless = { third = "x" }', "`third`", "should have no"),
        ("threshold = 2", 'threshold = 2\nless = { first = "" }', "`first`", "something to read"),
        ("[[lesson]]", "[lesson]", "lessons.toml", "should be"),
        ("[[lesson]]", 'name = "x"\n[[lesson]]', "`name`", "should have no"),
        ('id = "who-did-what"', "id = who", "lessons.toml", "should be TOML"),
    ],
)
def test_a_bad_file_is_told_with_key_and_rule(
    tmp_path: Path, old: str, new: str, parameter: Parts, rule: Parts
) -> None:
    assert LESSON.count(old) == 1
    error = refused(tmp_path / "lessons.toml", LESSON.replace(old, new))
    assert_says(error, parameter=parameter, rule=rule)


def test_a_class_is_compared_with_a_class_of_one_text(tmp_path: Path) -> None:
    path = tmp_path / "lessons.toml"
    named = LESSON.replace("first.expected", "second.label").replace('"above"', '"is"')
    assert_says(refused(path, named), parameter="`threshold`", rule="a text on one line")
    unknown = named.replace("threshold = 2", 'threshold = "good"')
    assert_says(refused(path, unknown), parameter="`threshold`", rule="very positive")
    less = named.replace("threshold = 2", 'threshold = "neutral"\nless = { first = "a film" }')
    assert_says(refused(path, less), parameter="`less`", rule="absent")


@pytest.mark.parametrize(
    "name", ["mean.second.expected", "cls.pair.score", "mean.attention.layer1.a_to_b"]
)
def test_a_quantity_of_two_needs_two(tmp_path: Path, name: str) -> None:
    alone = LESSON.replace('second = "the dog runs"\n', "").replace("mean.first.expected", name)
    error = refused(tmp_path / "lessons.toml", alone)
    assert_says(error, parameter="`quantity`", rule="`second`", found=name)


@pytest.mark.parametrize("key", ["id", "title"])
def test_ids_and_titles_are_one_lesson_s_own(tmp_path: Path, key: str) -> None:
    twice = (
        OTHER.replace('"other"', '"who-did-what"')
        if key == "id"
        else OTHER.replace('"Other"', '"Who did what?"')
    )
    error = refused(tmp_path / "lessons.toml", LESSON + twice)
    assert_says(error, parameter=f"`{key}`", rule="one that no other lesson has")


def test_a_file_that_is_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="should exist"):
        read_lessons(tmp_path / "none.toml")
    assert_says(refused(tmp_path / "lessons.toml", ""), parameter="`lesson`", rule="should have")
