"""The course's files by task and split, and what tells one file or pair from another."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from minbert.tables import DataError, Table, read_table
from minbert.tasks import TASKS
from minbert.text import normalise

FILES = {
    "sentiment": {
        "train": "ids-sst-train.csv",
        "dev": "ids-sst-dev.csv",
        "test": "ids-sst-test-student.csv",
    },
    "paraphrase": {
        "train": "quora-train.csv",
        "dev": "quora-dev.csv",
        "test": "quora-test-student.csv",
    },
    "similarity": {
        "train": "sts-train.csv",
        "dev": "sts-dev.csv",
        "test": "sts-test-student.csv",
    },
}
REVIEW_FILES = {"train": "ids-cfimdb-train.csv", "dev": "ids-cfimdb-dev.csv"}
REVIEWS = dataclasses.replace(  # Part 1 of the report: two classes through the sentiment head
    TASKS["sentiment"], labels=("negative", "positive"), highest=1, classes=2
)
SPLITS = ("train", "dev", "test")
HAND_WRITTEN = "hand-written"  # sets of our own, beside the course's splits


def file_name(task_name: str, split: str, sentiment_data: str = "sst") -> str:
    """Return the name of a split's file."""
    reviews = task_name == "sentiment" and sentiment_data == "cfimdb"
    return (REVIEW_FILES if reviews else FILES[task_name])[split]


def read_split(folder: Path, task_name: str, split: str, sentiment_data: str = "sst") -> Table:
    """Read one split of one task from a folder of the course's files.

    Raises:
        DataError: the file is missing, has no readable row, or labels on another scale.
    """
    path = folder / file_name(task_name, split, sentiment_data)
    task = REVIEWS if path.name in REVIEW_FILES.values() else TASKS[task_name]
    table = on_scale(read_table(path, task, labelled=split != "test"))
    if not table.examples:
        reasons = "; ".join(f"line {row.line}: {row.reason}" for row in table.bad_rows[:3])
        told = f" ({reasons})" if reasons else ""
        raise DataError(f"{path} should hold at least one readable row. Found none{told}.")
    return table


def on_scale(table: Table) -> Table:
    """Return a table whose labels may be trained on and scored against.

    Raises:
        DataError: they are on another scale than the task's.
    """
    if table.scale is not None:
        raise DataError(f"{table.path}: {table.scale}")
    return table


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(files: Sequence[Path]) -> str:
    """Return a file's SHA-256; of several, the SHA-256 of their sums in order."""
    sums = [file_sha256(path) for path in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def pair_hash(texts: Sequence[str]) -> int:
    """Return a signed 64-bit hash of a pair, the same for both orders and spellings of case."""
    sides = sorted(normalise(text).casefold() for text in texts)
    digest = hashlib.blake2b("\x1f".join(sides).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
