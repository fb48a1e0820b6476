"""Labelling a file: the course's format or another in, predictions out, every row or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from minbert.metrics import THRESHOLD
from minbert.predictor import Predictor
from minbert.tables import Example, TableReader
from minbert.tasks import TASKS, Task, clamped
from trainer.evaluation.answer import PART, Answers, Work, answer_file
from trainer.evaluation.formats import Layout
from trainer.run.distributed import World

LABEL = ("prediction",)
LAYOUTS = {
    "sentiment": Layout((*LABEL, *(f"p_{label}" for label in range(5))), ".6f", whole=LABEL),
    "paraphrase": Layout((*LABEL, "p_duplicate"), ".6f", whole=LABEL),
    "similarity": Layout((*LABEL, "score", "raw"), ".6f"),
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
    part_rows: int = PART,
    world: World | None = None,
) -> int:
    """Write a prediction for each row of `source`, in its order; return how many.

    Args:
        predictor: the model.
        task_name: of the task.
        source: a table, or plain text for sentiment; read row by row, a few times.
        target: of the predictions, in the format of its ending.
        skip_bad: leave out rows that do not parse, and say so.
        report: takes a line at a time.
        columns: which column is what, as in `sentence=review`; None: as they look.
        part_rows: rows of a part.
        world: which process this is, of how many; None: as the environment says.

    Raises:
        DataError: as `trainer.evaluation.answer.answer_file` does.
    """
    task = TASKS[task_name]
    work = Work(
        predictor,
        TableReader(source, task, labelled=False, columns=columns),
        LAYOUTS[task_name],
        lambda examples: predict_rows(predictor, task, examples),
        {"command": "predictions", "task": task_name, "columns": columns, "skip bad": skip_bad},
        part_rows,
    )
    return answer_file(work, target, skip_bad=skip_bad, report=report, world=world)


def predict_rows(predictor: Predictor, task: Task, examples: Sequence[Example]) -> Answers:
    """Return each row's values; pairs are scored in both orders, as on the page."""
    if task.name == "sentiment":
        results = predictor.sentiment([example.texts[0] for example in examples])
        chances = [result.probabilities for result in results]
        cut = count_cut(result.left_out for result in results)
        return [(each.index(max(each)), *each) for each in chances], cut
    pairs = [(example.texts[0], example.texts[1]) for example in examples]
    cut = count_cut(item.left_out for item in predictor.encode_joint(pairs))
    forth = predictor.joint(pairs)
    back = predictor.joint([(b, a) for a, b in pairs])
    probability, joint = ((x + y) / 2 for x, y in zip(forth, back, strict=True))
    if task.name == "paraphrase":
        return [(int(p > THRESHOLD), p) for p in probability.tolist()], cut
    needs_siamese = predictor.config.similarity_score != "joint"
    siamese = predictor.siamese(pairs) if needs_siamese else joint
    headline = predictor.headline(joint, siamese).tolist()
    return [(clamped(raw), clamped(raw), raw) for raw in headline], cut


def count_cut(left_out: Iterable[int]) -> int:
    """Count the rows of which truncation dropped word pieces."""
    return sum(dropped > 0 for dropped in left_out)
