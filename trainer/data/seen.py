"""Which pairs a model was trained on, so that they can be left out of its scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open

from minbert.files import json_text, read_tensors, write_tensors
from minbert.storage import manifest
from minbert.storage.manifest import TRAINED_ON_FILE
from minbert.tables import Example
from minbert.tasks import TASKS
from trainer.data.course import pair_hash


def write_trained_on(
    folder: Path,
    files: dict[str, str],
    examples: dict[str, list[Example]],
    earlier: Mapping[str, set[int]] | None = None,
) -> None:
    """Store beside the model which files (SHA-256) and which pairs (64-bit hashes) made it.

    `earlier` holds the hashes of what made the model that training began with.
    """
    found: dict[str, set[int]] = {name: set(values) for name, values in (earlier or {}).items()}
    for name, rows in examples.items():
        if TASKS[name].pair:
            found[name] = found.get(name, set()) | {pair_hash(row.texts) for row in rows}
    hashes = {
        name: torch.tensor(sorted(found[name]), dtype=torch.int64)
        for name in TASKS
        if name in found
    }
    with manifest.rewriting(folder):
        write_tensors(folder / TRAINED_ON_FILE, hashes, {"files": json_text(files)})


def read_trained_on(folder: Path) -> tuple[dict[str, str], dict[str, set[int]]]:
    """Read what `write_trained_on` stored: files' SHA-256 and pairs' hashes, both by name.

    Raises:
        CheckpointError: the file is torn, or other than the manifest says.
    """
    path = folder / TRAINED_ON_FILE
    if not path.exists():
        return {}, {}
    manifest.verify_file(path)
    hashes = {name: set(values.tolist()) for name, values in read_tensors(path).items()}
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["files"]), hashes


def leave_out_seen(
    examples: Sequence[Example], seen: set[int]
) -> tuple[list[Example], list[Example]]:
    """Split examples into those not trained on and those trained on."""
    unseen: list[Example] = []
    trained: list[Example] = []
    for example in examples:
        (trained if pair_hash(example.texts) in seen else unseen).append(example)
    return unseen, trained
