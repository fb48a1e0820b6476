"""A probe as plain values, and as a folder: what was learned, of which encoder, how good it is.

The folder has labels.safetensors (the regression), labels.json and a README.md, and no encoder:
of that it has the SHA-256, so that another one is refused. No pickle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save

from minbert.files import (
    CheckpointError,
    damage_of,
    json_text,
    read_json,
    read_tensors,
    unreadable,
    write_bytes,
)
from minbert.labels.examples import FEWEST_CLASSES, MOST_CLASSES
from minbert.labels.intervals import Interval
from minbert.labels.regression import Regression

FOLDER = "my-labels"  # in a zip, and in the lines that are shown
JSON_FILE, WEIGHTS_FILE, README_FILE = "labels.json", "labels.safetensors", "README.md"
AGAIN = "save it again, or copy or download the folder again"
MARKS, ESCAPED = re.compile(r"([\\`*_<>#|\[\]])"), r"\\\1"  # of Markdown
LOADING = """\
from minbert import LabelModel
model = LabelModel.load("{folder}", "{encoder}")
print(model.predict([{text}])[0].label)
"""


@dataclasses.dataclass(frozen=True)
class Probe:
    """A regression from a frozen encoder's embeddings to C classes, and where it comes from."""

    classes: tuple[str, ...]  # C names, as they were written
    counts: tuple[int, ...]  # C: rows it was fitted to
    regression: Regression  # weight (C, D), bias (C,)
    pooling: str  # of the encoder
    max_length: int  # tokens that the encoder read
    encoder: Mapping[str, str]  # SHA-256 by file of weights and tokenizer; empty: from no folder
    inverse_l2: float  # scikit-learn's C
    accuracy: Interval  # cross-validated, as all its scores
    macro_f1: Interval


def probe_files(probe: Probe) -> dict[str, bytes]:
    """Return the contents of a probe's folder by file name.

    Raises:
        ValueError: its encoder was loaded from no folder, so nobody could tell it from another.
    """
    if not probe.encoder:
        raise ValueError(
            "`encoder` of the probe should have been loaded from a folder, whose SHA-256 is saved "
            "with the labels. Found a model that wasn't; save it, load it, and compare again."
        )
    regression = probe.regression
    tensors = {"weight": regression.weight.contiguous(), "bias": regression.bias.contiguous()}
    weights = save(tensors, metadata={"format": "pt"})
    stored = {
        "version": 1,
        "classes": list(probe.classes),
        "counts": list(probe.counts),
        "pooling": probe.pooling,
        "max_length": probe.max_length,
        "encoder": dict(probe.encoder),
        "inverse_l2": probe.inverse_l2,
        "accuracy": dataclasses.asdict(probe.accuracy),
        "macro_f1": dataclasses.asdict(probe.macro_f1),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    return {
        WEIGHTS_FILE: weights,
        JSON_FILE: (json_text(stored, indent=2) + "\n").encode(),
        README_FILE: _readme(probe).encode(),
    }


def save_probe(probe: Probe, folder: str | Path) -> None:
    """Write a probe's folder, which is made if it isn't there.

    Raises:
        ValueError: as `probe_files`.
        OSError: it can't be written there.
    """
    for name, content in probe_files(probe).items():
        write_bytes(Path(folder) / name, content)


def zipped(probe: Probe) -> bytes:
    """Return a probe's folder as a zip, the same bytes for the same probe.

    Raises:
        ValueError: as `probe_files`.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in probe_files(probe).items():
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}"), content)
    return target.getvalue()


def load_probe(folder: str | Path) -> Probe:
    """Read a probe's folder.

    Raises:
        CheckpointError: a file that is missing, damaged, or of another kind.
    """
    path, weights = Path(folder) / JSON_FILE, Path(folder) / WEIGHTS_FILE
    stored = _read(path)
    found = _sha256(weights)
    if found != stored.sha256:
        raise CheckpointError(
            f"{weights} should have the SHA-256 {stored.sha256[:12]}… that {JSON_FILE} tells. "
            f"{damage_of(weights)}, or was changed: found {found[:12]}…; {AGAIN}."
        )
    tensors = read_tensors(weights)
    classes = len(stored.classes)
    weight, bias = tensors.get("weight"), tensors.get("bias")
    if (
        weight is None
        or bias is None
        or weight.dim() != 2
        or (len(weight), *bias.shape) != (classes, classes)
        or not all(each.dtype == torch.float64 and each.isfinite().all() for each in (weight, bias))
    ):
        shapes = {name: tuple(tensor.shape) for name, tensor in sorted(tensors.items())}
        raise CheckpointError(
            f"{weights} should hold a weight and a bias of {classes} classes, as finite float64 "
            f"numbers. Found {shapes!r:.120}; {AGAIN}."
        )
    return Probe(
        classes=tuple(stored.classes),
        counts=tuple(stored.counts),
        regression=Regression(weight, bias),
        pooling=stored.pooling,
        max_length=stored.max_length,
        encoder=stored.encoder,
        inverse_l2=stored.inverse_l2,
        accuracy=Interval(**stored.accuracy.model_dump()),
        macro_f1=Interval(**stored.macro_f1.model_dump()),
    )


class _Stored(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _StoredInterval(_Stored):
    value: float
    low: float
    high: float


Sum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _StoredProbe(_Stored):
    version: Literal[1]
    classes: Annotated[list[str], Field(min_length=FEWEST_CLASSES, max_length=MOST_CLASSES)]
    counts: list[int]
    pooling: str
    max_length: int
    encoder: Annotated[dict[str, Sum], Field(min_length=1)]
    inverse_l2: float
    accuracy: _StoredInterval
    macro_f1: _StoredInterval
    sha256: Sum


def _read(path: Path) -> _StoredProbe:
    try:
        return _StoredProbe.model_validate(read_json(path))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, wrong["loc"])) or "all of it"
        raise CheckpointError(
            f"{path} should be what minBERT Lab saves of somebody's labels. Found `{field}`: "
            f"{wrong['msg']}; {AGAIN}."
        ) from None


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def loading_lines(encoder: str, folder: str = FOLDER, text: str = "Where is my parcel?") -> str:
    """Return the three lines of Python that load a probe's folder and ask it.

    Args:
        encoder: folder or Hugging Face id of the model that it was learned on.
        folder: of the probe.
        text: what is asked.
    """
    return LOADING.format(folder=folder, encoder=encoder, text=json_text(text))


def _readme(probe: Probe) -> str:
    sums = "\n".join(f"    {each}  {name}" for name, each in probe.encoder.items())
    names = ", ".join(
        f"{MARKS.sub(ESCAPED, name)} ({count:,})"
        for name, count in zip(probe.classes, probe.counts, strict=True)
    )
    accuracy = probe.accuracy
    lines = "".join(f"    {line}\n" for line in loading_lines("FOLDER OF THE MODEL").splitlines())
    return (
        "# Labels of my own\n\n"
        f"Multinomial logistic regression on the {probe.pooling} embeddings of a minBERT that was "
        f"left as it is.\nClasses (sentences learned from): {names}.\n"
        f"Cross-validated accuracy: {accuracy.value:.3f} ({accuracy.low:.3f} to "
        f"{accuracy.high:.3f}).\n\n{lines}\nThe model's files, by SHA-256:\n\n{sums}\n"
    )
