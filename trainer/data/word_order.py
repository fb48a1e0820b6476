"""Pairs with the same words in another order, and whether they still mean the same.

A model that has learned paraphrase from questions people asked says yes wherever the words agree.
Paper: Zhang, Baldridge and He 2019, "PAWS: Paraphrase Adversaries from Word Scrambling"
(arXiv 1904.01130). Differs from the paper: pairs are made by rules alone, from relations of our
own (word_order.toml) and from training sentences; no language model, no people to label them.
"""

from __future__ import annotations

import dataclasses
import functools
import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

RELATIONS_FILE = "word_order.toml"
BARE, JOINED = 0.5, 0.15  # shares without a frame; with another clause beside
Pair = tuple[str, str, int]  # both texts, 1 where they mean the same
_SLOT = re.compile(r"\{(\w+)(?:\.(\w+))?\}")


@dataclasses.dataclass(frozen=True)
class Relation:
    """Something that holds between {a} and {b}, and the ways to say it."""

    same: tuple[str, ...]  # phrasings of one meaning
    other: tuple[str, ...]  # of another one
    slots: Mapping[str, str]  # slot -> list of words
    form: str  # "clause", "past" or "question"
    symmetric: bool

    @property
    def can_differ(self) -> bool:
        """Say whether another order can mean another thing."""
        return not self.symmetric and {"a", "b"} <= set(self.slots)

    @property
    def can_agree(self) -> bool:
        """Say whether it can be said in two ways."""
        return self.symmetric or len(self.same) > 1


class Relations:
    """All relations, and the words and frames that they are filled and put into."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        """Take what the file holds."""
        self._forms = stored["forms"]
        self._words = stored["words"]
        frames = stored["frames"]
        self._frames = {
            "clause": frames["clause"],
            "past": [*frames["clause"], *frames["past"]],
            "question": frames.get("question", []),
        }
        self.all = [
            Relation(
                tuple(each["same"]),
                tuple(each.get("other", ())),
                each["slots"],
                each["as"],
                each.get("symmetric", False),
            )
            for each in stored["relation"]
        ]

    def pairs(self, count: int, seed: int) -> Iterator[Pair]:
        """Yield distinct pairs, as many of the same meaning as of another one."""
        draw, seen = random.Random(seed), set[tuple[str, str]]()
        agreeing = [each for each in self.all if each.can_agree]
        differing = [each for each in self.all if each.can_differ]
        while len(seen) < count:
            same = len(seen) % 2
            first, second = self.pair(draw.choice(agreeing if same else differing), same, draw)
            if first != second and (first, second) not in seen:
                seen.add((first, second))
                yield first, second, same

    def pair(self, relation: Relation, same: int, draw: random.Random) -> tuple[str, str]:
        """Say a relation twice: in the same meaning, or in another one; framed or joined."""
        told = self.told(relation, same, draw)
        beside = [each for each in self.all if each.can_agree and each.form != "question"]
        if relation.form != "question" and beside and draw.random() < JOINED:
            also = self.told(draw.choice(beside), 1, draw)
            ends = (told[1], also[1]) if draw.random() < 0.5 else (also[1], told[1])
            return f"{told[0]}, and {also[0]}.", f"{ends[0]}, and {ends[1]}."
        return self.framed(*told, relation.form, draw)

    def told(self, relation: Relation, same: int, draw: random.Random) -> tuple[str, str]:
        """Say a relation twice, with nothing around it."""
        filled = self.fill(relation, draw)
        exchanged = filled | {"a": filled["b"], "b": filled["a"]} if "b" in filled else filled
        first = draw.choice(relation.same)
        if same and relation.symmetric:
            second, words = draw.choice(relation.same), exchanged
        elif same:
            second, words = draw.choice([each for each in relation.same if each != first]), filled
        else:
            candidates = [(each, exchanged) for each in relation.same]
            candidates += [(each, filled) for each in relation.other]
            candidates += [(first, exchanged)] * len(candidates)  # half: the words alone move
            second, words = draw.choice(candidates)
        both = put(first, filled), put(second, words)
        return both if draw.random() < 0.5 else both[::-1]

    def fill(self, relation: Relation, draw: random.Random) -> dict[str, Mapping[str, str]]:
        """Draw words for the slots, no word twice; each with its forms by name."""
        taken, filled = set[str](), dict[str, Mapping[str, str]]()
        for slot, name in relation.slots.items():
            word = draw.choice([each for each in self._words[name] if each not in taken])
            taken.add(word)
            forms = dict(zip(self._forms.get(name, [""]), word.split("|"), strict=True))
            filled[slot] = forms
        return filled

    def framed(self, first: str, second: str, form: str, draw: random.Random) -> tuple[str, str]:
        """Put both into the same frame, said in one of its ways each."""
        frames = self._frames[form]
        end = "?" if form == "question" else "."
        frame = [f"{{s}}{end}"] if not frames or draw.random() < BARE else draw.choice(frames)
        told = (draw.choice(frame).replace("{s}", each) for each in (first, second))
        return next(told), next(told)


def put(phrasing: str, filled: Mapping[str, Mapping[str, str]]) -> str:
    """Fill a phrasing's slots."""
    return _SLOT.sub(lambda found: filled[found[1]][found[2] or ""], phrasing)


def put_for(pattern: re.Pattern[str], words: Mapping[str, str], text: str) -> str:
    """Put other words for those that a pattern finds."""
    return pattern.sub(lambda found: words[found[0]], text)


def relations() -> Relations:
    """Read the relations that come with the package."""
    return Relations(tomllib.loads(stored_text()))


def stored_text() -> str:
    """Return the file of relations."""
    return resources.files(__package__).joinpath(RELATIONS_FILE).read_text(encoding="utf-8")


# What is done to a sentence of the training files: pattern, what comes of it, whether it still
# means the same. Single words and closed endings only, where a pattern can't cut a phrase apart.
_END = r"(?=[?.!]?$|,| (?:in|by|with|without|on|for|using|when|if)\b)"
_SMALL = r"(?:of|for|the|between|with|by|are|is|about|on|like|as|both)"
EDITS: Sequence[tuple[str, str, int]] = (
    (rf"\bfrom (\w+) to (\w+){_END}", r"from \2 to \1", 0),
    (rf"\bfrom (\w+) to (\w+){_END}", r"to \2 from \1", 1),
    (rf"\bbetween (\w+) and (\w+){_END}", r"between \2 and \1", 1),
    (rf"(\b{_SMALL}) (\w+) and (\w+){_END}", r"\1 \3 and \2", 1),
    (rf"(\b{_SMALL}) (\w+) or (\w+){_END}", r"\1 \3 or \2", 1),
    (rf"\binstead of (\w+) (in|for|with) (\w+){_END}", r"instead of \3 \2 \1", 0),
    (
        r"^((?:how|what|why|can|should|is|are|do|does|will|would|which|where|who)\b[^,?]+) "
        r"(if|while|because|although) ([^,?]{8,})\?$",
        r"\2 \3, \1?",
        1,
    ),
    (r"^([^,.?]+) (in \d{4}|today|nowadays|these days)\?$", r"\2, \1?", 1),
    (r"^((?:a|an|the) \w+) and ((?:a|an|the) \w+) (are|were)\b", r"\2 and \1 \3", 1),
    (
        r"^((?:a|an|the|two|some) (?:\w+ ){1,3}(?:is|are) \w+ing) "
        r"((?:in|on|near|under|behind|across|through|along) (?:a|an|the) \w+(?: \w+)?)\.?$",
        r"\2, \1.",
        1,
    ),
)
_EDITS = [(re.compile(pattern, re.IGNORECASE), text, same) for pattern, text, same in EDITS]
_NUMBER = re.compile(r"(?<![\w.,/-])\d+(?![\w/-]|[.,]\d)")
_NAME = re.compile(r"(?<=[a-z] )[A-Z][a-z]{2,}\b(?! [A-Z\d]|'|’)")
_TOGETHER = re.compile(  # where an exchange may change nothing
    r"\b(?:and|or|vs|versus|between|compare\w*|differ\w*|both|relation\w*|similar\w*|same|distance|"
    r"against|with|war|together|like|marr\w+)\b|[,/&]",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"^(a|the|one) (\w+) is (\w+ing) (a|the|an) (\w+)((?:[.?!]?$| (?:in|on|at|with|near|by)\b).*)$",
    re.IGNORECASE,
)


def reordered(text: str) -> Iterator[Pair]:
    """Yield what the rules make of a sentence: itself, the other one, whether they agree."""
    for pattern, replacement, same in _EDITS:
        found = pattern.sub(replacement, text, count=1)
        if found.casefold() != text.casefold():
            yield text, found, same
    if not _TOGETHER.search(text) and not re.search(r"[.?!] ", text):
        for pattern in (_NUMBER, _NAME):
            words = pattern.findall(text)
            if len(set(words)) == 2:
                exchanged = dict(zip(sorted(set(words)), sorted(set(words))[::-1], strict=True))
                yield text, put_for(pattern, exchanged, text), 0
    caption = _CAPTION.match(text)
    if caption:
        who, verb, article, what, rest = caption.group(2, 3, 4, 5, 6)
        yield text, f"{caption[1]} {what} is {verb} {article} {who}{rest}", 0
        done = participle(verb.casefold())
        yield text, f"{article} {what} is being {done} by {caption[1]} {who}{rest}", 1
        yield text, f"{caption[1]} {who} is being {done} by {article} {what}{rest}", 0


def participle(doing: str) -> str:
    """Return the participle of a form in -ing: "riding", "ridden"."""
    stem = doing.removesuffix("ing")
    return irregular().get(stem) or re.sub(r"(?<=[^aeiou])y$", "i", stem) + "ed"


@functools.cache
def irregular() -> dict[str, str]:
    """Return the participles that don't end in -ed, by the stem of the form in -ing."""
    return dict(each.split("|") for each in tomllib.loads(stored_text())["participles"])
