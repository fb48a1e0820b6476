"""Files that are whole or not there: read with a clear error, written beside and renamed.

What is written goes where its path leads: through links, and straight into a pipe or a device.
The path `-` is standard output.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from safetensors.torch import load_file, save
from torch import Tensor

LFS_POINTER = b"version https://git-lfs.github.com/spec/"  # begins what stands for a file
STDOUT = Path("-")


class CheckpointError(ValueError):
    """A checkpoint that can't be loaded as it is; the message says why and what to do."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: the file is missing or isn't a JSON object.
    """
    values = _read_json(path)
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} should hold a JSON object. Found {type(values).__name__}.")
    return values


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """Read a JSON list of objects.

    Raises:
        CheckpointError: the file is missing or isn't such a list.
    """
    values = _read_json(path)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise CheckpointError(f"{path} should hold a JSON list of objects. Found something else.")
    return values


def list_of_strings(value: object) -> list[str]:
    """Return a JSON value that is a list of strings.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{value!r:.80} is no list of strings")
    return value


def _read_json(path: Path) -> object:
    try:
        values: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} should be JSON. It is torn or damaged: {error}; copy or download it again."
        ) from error
    return values


def unreadable(path: Path, error: OSError) -> CheckpointError:
    """Return the error for a file that can't be opened: missing, a folder, or not ours to read."""
    found = error.strerror or str(error)
    if isinstance(error, FileNotFoundError):
        found = "nothing there"
    elif path.is_dir():
        found = "a folder"
    return CheckpointError(
        f"{path} should exist, as a file that can be read. Found {found}; "
        "copy or download it again."
    )


def damage_of(path: Path) -> str:
    """Say what is wrong with a file that isn't what it should be."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            return "A pointer of Git LFS stands in its place; `git lfs pull` fetches the file"
    return "It is torn or damaged"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        CheckpointError: the file is missing, torn or not safetensors.
    """
    try:
        with path.open("rb"):
            pass  # the library says less of a file that can't be opened
        return load_file(path)
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # a damaged header fails in any way there is
        raise CheckpointError(
            f"{path} should be a whole safetensors file. {damage_of(path)} ({error}); "
            "copy or download it again."
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all: see `writing`.

    Raises:
        OSError: it can't be written there; nothing of it is left beside.
    """
    with writing(path) as file:
        file.write(content)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that is there whole or not at all: beside, flushed, renamed.

    A symbolic link stays, and the file that it names is written. What is no plain file (a pipe, a
    device, `-`) can't be replaced: the content is written into it.

    Raises:
        OSError: it can't be written there; nothing of it is left beside.
    """
    number = descriptor_of(path)
    if number is not None:
        with _open_descriptor(number) as file:
            yield file
        return
    mode = _mode_of(path)
    if is_stream(path):
        with path.open("wb") as file:
            yield file
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            partial.chmod(stat.S_IMODE(mode))
        partial.replace(target)
    except BaseException:  # an interrupted write leaves nothing either
        partial.unlink(missing_ok=True)
        raise


def is_stream(path: Path) -> bool:
    """Say whether what is written there is written into something, and can't be replaced."""
    mode = _mode_of(path)
    return descriptor_of(path) is not None or (mode is not None and not stat.S_ISREG(mode))


def descriptor_of(path: Path) -> int | None:
    """Return which open file of this process a path names: 1 for `-` and /dev/stdout; None: none.

    Links are followed. Opened by its path such a file would be written from its start.
    """
    if path == STDOUT:
        return 1
    descriptors = Path("/dev/fd").resolve()
    for _ in range(40):  # as many links as Linux follows
        folder = path.parent.resolve()
        if folder == descriptors and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None


def _mode_of(path: Path) -> int | None:
    """Return the mode of what a path leads to; None: nothing is there yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _open_descriptor(number: int) -> Iterator[IO[bytes]]:
    """Give an open file of this process, to write after what was printed there before."""
    stream = {1: sys.stdout, 2: sys.stderr}.get(number)
    if stream is not None:
        stream.flush()
        yield stream.buffer
        stream.buffer.flush()
        return
    with os.fdopen(number, "wb", closefd=False) as file:
        yield file


def write_json(path: Path, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Write a JSON object, or a list of them, whole or not at all; NaN and infinity as null."""
    write_bytes(path, (json_text(values, indent=2) + "\n").encode())


def json_text(values: object, indent: int | None = None) -> str:
    """Return values as JSON; NaN and the infinities, which JSON doesn't have, are null."""
    try:
        return json.dumps(values, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:
        finite = _without_nan(values)
        return json.dumps(finite, indent=indent, ensure_ascii=False, allow_nan=False)


def _without_nan(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return value


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(plain, metadata={"format": "pt", **(metadata or {})}))
