"""Embedding a file: the pooled embedding of each sentence, every row or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from minbert.predictor import Predictor
from minbert.tables import Example, TableReader
from minbert.tasks import SENTIMENT
from trainer.evaluation.answer import PART, Answers, Work, answer_file
from trainer.evaluation.formats import Layout
from trainer.run.distributed import World

DIGITS = ".9g"  # gives each float32 back exactly


def embed_file(
    predictor: Predictor,
    source: Path,
    target: Path,
    *,
    normalise: bool = False,
    skip_bad: bool = False,
    report: Callable[[str], None],
    columns: str | None = None,
    part_rows: int = PART,
    world: World | None = None,
) -> int:
    """Write the pooled embedding, D float32 numbers, of each row of `source`; return how many.

    Args:
        predictor: the model.
        source: a table of sentences, or plain text; read row by row, a few times.
        target: of the embeddings, in the format of its ending; in .npy (N, D) without ids, where
            `skip_bad` makes NaN of a row that does not parse.
        normalise: make each embedding's length 1.
        skip_bad: leave out rows that do not parse, and say so.
        report: takes a line at a time.
        columns: which column is what, as in `sentence=review`; None: as they look.
        part_rows: rows of a part.
        world: which process this is, of how many; None: as the environment says.

    Raises:
        DataError: as `trainer.evaluation.answer.answer_file` does.
    """

    def embed(examples: Sequence[Example]) -> Answers:
        inputs = predictor.encode_single([example.texts[0] for example in examples])
        embeddings = predictor.pooled(inputs)  # (N, D)
        if normalise:
            embeddings = torch.nn.functional.normalize(embeddings, dim=1)
        return embeddings.tolist(), sum(item.left_out > 0 for item in inputs)

    width = predictor.config.encoder.hidden_size
    names = tuple(f"embedding_{place}" for place in range(width))
    work = Work(
        predictor,
        TableReader(source, SENTIMENT, labelled=False, columns=columns),
        Layout(names, DIGITS, vector="embedding"),
        embed,
        {
            **{"command": "embeddings", "normalise": normalise},
            **{"columns": columns, "skip bad": skip_bad},
        },
        part_rows,
    )
    return answer_file(work, target, skip_bad=skip_bad, report=report, world=world)
