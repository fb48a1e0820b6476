"""Labelling a file: the course's format in, tab-separated predictions out, every row or none."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from minbert.files import STDOUT, write_bytes
from minbert.metrics import THRESHOLD
from minbert.predictor import Predictor
from minbert.tables import DataError, Example, read_table
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
) -> int:
    """Write a prediction for each row of `source`, in its order; return how many.

    Raises:
        DataError: rows that do not parse (all are listed) and not `skip_bad`; or no row at all.
    """
    task = TASKS[task_name]
    table = read_table(source, task, labelled=False)
    if table.bad_rows and not skip_bad:
        listed = "\n".join(f"  line {row.line}: {row.reason}" for row in table.bad_rows)
        raise DataError(
            f"{source} should have a readable text in every row. "
            f"Found {len(table.bad_rows)} bad rows:\n{listed}\n"
            "Mend them, or leave them out with --skip-bad. Nothing was written."
        )
    if not table.examples:
        raise DataError(f"{source} should hold at least one readable row. Found none.")
    if table.bad_rows:
        report(f"{len(table.bad_rows)} bad rows left out: {table.summary()}")
    buffer, cut = io.StringIO(), 0
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS[task_name])
    with tqdm(total=len(table.examples), unit="row", disable=None) as bar:
        for start in range(0, len(table.examples), CHUNK):
            chunk = table.examples[start : start + CHUNK]
            cut += count_cut(predictor, task, chunk)
            for example, values in zip(chunk, predict_rows(predictor, task, chunk), strict=True):
                writer.writerow([example.id, *values])
            bar.update(len(chunk))
    write_bytes(target, buffer.getvalue().encode())
    if cut:
        report(
            f"{cut:,} of {len(table.examples):,} rows were cut: the model reads "
            f"{predictor.config.max_length} tokens"
        )
    where = "standard output" if target == STDOUT else target
    report(f"{where}: {len(table.examples):,} predictions")
    return len(table.examples)


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
