"""The command index: the training sentences' embeddings, for `minbert.explain.nearest`.

Every distinct sentence of a task's training file is embedded once by each model, with the model's
own pooling. The index holds the sentences themselves, so it stays on the machine that has the
files, by default in the user's cache, outside the repository, unless a person asks for
`publish --index`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from minbert.explain.nearest import PROBE, TrainingText, default_folder, save_index
from minbert.predictor import Predictor
from minbert.tables import Example
from minbert.tasks import TASKS
from minbert.text import normalise
from trainer.data.course import read_split

CHUNK = 1024  # sentences between two steps of the progress bar


def build_index(
    models: Sequence[Path],
    data: Path,
    out: Path | None,
    *,
    most: int | None = None,
    device: str = "auto",
    report: Callable[[str], None],
) -> Path:
    """Embed the training sentences and write the index; return its folder.

    Args:
        models: checkpoints' folders; an index knows them by the folders' names.
        data: folder of the course's files.
        out: where to; None is `default_folder()`.
        most: sentences of a task, the first ones; None takes all.
        device: where to compute.
        report: told what was read, and how long it took.

    Raises:
        ValueError: two models of one name, or `most` below 1.
        DataError: a file that is missing or has no readable row.
    """
    names = [model.name for model in models]
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"`--models` should name folders of different names. Found {names}.")
    if most is not None and most < 1:
        raise ValueError(f"`--most` should be at least 1. Found {most}.")
    folder = default_folder() if out is None else out
    texts: list[TrainingText] = []
    for task in TASKS:
        table = read_split(data, task, "train")
        report(table.summary())
        texts += training_texts(task, table.examples)[:most]
    embeddings, probes, seconds = {}, {}, {}
    for name, model in zip(names, models, strict=True):
        predictor = Predictor.from_pretrained(model, device)
        begun = time.perf_counter()
        embeddings[name] = _embed(predictor, [text.text for text in texts], name)
        (probes[name],) = predictor.embed([PROBE], "similarity")
        seconds[name] = round(time.perf_counter() - begun, 1)
        report(f"{name}: {len(texts):,} sentences in {seconds[name]:,.0f} s")
    save_index(folder, texts, embeddings, probes, {"seconds": seconds})
    report(f"The index is in {folder}")
    return folder


def training_texts(task: str, examples: Sequence[Example]) -> list[TrainingText]:
    """Return the distinct sentences of a file, in order, each with the first row it stands in."""
    found: dict[str, TrainingText] = {}
    for example in examples:
        sides = [normalise(text) for text in example.texts]
        for text, other in zip(sides, [*sides[1:], *sides[:-1]] or [""], strict=False):
            label = 0.0 if example.label is None else example.label
            told = found.get(text) or TrainingText(task, text, label, other, 0)
            found[text] = dataclasses.replace(told, times=told.times + 1)
    return list(found.values())


def _embed(predictor: Predictor, texts: Sequence[str], name: str) -> Tensor:
    parts = []
    with tqdm(total=len(texts), unit="sentence", desc=name, disable=None) as bar:
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            parts.append(predictor.embed(chunk, "similarity").half())
            bar.update(len(chunk))
    return torch.cat(parts)
