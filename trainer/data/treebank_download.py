"""Bringing the sentiment treebank's training trees, of which nothing else in the archive is kept.

No checksum of the archive is known, so the trees are verified by what they are: as many as the
course's training sentences, each one's words and class equal to that sentence's, in the same
order. Without the trees the recipe `best` leaves its first stage out, so a failure is told in one
line and ends nothing.
"""

from __future__ import annotations

import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from minbert.tables import DataError
from trainer.data.course import read_split
from trainer.data.download import DownloadError, receive_patiently
from trainer.data.treebank import TREES_FILE, read_trees, text_key

TREES_URL = "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip"
MEMBER = "trees/train.txt"
LARGEST = 32_000_000  # bytes of the member; the real one has some 2 million


def download_trees(
    folder: Path,
    *,
    url: str = TREES_URL,
    report: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
) -> bool:
    """Bring the training trees into `folder`, verified against the training sentences there.

    Args:
        folder: of the data files; holds the training sentences already.
        url: the archive's address.
        report: takes one line of text per event.
        wait: sleeps that many seconds between two tries.

    Returns:
        whether the trees are there, verified. A file that is there and isn't the right one is
        left as it is.
    """
    path = folder / TREES_FILE
    try:
        if path.exists():
            check_trees(path, folder)
            report(f"{TREES_FILE} is there already, verified.")
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        archive = path.with_name("trees.zip.partial")
        receive_patiently(url, archive, report, wait)
        try:
            unpack(archive, path, folder)
        finally:
            archive.unlink(missing_ok=True)
    except (DownloadError, DataError, OSError) as error:
        report(f"{TREES_FILE} left out; `train best` goes without its first stage: {error}")
        return False
    report(f"{TREES_FILE} brought and verified.")
    return True


def unpack(archive: Path, path: Path, folder: Path) -> None:
    """Take the training trees out of the archive, verify them and put them in their place.

    Raises:
        DataError: no archive, one without the trees, or other trees.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(MEMBER) as member:
            content = member.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"the archive should hold {MEMBER}. Found none: {error}") from error
    if len(content) > LARGEST:
        raise DataError(f"{MEMBER} should have at most {LARGEST:,} bytes. Found more")
    partial.write_bytes(content)
    try:
        check_trees(partial, folder)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_trees(path: Path, folder: Path) -> None:
    """Compare trees with the course's training sentences.

    Raises:
        DataError: they aren't trees, or aren't those of the sentences, or there are no sentences.
    """
    sentences = read_split(folder, "sentiment", "train").examples
    trees = read_trees(path)
    if len(trees) != len(sentences):
        raise DataError(
            f"{path} should hold {len(sentences):,} trees, one for each training sentence. "
            f"Found {len(trees):,}."
        )
    for number, (tree, row) in enumerate(zip(trees, sentences, strict=True), start=1):
        same = text_key(tree[0].text) == text_key(row.texts[0])
        if not same or tree[0].label != row.label:
            raise DataError(
                f"{path}, tree {number} should be the training sentence {row.id} with class "
                f"{row.label:g}. Found another {'class' if same else 'sentence'}."
            )
