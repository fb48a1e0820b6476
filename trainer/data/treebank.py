"""The Stanford Sentiment Treebank's training trees as phrases, each with a label of its own.

Paper: Socher et al. 2013, "Recursive Deep Models for Semantic Compositionality Over a Sentiment
Treebank", section 3. A line of the file is one sentence, `(3 (2 a) (4 (3 fine) (2 film)))`: every
bracket is a phrase, its number the class, 0 to 4. Only the training trees are ever read.

Differs from the common use of all phrases: very short ones are left out, each phrase counts once,
and phrases that are a whole dev or test sentence are dropped.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from minbert.tables import DataError, Example
from minbert.tasks import SENTIMENT
from minbert.text import normalise

TREES_FILE = "sst-trees/train.txt"
_PIECE = re.compile(r"\(|\)|[^\s()]+")  # round brackets of the text itself are -LRB- and -RRB-


@dataclasses.dataclass(frozen=True)
class Phrase:
    """One bracket of a tree."""

    label: int
    words: tuple[str, ...]  # the treebank's tokens, from left to right

    @property
    def text(self) -> str:
        """Join the tokens by spaces, as the course's sentence files do."""
        return " ".join(self.words)

    @property
    def length(self) -> int:
        """Count the tokens that hold a letter or a digit."""
        return sum(any(letter.isalnum() for letter in word) for word in self.words)


@dataclasses.dataclass(frozen=True)
class Phrases:
    """What was taken from the trees."""

    path: Path
    sentences: list[Example]  # the root of every tree, in file order
    phrases: list[Example]  # distinct, in order of appearance; none equals a sentence
    short: int  # distinct phrases left out for having too few words
    held_out: int  # distinct texts left out because they are dev or test sentences

    @property
    def counts(self) -> dict[str, int]:
        """Count what was taken and what was left out."""
        return {
            "sentences": len(self.sentences),
            "phrases": len(self.phrases),
            "short": self.short,
            "held_out": self.held_out,
        }

    def summary(self) -> str:
        """Say in one line what was read and what was left out."""
        return (
            f"{TREES_FILE}: {len(self.sentences):,} sentences and {len(self.phrases):,} phrases; "
            f"left out: {self.short:,} short phrases, {self.held_out:,} that are dev or test "
            "sentences"
        )


def parse_tree(line: str) -> list[Phrase]:
    """Return the phrases of one tree, the whole sentence first, then in order of their brackets.

    Raises:
        ValueError: what is wrong with the tree.
    """
    words: list[str] = []
    opened: list[int] = []  # places in `found` of the brackets that are open
    found: list[tuple[int, int, int]] = []  # label, first word, word after the last
    pieces = _PIECE.findall(line)
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        if piece == "(":
            if found and not opened:
                raise ValueError("a second tree on the line")
            label = pieces[place + 1] if place + 1 < len(pieces) else "nothing"
            if label not in {str(number) for number in range(SENTIMENT.classes)}:
                raise ValueError(f"a bracket should begin with a class, 0 to 4; found {label!r}")
            opened.append(len(found))
            found.append((int(label), len(words), -1))
            place += 1
        elif not opened:
            raise ValueError(f"{piece!r} outside any bracket")
        elif piece == ")":
            label_number, start, _ = found[opened[-1]]
            if start == len(words):
                raise ValueError("a bracket without a word")
            found[opened.pop()] = (label_number, start, len(words))
        else:
            words.append(piece)
        place += 1
    if opened or not found:
        raise ValueError(f"{len(opened)} brackets are not closed" if opened else "no tree")
    return [Phrase(label, tuple(words[start:end])) for label, start, end in found]


def read_trees(path: Path) -> list[list[Phrase]]:
    """Read a file of trees, one a line; each tree's phrases, the whole sentence first.

    Raises:
        DataError: no such file, or a line that is no tree.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines cuts at U+0085 too
    except FileNotFoundError as error:
        raise DataError(
            f"{path} should exist. Found nothing there; `python -m trainer download` brings the "
            "training trees."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} should be a readable file of UTF-8 text: {error}.") from error
    trees = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            trees.append(parse_tree(line))
        except ValueError as error:
            raise DataError(f"{path}, line {number} should be a tree. Found {error}.") from error
    if not trees:
        raise DataError(f"{path} should hold at least one tree. Found none.")
    return trees


def text_key(text: str) -> str:
    """Return what two spellings of one text have in common: no case, one space, no escapes."""
    return normalise(text).casefold()


def read_phrases(path: Path, held_out: Iterable[str], least_words: int) -> Phrases:
    """Read the sentences and the distinct phrases of a file of trees.

    A phrase that occurs more than once takes its commonest label, at a tie the first one's.

    Args:
        path: the training trees.
        held_out: the dev and test sentences; what equals one of them is left out.
        least_words: words that a phrase has at least; sentences are kept at any length.

    Raises:
        DataError: no such file, or a line that is no tree.
    """
    trees = read_trees(path)
    forbidden = {text_key(text) for text in held_out}
    roots = {text_key(tree[0].text) for tree in trees}
    sentences = [
        Example(f"tree{number}", (tree[0].text,), float(tree[0].label))
        for number, tree in enumerate(trees)
        if text_key(tree[0].text) not in forbidden
    ]
    firsts: dict[str, Phrase] = {}
    labels: dict[str, Counter[int]] = {}
    keys: dict[tuple[str, ...], str] = {}  # half of all phrases occur more than once
    for tree in trees:
        for phrase in tree[1:]:
            if (key := keys.get(phrase.words)) is None:
                key = keys[phrase.words] = text_key(phrase.text)
            firsts.setdefault(key, phrase)
            labels.setdefault(key, Counter())[phrase.label] += 1
    inner = [key for key in firsts if key not in roots]
    long = [key for key in inner if firsts[key].length >= least_words]
    phrases = [
        Example(f"phrase{number}", (firsts[key].text,), float(labels[key].most_common(1)[0][0]))
        for number, key in enumerate(long)
        if key not in forbidden
    ]
    dropped = len(roots & forbidden) + len(long) - len(phrases)
    return Phrases(path, sentences, phrases, len(inner) - len(long), dropped)
