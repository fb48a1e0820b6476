"""What a browser needs to split text as our tokenizer does: vocabulary, characters, settings.

A browser's Unicode tables are newer or older than the tokenizer's, so every character is asked of
the tokenizer itself: which it drops, takes for white space, sets apart, or splits off.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

from minbert.config import MultitaskConfig
from minbert.text import Tokenizer

PLANE = 0x10000
PLANES = (0, 1, 2, 3, 14, 15, 16)  # the others have no characters in any Unicode so far
SURROGATES = range(0xD800, 0xE000)  # no characters of their own
BETWEEN = "0"  # stands between characters that are looked at; nothing changes it or joins with it


def words_data(tokenizer: Tokenizer, config: MultitaskConfig) -> dict[str, Any]:
    """Return the data that `wordpiece.js` works with, as plain values.

    Raises:
        ValueError: the tokenizer isn't BERT's that lowercases.
    """
    settings = json.loads(tokenizer.backend.to_str())
    check_settings(settings)
    pieces = settings["model"]["vocab"]
    return {
        "vocabulary": sorted(pieces, key=pieces.__getitem__),
        "characters": characters(tokenizer),
        "longestWord": settings["model"]["max_input_chars_per_word"],
        "maxLength": config.max_length,
        "pairTypes": int(config.pair_token_types),
        "cls": tokenizer.cls_id,
        "sep": tokenizer.sep_id,
        "unknown": tokenizer.unknown_id,
        "mask": tokenizer.mask_id,
    }


def check_settings(settings: dict[str, Any]) -> None:
    """See that the tokenizer is one that `wordpiece.js` knows.

    Raises:
        ValueError: it isn't.
    """
    normalizer, model = settings["normalizer"] or {}, settings["model"]
    wanted = {
        "normalizer": (normalizer.get("type"), "BertNormalizer"),
        "lowercase": (normalizer.get("lowercase"), True),
        "clean_text": (normalizer.get("clean_text"), True),
        "strip_accents": (normalizer.get("strip_accents") in (None, True), True),
        "pre_tokenizer": ((settings["pre_tokenizer"] or {}).get("type"), "BertPreTokenizer"),
        "model": (model["type"], "WordPiece"),
        "continuing_subword_prefix": (model["continuing_subword_prefix"], "##"),
    }
    for name, (found, known) in wanted.items():
        if found != known:
            raise ValueError(
                f"`{name}` of the tokenizer should be {known!r} for a model in the browser. Found "
                f"{found!r}; take an uncased BERT checkpoint."
            )
    if sorted(model["vocab"].values()) != list(range(len(model["vocab"]))):
        raise ValueError("The vocabulary should number its pieces 0, 1, 2, ... Found gaps.")


def characters(tokenizer: Tokenizer) -> dict[str, list[int]]:
    """Ask the tokenizer about every character of Unicode; about 5 s of one core.

    Returns:
        for `dropped`, `gaps` (white space), `apart` (a word each, as CJK) and `punctuation` the
        ranges of code points: the first and the last of each, one range after the other.
    """
    normalizer, splitter = tokenizer.backend.normalizer, tokenizer.backend.pre_tokenizer
    codes = (PLANE * plane + place for plane in PLANES for place in range(PLANE))
    asked = [chr(code) for code in codes if code not in SURROGATES and chr(code) != BETWEEN]
    together = normalizer.normalize_str(BETWEEN.join(["", *asked, ""]))
    forms = together.split(BETWEEN)[1:-1]
    found = dict(zip(asked, forms, strict=True))
    joined = BETWEEN.join(["", *(form for form in forms if " " not in form), ""])
    split = splitter.pre_tokenize_str(joined)
    return {
        "dropped": ranges(letter for letter, form in found.items() if not form),
        "gaps": ranges(letter for letter, form in found.items() if form.isspace()),
        "apart": ranges(
            letter for letter, form in found.items() if len(form) > 2 and form[0] == form[-1] == " "
        ),
        "punctuation": ranges({piece for piece, _ in split if len(piece) == 1} - {BETWEEN}),
    }


def ranges(letters: Iterable[str]) -> list[int]:
    """Return the first and the last code point of each unbroken run."""
    codes = sorted(map(ord, letters))
    found = []
    for _, run in itertools.groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0]):
        members = [code for _, code in run]
        found += [members[0], members[-1]]
    return found
