"""Reading a folder's weights: safetensors or pickles of tensors, whole or in shards, all finite."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minbert.files import CheckpointError, damage_of, read_json, read_tensors

WEIGHTS_FILE = "model.safetensors"
PICKLED_WEIGHTS_FILE = "pytorch_model.bin"
PICKLED_FILES = "pytorch_model*.bin"  # that file, or its shards
INDEX = ".index.json"  # behind a file's name: which shard holds which weight


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read a folder's weights, of safetensors or else of pickles with nothing but tensors.

    Raises:
        CheckpointError: no such file, a torn one, or a pickle of something else.
    """
    weights: dict[str, Tensor] = {}
    for path in weights_files(folder):
        weights |= _read_pickle(path) if path.suffix == ".bin" else read_tensors(path)
    return weights


def weights_files(folder: Path) -> list[Path]:
    """Return the files that hold a folder's weights: one, or the shards that an index names.

    Safetensors come before pickles, and where there is neither, the first is named.

    Raises:
        CheckpointError: an index that is torn, or names something else than files beside it.
    """
    for name in (WEIGHTS_FILE, PICKLED_WEIGHTS_FILE):
        if (folder / name).is_file():
            return [folder / name]
        if (folder / (name + INDEX)).is_file():
            return _shards(folder / (name + INDEX), Path(name).suffix)
    return [folder / WEIGHTS_FILE]


def _shards(index: Path, suffix: str) -> list[Path]:
    shards = read_json(index).get("weight_map")
    names = set(map(str, shards.values())) if isinstance(shards, dict) else set()
    if not names or any(Path(n).name != n or Path(n).suffix != suffix for n in names):
        raise CheckpointError(
            f"`weight_map` in {index} should give each weight's file, a {suffix} beside it. Found "
            f"{listed(map(repr, names))}; copy or download the file again."
        )
    return [index.parent / name for name in sorted(names)]


def _read_pickle(path: Path) -> dict[str, Tensor]:
    more = "nothing that needs code of its own"
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickle's newer protocols
            found: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged pickles fail in any way there is; torch's words mislead
        if re.search("unsupported|global|reduce", str(error), re.IGNORECASE):
            raise _no_tensors(path, more) from error
        raise CheckpointError(
            f"{path} should be a whole file of tensors. {damage_of(path)} "
            f"({type(error).__name__}); copy or download it again."
        ) from error
    if not isinstance(found, dict):
        raise _no_tensors(path, type(found).__name__)
    others = [name for name, value in found.items() if not isinstance(value, Tensor)]
    if others:
        raise _no_tensors(path, f"{others[0]!r:.80}, which is {type(found[others[0]]).__name__}")
    return found


def _no_tensors(path: Path, found: str) -> CheckpointError:
    return CheckpointError(
        f"{path} should hold tensors by name and nothing else, since a pickle of more can run its "
        f"author's code. Found {found}; look for a model.safetensors of this model, or save its "
        "`state_dict()` with safetensors."
    )


def check_finite(state: Mapping[str, Tensor], source: Path | str) -> None:
    """Check weights for NaN and infinity.

    Raises:
        CheckpointError: some have them; each is named.
    """
    # The sum is quick, and finite only if all are; one of finite numbers may still overflow.
    doubtful = {name: tensor for name, tensor in state.items() if not math.isfinite(tensor.sum())}
    wrong = [
        f"{name} ({int((~tensor.isfinite()).sum()):,} of {tensor.numel():,})"
        for name, tensor in doubtful.items()
        if not tensor.isfinite().all()
    ]
    if wrong:
        raise CheckpointError(
            f"The weights in {source} should be finite numbers. Found NaN or infinity: "
            f"{listed(wrong, '; ')}. The training that made them has diverged, or the file is "
            "damaged: train again with a lower learning rate, or copy or download it again."
        )


def listed(names: Any, separator: str = ", ", most: int = 8) -> str:  # noqa: ANN401 - any sized iterable
    """Return names in order as one text, cut after `most`."""
    names = sorted(names)
    if not names:
        return "none"
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + rest
