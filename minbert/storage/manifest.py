"""A checkpoint's manifest: the SHA-256 of each of its files, so that damage is noticed on load.

It lies beside the files and is written after them. What is missing or changed is refused, a
tokenizer file that it doesn't list too, since that would change what the model reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from minbert.files import CheckpointError, damage_of, read_json, unreadable, write_json

MANIFEST_FILE = "minbert_manifest.json"
VERSION = 1
TRAINED_ON_FILE = "trained_on.safetensors"  # the trainer's record of what made the weights
TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.txt"),
    *("special_tokens_map.json", "added_tokens.json"),
)
POOLING_FILE, ONNX_FILE = "1_Pooling/config.json", "onnx/model.onnx"
FOR_OTHERS = (  # libraries: minbert reads none of them
    *("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"),
    *(POOLING_FILE, ONNX_FILE),
)
LISTED = ("config.json", "*.safetensors", "*.safetensors.index.json", *TOKENIZER_FILES, *FOR_OTHERS)
AGAIN = (
    "copy or download the folder again, or, if you changed the file yourself, write the manifest "
    "anew with `minbert.storage.manifest.write_manifest`"
)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def write_manifest(folder: str | Path) -> None:
    """Write the manifest of a folder's files as they are now."""
    folder = Path(folder)
    found = {path for pattern in LISTED for path in folder.glob(pattern) if path.is_file()}
    sums = {path.relative_to(folder).as_posix(): _sha256(path) for path in sorted(found)}
    write_json(folder / MANIFEST_FILE, {"version": VERSION, "sha256": sums})


@contextlib.contextmanager
def rewriting(folder: Path) -> Iterator[None]:
    """Let a part of a checkpoint be written anew, and the manifest after it, where there is one.

    Meanwhile there is none: a program that is stopped there leaves a folder that loads.
    """
    path = folder / MANIFEST_FILE
    listed = path.is_file()
    path.unlink(missing_ok=True)
    yield
    if listed:
        write_manifest(folder)


def verify(folder: Path) -> bool:
    """Hold a folder's files against its manifest.

    The trainer's record is left to `verify_file`: a published folder does without. What other
    libraries read may be missing: a download for minbert alone leaves subfolders out.

    Returns:
        whether there is a manifest.

    Raises:
        CheckpointError: a file that is missing, changed or not listed, or a damaged manifest.
    """
    path = folder / MANIFEST_FILE
    if not path.exists():
        return False
    sums = _read(path)
    for name, wanted in sums.items():
        if name != TRAINED_ON_FILE and (name not in FOR_OTHERS or (folder / name).exists()):
            _check(folder / name, wanted)
    added = [name for name in TOKENIZER_FILES if (folder / name).exists() and name not in sums]
    if added:
        raise CheckpointError(
            f"{path} should list every tokenizer file of its folder. Found {', '.join(added)} "
            f"beside those it lists; remove what doesn't belong there, or {AGAIN}."
        )
    return True


def sums_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that make a model's embeddings: weights and tokenizer.

    They are the manifest's, or computed where there is none.

    Raises:
        CheckpointError: a damaged manifest, or a file that can't be read.
    """
    path = folder / MANIFEST_FILE
    if path.exists():
        known = _read(path)
    else:
        patterns = ("*.safetensors", "*.bin", *TOKENIZER_FILES)
        found = {file for pattern in patterns for file in folder.glob(pattern)}
        known = {file.name: _sha256(file) for file in sorted(found)}
    others = ("config.json", TRAINED_ON_FILE, *FOR_OTHERS)
    return {name: each for name, each in sorted(known.items()) if name not in others}


def verify_file(path: Path) -> None:
    """Hold one file against its folder's manifest, where that lists it.

    Raises:
        CheckpointError: the file is missing or changed, or the manifest is damaged.
    """
    manifest = path.parent / MANIFEST_FILE
    wanted = _read(manifest).get(path.name) if manifest.exists() else None
    if wanted is not None:
        _check(path, wanted)


def _check(path: Path, wanted: str) -> None:
    found = _sha256(path)
    if found != wanted:
        raise CheckpointError(
            f"{path} should have the SHA-256 {wanted[:12]}… that {MANIFEST_FILE} tells. "
            f"{damage_of(path)}, or was changed: found {found[:12]}…; {AGAIN}."
        )


def _read(path: Path) -> dict[str, str]:
    """Return the sums by file name; a whole checkpoint has its config and weights among them."""
    values = read_json(path)
    sums = values.get("sha256")
    if values.get("version") != VERSION or not isinstance(sums, dict):
        wrong = f"`version` {values.get('version')!r:.40} with the fields {sorted(values)!r:.80}"
    elif bad := [name for name, each in sums.items() if not _is_sum(name, each)]:
        wrong = f"no SHA-256 of a file at {bad[0]!r:.80}"
    elif "config.json" not in sums or not any(_is_weights(name) for name in sums):
        wrong = f"no {'weights' if 'config.json' in sums else 'config.json'}"
    else:
        return sums
    raise CheckpointError(
        f"{path} should hold `version` {VERSION} and `sha256`, a sum for config, weights and "
        f"tokenizer. Found {wrong}; it is torn or damaged: {AGAIN}."
    )


def _is_sum(name: str, value: object) -> bool:
    plain = name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name)
    return (
        (plain or name in FOR_OTHERS)
        and isinstance(value, str)
        and re.fullmatch(r"[0-9a-f]{64}", value) is not None
    )


def _is_weights(name: str) -> bool:
    return name.endswith(".safetensors") and name != TRAINED_ON_FILE
