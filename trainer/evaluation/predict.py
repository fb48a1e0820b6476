"""Labelling a file: the course's format in, tab-separated predictions out, every row or none."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from minbert.files import STDOUT, write_bytes
from minbert.metrics import THRESHOLD
from minbert.predictor import Predictor
from minbert.tables import DataError, Example, Table, TableReader
from minbert.tasks import TASKS, Task, clamped

CHUNK = 512  # rows between two steps of the progress bar
COLUMNS = {
    "sentiment": ("id", "prediction", *(f"p_{label}" for label in range(5))),
    "paraphrase": ("id", "prediction", "p_duplicate"),
    "similarity": ("id", "prediction", "score", "raw"),
}


def predict_file(
    predictor: Predictor,
    task_name: str,
    source: Path,
    target: Path,
    *,
    skip_bad: bool,
    report: Callable[[str], None],
    columns: str | None = None,
) -> int:
    """Write a prediction for each row of `source`, in its order; return how many.

    Args:
        predictor: the model.
        task_name: of the task.
        source: a table, or plain text for sentiment; read row by row, twice.
        target: of the predictions.
        skip_bad: leave out rows that do not parse, and say so.
        report: takes a line at a time.
        columns: which column is what, as in `sentence=review`; None: as they look.

    Raises:
        DataError: rows that do not parse (all are listed) and not `skip_bad`; or no row at all.
    """
    task = TASKS[task_name]
    if target.exists() and target.samefile(source):
        raise DataError(
            f"`--output` should be another file than `--input`. Found {target} for both; "
            "its sentences would be lost."
        )
    rows = TableReader(source, task, labelled=False, columns=columns)
    for note in rows.notes:
        report(f"{source.name}: {note}")
    count = check_rows(rows, skip_bad=skip_bad, report=report)
    buffer, cut = io.StringIO(), 0
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS[task_name])
    examples = (row for row in rows if isinstance(row, Example))
    with tqdm(total=count, unit="row", disable=None) as bar:
        while chunk := list(itertools.islice(examples, CHUNK)):
            cut += count_cut(predictor, task, chunk)
            for example, values in zip(chunk, predict_rows(predictor, task, chunk), strict=True):
                writer.writerow([example.id, *values])
            bar.update(len(chunk))
    write_bytes(target, buffer.getvalue().encode())
    if cut:
        report(
            f"{cut:,} of {count:,} rows were cut: the model reads "
            f"{predictor.config.max_length} tokens"
        )
    where = "standard output" if target == STDOUT else target
    report(f"{where}: {count:,} predictions")
    return count


def check_rows(rows: TableReader, *, skip_bad: bool, report: Callable[[str], None]) -> int:
    """Return how many rows there are to label, before the first one is.

    Raises:
        DataError: as `predict_file`.
    """
    count, bad = 0, []
    for row in rows:
        if isinstance(row, Example):
            count += 1
        else:
            bad.append(row)
    if bad and not skip_bad:
        listed = "\n".join(f"  line {row.line}: {row.reason}" for row in bad)
        raise DataError(
            f"{rows.path} should have a readable text in every row. "
            f"Found {len(bad)} bad rows:\n{listed}\n"
            "Mend them, or leave them out with --skip-bad. Nothing was written."
        )
    if not count:
        raise DataError(f"{rows.path} should hold at least one readable row. Found none.")
    if bad:
        table = Table(rows.path, [], bad)
        report(f"{len(bad)} bad rows left out: {table.summary(count)}")
    return count


def count_cut(predictor: Predictor, task: Task, examples: Sequence[Example]) -> int:
    """Count the rows that the model doesn't read whole."""
    if task.pair:
        inputs = predictor.encode_joint([(row.texts[0], row.texts[1]) for row in examples])
    else:
        inputs = predictor.encode_single([row.texts[0] for row in examples])
    return sum(item.left_out > 0 for item in inputs)


def predict_rows(
    predictor: Predictor, task: Task, examples: Sequence[Example]
) -> Iterator[tuple[str, ...]]:
    """Yield each row's cells after the id; pairs are scored in both orders, as on the page."""
    if task.name == "sentiment":
        for result in predictor.sentiment([example.texts[0] for example in examples]):
            best = result.probabilities.index(max(result.probabilities))
            yield str(best), *(f"{p:.6f}" for p in result.probabilities)
        return
    pairs = [(example.texts[0], example.texts[1]) for example in examples]
    forth = predictor.joint(pairs)
    back = predictor.joint([(b, a) for a, b in pairs])
    probability, joint = ((x + y) / 2 for x, y in zip(forth, back, strict=True))
    if task.name == "paraphrase":
        for p in probability.tolist():
            yield str(int(p > THRESHOLD)), f"{p:.6f}"
        return
    needs_siamese = predictor.config.similarity_score != "joint"
    siamese = predictor.siamese(pairs) if needs_siamese else joint
    for raw in predictor.headline(joint, siamese).tolist():
        score = f"{clamped(raw):.6f}"
        yield score, score, f"{raw:.6f}"
