"""What a browser is told of the tokenizer: vocabulary, characters, settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minbert.browser.words import check_settings, ranges, words_data
from minbert.config import MultitaskConfig
from tests.support import tiny_config, tiny_tokenizer, tiny_vocabulary


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the tiny tokenizer's data."""
    tokenizer = tiny_tokenizer(tmp_path_factory.mktemp("words"))
    return words_data(tokenizer, MultitaskConfig(encoder=tiny_config(), max_length=48))


def inside(letter: str, told: list[int]) -> bool:
    """Say whether a letter lies in one of the ranges."""
    pairs = zip(told[::2], told[1::2], strict=True)
    return any(first <= ord(letter) <= last for first, last in pairs)


def test_the_vocabulary_is_told_in_its_order(data: dict[str, Any]) -> None:
    assert data["vocabulary"] == tiny_vocabulary()
    assert data["vocabulary"][data["mask"]] == "[MASK]"
    assert data["vocabulary"][data["sep"]] == "[SEP]"
    assert (data["maxLength"], data["pairTypes"], data["longestWord"]) == (48, 1, 100)


@pytest.mark.parametrize(
    ("kind", "letters", "others"),
    [
        ("dropped", "\0\u0301\u200b\ufffd\ue000", "a \t\u00e9\u4e00!"),
        ("gaps", " \t\n\u00a0\u3000", "a\u200b!"),
        ("apart", "\u4e00\u9fff\U00020000", "a\u3042\uac00"),
        ("punctuation", "!\"'[]_`~\u2014\u00bf", "a1\u20ac\u4e00 "),
    ],
)
def test_characters_are_of_the_tokenizer_s_kinds(
    data: dict[str, Any], kind: str, letters: str, others: str
) -> None:
    told = data["characters"][kind]
    assert [letter for letter in letters if not inside(letter, told)] == []
    assert [letter for letter in others if inside(letter, told)] == []


def test_ranges_are_unbroken_runs() -> None:
    assert ranges("fabcxz") == [97, 99, 102, 102, 120, 120, 122, 122]
    assert ranges("") == []


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("normalizer", "lowercase", False),
        ("normalizer", "type", "Lowercase"),
        ("pre_tokenizer", "type", "Whitespace"),
        ("model", "type", "BPE"),
    ],
)
def test_another_tokenizer_is_told(tmp_path: Path, part: str, key: str, value: object) -> None:
    settings = json.loads(tiny_tokenizer(tmp_path).backend.to_str())
    check_settings(settings)
    settings[part][key] = value
    with pytest.raises(ValueError, match=f"Found {value!r}; take an uncased BERT"):
        check_settings(settings)
