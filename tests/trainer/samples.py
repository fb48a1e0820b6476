"""Small data of our own: sentences, tables and folders in the course's format."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from pathlib import Path

from minbert.tables import Example
from minbert.tasks import TASKS
from trainer.data.course import FILES, REVIEW_FILES

SUBJECTS = ("the cat", "the actor", "this story", "the red film", "that plot", "a python")
VERBS = ("sleeps", "runs", "plays", "sits", "is", "was")
PLACES = ("in the park", "in the garden", "to the sofa", "and learns", "of the language")
OPINIONS = ("bad", "dull", "slow", "funny", "great")  # class 0 to 4


def sentence(draw: random.Random) -> str:
    """Draw a sentence of three parts."""
    return " ".join(draw.choice(parts) for parts in (SUBJECTS, VERBS, PLACES))


def sentiment_rows(count: int, seed: int) -> list[tuple[str, ...]]:
    """Draw (id, sentence, class); one word decides the class."""
    draw = random.Random(seed)
    rows = []
    for row in range(count):
        label = draw.randrange(5)
        rows.append((f"s{seed}-{row}", f"{sentence(draw)} {OPINIONS[label]} .", str(label)))
    return rows


def pair_rows(count: int, seed: int, *, scores: bool) -> list[tuple[str, ...]]:
    """Draw (id, A, B, label): the share of common words, as 0-5 or as a yes or no."""
    draw = random.Random(seed)
    rows = []
    for row in range(count):
        first = sentence(draw)
        second = first + " !" if draw.random() < 0.4 else sentence(draw)
        words, others = set(first.split()), set(second.split())
        overlap = len(words & others) / len(words | others)
        label = f"{5 * overlap:.2f}" if scores else str(int(overlap > 0.6))
        rows.append((f"p{seed}-{row}", first, second, label))
    return rows


def review_rows(count: int, seed: int) -> list[tuple[str, ...]]:
    """Draw (id, review, 0 or 1): a few sentences, the last word of each bad or great."""
    draw = random.Random(seed)
    rows = []
    for row in range(count):
        label = row % 2
        opinion = OPINIONS[-1] if label else OPINIONS[0]
        told = " ".join(f"{sentence(draw)} {opinion} ." for _ in range(draw.randint(2, 5)))
        rows.append((f"r{seed}-{row}", told, str(label)))
    return rows


def task_rows(task_name: str, count: int, seed: int) -> list[tuple[str, ...]]:
    """Draw labelled rows of a task: id, texts, label."""
    if task_name == "sentiment":
        return sentiment_rows(count, seed)
    return pair_rows(count, seed, scores=task_name == "similarity")


def task_examples(task_name: str, count: int, seed: int) -> list[Example]:
    """Draw labelled examples of a task."""
    rows = task_rows(task_name, count, seed)
    return [Example(row[0], row[1:-1], float(row[-1])) for row in rows]


def header(task_name: str, *, labelled: bool = True) -> tuple[str, ...]:
    """Return a data file's column names, after the index column's empty one."""
    task = TASKS[task_name]
    return ("id", *task.text_columns, *((task.target,) if labelled else ()))


def table_text(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a tab-separated table with the course's index column before the others."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(["", *columns])
    writer.writerows([str(index), *row] for index, row in enumerate(rows))
    return buffer.getvalue()


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Write a table to a file."""
    path.write_text(table_text(columns, rows), encoding="utf-8")
    return path


def write_course_files(folder: Path, *, train: int = 48, dev: int = 16, test: int = 6) -> Path:
    """Write the nine files of the course's format, and CFIMDB's two, with small tables."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"train": train, "dev": dev, "test": test}
    for place, (name, files) in enumerate(FILES.items()):
        for shift, (split, file) in enumerate(files.items()):
            rows = task_rows(name, sizes[split], 10 * place + shift)
            labelled = split != "test"
            kept = rows if labelled else [row[:-1] for row in rows]
            write_table(folder / file, header(name, labelled=labelled), kept)
    for shift, (split, file) in enumerate(REVIEW_FILES.items()):
        write_table(folder / file, header("sentiment"), review_rows(sizes[split], 30 + shift))
    return folder


def tree_text(text: str, label: str) -> str:
    """Return a sentence as a tree of the treebank: each word beside the rest, all of one class."""
    first, _, rest = text.partition(" ")
    return f"({label} (2 {first}) {tree_text(rest, label)})" if rest else f"({label} {first})"


def write_trees(folder: Path) -> Path:
    """Write the trees of a folder's SST training sentences beside them."""
    with (folder / FILES["sentiment"]["train"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    path = folder / "sst-trees" / "train.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(tree_text(row[2], row[3]) + "\n" for row in rows), encoding="utf-8")
    return path
