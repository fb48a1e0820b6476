"""What Quora's questions don't teach of paraphrase: other orders of the same words, statements.

A table in paraphrase's form: pairs of `trainer.data.word_order`, the ends of the similarity pairs
(hardly related: no; the same in other words: yes), and sentences of theirs put together at random.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from minbert.tables import Example, Table
from trainer.data.course import pair_hash
from trainer.data.word_order import RELATIONS_FILE, Pair, relations, reordered, stored_text
from trainer.seeding import mix_seed

ORDER_SEED, SENTENCE_SEED, STRANGER_SEED = 41, 42, 43
RELATED, REORDERED, STRANGERS = 30_000, 10_000, 3_000  # pairs of relations, sentences, strangers
LOW, HIGH = 1.0, 4.5  # similarity, 0 to 5, up to which and from which on a pair is an end


def statements(
    texts: Iterable[str],
    similar: Sequence[Example],
    held_out: Iterable[Example],
    seed: int,
    report: Callable[[str], None],
) -> tuple[Table, dict[str, int]]:
    """Make the table, and count what is in it.

    Args:
        texts: sentences of the training files, to be put into another order.
        similar: similarity's training pairs, labels 0 to 5.
        held_out: dev and test pairs of paraphrase and similarity, which are left out.
        seed: of all draws.
        report: takes one line.
    """
    parts = {
        "relations": relations().pairs(RELATED, mix_seed(seed, ORDER_SEED)),
        "reordered": balanced(texts, random.Random(mix_seed(seed, SENTENCE_SEED))),
        "ends": ends(similar),
        "strangers": strangers(similar, random.Random(mix_seed(seed, STRANGER_SEED))),
    }
    seen = {pair_hash(row.texts) for row in held_out}
    rows, counts = list[Example](), dict[str, int]()
    for name, pairs in parts.items():
        before = len(rows)
        for number, (first, second, same) in enumerate(pairs):
            key = pair_hash((first, second))
            if key not in seen:
                seen.add(key)
                rows.append(Example(f"{name}-{number}", (first, second), float(same)))
        counts[name] = len(rows) - before
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    report(f"statements for paraphrase: {told}")
    return Table(Path(RELATIONS_FILE), rows, []), counts


def sha256() -> str:
    """Return the SHA-256 of the file of relations."""
    return hashlib.sha256(stored_text().encode()).hexdigest()


def balanced(texts: Iterable[str], draw: random.Random) -> Iterator[Pair]:
    """Yield what rules make of sentences, as many of the same meaning as of another one."""
    found = [pair for text in sorted(set(texts)) for pair in reordered(text)]
    draw.shuffle(found)
    agreeing, differing = ([pair for pair in found if pair[2] == same] for same in (1, 0))
    for both in zip(agreeing[: REORDERED // 2], differing[: REORDERED // 2], strict=False):
        yield from both


def ends(similar: Sequence[Example]) -> Iterator[Pair]:
    """Yield the similarity pairs that are surely paraphrases, and those that surely are none."""
    for row in similar:
        assert row.label is not None  # a training pair
        if not LOW < row.label < HIGH:
            yield row.texts[0], row.texts[1], int(row.label >= HIGH)


def strangers(similar: Sequence[Example], draw: random.Random) -> Iterator[Pair]:
    """Yield pairs of sentences from different similarity pairs."""
    if len(similar) > 1:
        for _ in range(STRANGERS):
            first, second = draw.sample(similar, 2)
            yield first.texts[0], second.texts[1], 0
