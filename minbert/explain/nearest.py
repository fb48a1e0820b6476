"""The training sentences nearest to a text, by both models' embeddings.

An index is a folder that `python -m trainer index` builds from the course's files on the user's
own machine; nothing of it comes with the repository. It holds

    index.json          which models, which poolings, how many sentences
    texts.tsv           task, text, label, other sentence of its pair, how often it occurs
    NAME.safetensors    `embeddings` (N, D) float16 of length 1, and `probe` (D,), for each model

Nearness in embedding space is not influence: a near sentence may have taught the model nothing.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.config import choice_error
from minbert.files import (
    CheckpointError,
    read_json,
    read_tensors,
    write_bytes,
    write_json,
    write_tensors,
)
from minbert.heads import COSINE_EPSILON
from minbert.predictor import Predictor
from minbert.tasks import TASKS

COMMAND = "python -m trainer index"
INDEX_FILE, TEXTS_FILE = "index.json", "texts.tsv"
COLUMNS = ("task", "text", "label", "other", "times")
PROBE = "The quick probe tells whether an index and a model belong together."
SAME = 0.999  # cosine of the probe's embedding then and now; float16 costs less than .0001
ROWS_AT_ONCE = 16384  # of the matrix product: float16 is stored, float32 multiplied


@dataclasses.dataclass(frozen=True)
class TrainingText:
    """One sentence of the training files."""

    task: str
    text: str
    label: float  # sentiment class, duplicate or not, or similarity of the first of its pairs
    other: str = ""  # the sentence that it was paired with there; empty for sentiment
    times: int = 1  # how often it stands in the file


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """A training sentence, and how near it is."""

    text: TrainingText
    cosine: float


def default_folder() -> Path:
    """Return where an index lies by default: $MINBERT_INDEX, or a folder in the user's cache."""
    named = os.environ.get("MINBERT_INDEX")
    return Path(named) if named else Path.home() / ".cache" / "minbert-lab" / "index"


class NearestIndex:
    """Training sentences with each model's embeddings."""

    def __init__(
        self,
        texts: Sequence[TrainingText],
        embeddings: dict[str, Tensor],
        probes: dict[str, Tensor],
    ) -> None:
        """Hold N texts, and for each model (N, D) float16 of length 1 and the probe's (D,)."""
        self.texts = tuple(texts)
        self.models = tuple(embeddings)
        self._embeddings = embeddings
        self._probes = probes
        tasks = [text.task for text in self.texts]
        self._rows = {name: _places(tasks, name) for name in TASKS}

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read an index from its folder.

        Raises:
            CheckpointError: there is none, or it is torn; the message says how to build it.
        """
        folder = default_folder() if folder is None else folder
        if not (folder / INDEX_FILE).is_file():
            raise CheckpointError(
                f"{folder} should hold an index of your training sentences. Found none; build it "
                f"with `{COMMAND}` after `python -m trainer download`, or set $MINBERT_INDEX."
            )
        try:
            told = read_json(folder / INDEX_FILE)
            names = [str(name) for name in told["models"]]
            texts = _read_texts(folder / TEXTS_FILE)
            stored = {name: read_tensors(folder / f"{name}.safetensors") for name in names}
            embeddings = {name: each["embeddings"] for name, each in stored.items()}
            probes = {name: each["probe"] for name, each in stored.items()}
            shapes = {name: tuple(each.shape) for name, each in embeddings.items()}
            wanted = {name: (told["texts"], *probes[name].shape) for name in names}
            if told["texts"] != len(texts) or shapes != wanted:
                raise ValueError(f"{len(texts)} texts, and embeddings {shapes}")
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise CheckpointError(
                f"{folder} should hold a whole index. It is torn or of another version ({error}); "
                f"build it again with `{COMMAND}`."
            ) from error
        return cls(texts, embeddings, probes)

    def nearest(
        self, model: str, predictor: Predictor, text: str, k: int = 5, task: str | None = None
    ) -> list[Neighbour]:
        """Return the k training sentences with the highest cosine, the nearest first.

        Args:
            model: name in `models`.
            predictor: of that model.
            text: to look for.
            k: at least 1; fewer come back where there are fewer.
            task: whose training sentences to look among; None: all.

        Raises:
            ValueError: an unknown model or task, or a `k` below 1.
            CheckpointError: the index was built with other weights than the predictor has.
        """
        if model not in self._embeddings:
            raise choice_error("model", model, self.models)
        if task is not None and task not in TASKS:
            raise choice_error("task", task, tuple(TASKS))
        if k < 1:
            raise ValueError(f"`k` should be at least 1. Found {k}.")
        query, probe = predictor.embed([text, PROBE], "similarity")
        if not self._knows(model, probe):
            raise CheckpointError(
                f"The index of {model!r} should be built with the weights that answer now. Found "
                f"others; build it again with `{COMMAND}`."
            )
        cosines = product(self._embeddings[model], F.normalize(query, dim=0, eps=COSINE_EPSILON))
        if task is not None:
            rows = self._rows[task]
            best = cosines[rows].topk(min(k, len(rows)))
            places = rows[best.indices]
        else:
            best = cosines.topk(min(k, len(cosines)))
            places = best.indices
        found = zip(places.tolist(), best.values.tolist(), strict=True)
        return [Neighbour(self.texts[place], cosine) for place, cosine in found]

    def belongs(self, model: str, predictor: Predictor) -> bool:
        """Say whether a model of `models` has the weights that the index was built with."""
        return self._knows(model, predictor.embed([PROBE], "similarity")[0])

    def _knows(self, model: str, probe: Tensor) -> bool:
        stored = self._probes[model].float()
        if stored.shape != probe.shape:
            return False
        return bool(F.cosine_similarity(probe, stored, dim=0) >= SAME)  # what is no number isn't


def product(embeddings: Tensor, query: Tensor) -> Tensor:
    """Multiply float16 embeddings (N, D) with a float32 query (D,): (N,), in float32."""
    return torch.cat([rows.float() @ query for rows in torch.split(embeddings, ROWS_AT_ONCE)])


def save_index(
    folder: Path,
    texts: Sequence[TrainingText],
    embeddings: dict[str, Tensor],
    probes: dict[str, Tensor],
    notes: dict[str, object],
) -> None:
    """Write an index; `index.json` comes last, so that a torn one counts as none.

    Args:
        folder: made if it isn't there.
        texts: N.
        embeddings: model's name to (N, D).
        probes: model's name to the embedding of `PROBE`, (D,).
        notes: further plain values for index.json.
    """
    (folder / INDEX_FILE).unlink(missing_ok=True)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(dataclasses.astuple(text) for text in texts)
    write_bytes(folder / TEXTS_FILE, buffer.getvalue().encode())
    for name, found in embeddings.items():
        unit = F.normalize(found.float(), dim=-1, eps=COSINE_EPSILON).half()
        tensors = {"embeddings": unit, "probe": probes[name].half()}
        write_tensors(folder / f"{name}.safetensors", tensors)
    write_json(folder / INDEX_FILE, {"models": list(embeddings), "texts": len(texts), **notes})


def _read_texts(path: Path) -> list[TrainingText]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    if tuple(header) != COLUMNS:
        raise ValueError(f"columns {header}")
    return [
        TrainingText(task, text, float(label), other, int(times))
        for task, text, label, other, times in rows
    ]


def _places(tasks: Sequence[str], name: str) -> Tensor:
    return torch.tensor([row for row, task in enumerate(tasks) if task == name], dtype=torch.long)
