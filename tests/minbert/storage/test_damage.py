"""Checkpoints damaged at random: each loads as what it was, or is refused with a CheckpointError.

Whole with MINBERT_HEAVY=1 (`make test-heavy`): 500 of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.checkpoint import CheckpointError, export_encoder, load_encoder
from minbert.multitask import MultitaskBert
from minbert.storage.manifest import MANIFEST_FILE
from minbert.text import Tokenizer
from tests.minbert.folders import CONFIG, WEIGHTS
from tests.support import redraw, tiny_model

COUNT = 500 if os.environ.get("MINBERT_HEAVY") == "1" else 40
Damage = Callable[[Path, random.Random], None]
ODD = (None, True, -1, 0, 2.5, 10**12, 1e300, "", "x", [], {}, [3], {"a": 1}, "\x00")


def files_of(folder: Path) -> list[Path]:
    """Return the files below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def cut(path: Path, draw: random.Random) -> None:
    """Cut a file short."""
    whole = path.read_bytes()
    path.write_bytes(whole[: draw.randrange(len(whole))])


def flip(path: Path, draw: random.Random) -> None:
    """Turn over one to three bits."""
    content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 3)):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def overwrite(path: Path, draw: random.Random) -> None:
    """Overwrite a stretch with random bytes, or zeros as a full disk leaves."""
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content))
    size = min(len(content) - start, draw.choice((1, 16, 512)))
    content[start : start + size] = draw.choice((bytes(size), draw.randbytes(size)))
    path.write_bytes(content)


def lengthen(path: Path, draw: random.Random) -> None:
    """Put something behind a file's end."""
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randint(1, 40)))


def empty(path: Path, _: random.Random) -> None:
    """Leave nothing in a file."""
    path.write_bytes(b"")


def remove(path: Path, _: random.Random) -> None:
    """Take a file away."""
    path.unlink()


def make_folder(path: Path, _: random.Random) -> None:
    """Put a folder in a file's place."""
    path.unlink()
    path.mkdir()


def make_loop(path: Path, _: random.Random) -> None:
    """Put a link to itself in a file's place."""
    path.unlink()
    path.symlink_to(path.name)


def swap(path: Path, draw: random.Random) -> None:
    """Put another file of the folder in a file's place."""
    folder = path.parent.parent if path.parent.name == "1_Pooling" else path.parent
    shutil.copyfile(draw.choice([each for each in files_of(folder) if each != path]), path)


def change_a_value(path: Path, draw: random.Random) -> None:
    """Change one value of a JSON file, whichever is drawn first, to another or another type."""
    if path.suffix != ".json":
        return flip(path, draw)
    values: Any = json.loads(path.read_text())
    inner = values
    while True:
        names: list[Any] = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        name = draw.choice(names)
        if not isinstance(inner[name], dict | list) or not inner[name] or draw.random() < 0.2:
            break
        inner = inner[name]
    inner[name] = draw.choice(ODD)
    path.write_text(json.dumps(values))
    return None


DAMAGES: tuple[Damage, ...] = (
    *(cut, flip, overwrite, lengthen, empty, remove, make_folder, make_loop, swap),
    *(change_a_value, change_a_value),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a multitask model and an encoder, whole; nobody writes there."""
    folder = tmp_path_factory.mktemp("whole")
    model = tiny_model(folder / "words")
    redraw(model, seed=4)
    model.save_pretrained(folder / "model")
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, folder / "encoder")
    return {"model": folder / "model", "encoder": folder / "encoder"}


def load(kind: str, folder: Path) -> tuple[torch.nn.Module, Tokenizer]:
    """Load a folder as what it is."""
    if kind == "encoder":
        return load_encoder(folder)[:2]
    model = MultitaskBert.from_pretrained(folder)
    assert model.tokenizer is not None
    return model, model.tokenizer


def is_as_before(kind: str, folder: Path, wanted: tuple[torch.nn.Module, Tokenizer]) -> bool:
    """Load a folder; say whether the model is the one that was saved. Refusals are let out."""
    (found, tokenizer), (model, words) = load(kind, folder), wanted
    before, after = model.state_dict(), found.state_dict()
    text = ["A [MASK] film's plot, unbelievably DULL [SEP] 3"]
    return (
        found.config == model.config
        and set(before) == set(after)
        and all(torch.equal(after[name], tensor) for name, tensor in before.items())
        and tokenizer.pieces(text) == words.pieces(text)
    )


@pytest.mark.heavy
@pytest.mark.parametrize("listed", [True, False], ids=["manifest", "no manifest"])
def test_damaged_checkpoints_are_refused_or_load_as_they_were(
    listed: bool, whole: dict[str, Path], tmp_path: Path
) -> None:
    """Without a manifest a changed value may pass, so there only the kind of error counts."""
    draw = random.Random(18 + listed)
    intact = {kind: load(kind, folder) for kind, folder in whole.items()}
    refused, others = 0, []
    for number in range(COUNT):
        kind = draw.choice(("model", "model", "encoder"))
        folder = shutil.copytree(whole[kind], tmp_path / "damaged")
        if not listed:
            (folder / MANIFEST_FILE).unlink()
        path, damage = draw.choice(files_of(folder)), draw.choice(DAMAGES)
        damage(path, draw)
        told = f"{number}: {damage.__name__} {path.name} of {kind}"
        try:
            if not is_as_before(kind, folder, intact[kind]) and listed:
                others.append(f"{told}: another model")
        except CheckpointError as error:
            refused += 1
            if str(folder) not in str(error) or "download" not in str(error):
                others.append(f"{told}: {error}")
        except Exception as error:
            others.append(f"{told}: {type(error).__name__}: {error}")
        shutil.rmtree(folder)
    assert others == []
    assert refused > COUNT / 2


@pytest.mark.heavy
def test_every_bit_of_the_weights_counts(whole: dict[str, Path], tmp_path: Path) -> None:
    draw = random.Random(7)
    folder = shutil.copytree(whole["model"], tmp_path / "damaged")
    content = (folder / WEIGHTS).read_bytes()
    for _ in range(COUNT):
        place = draw.randrange(len(content))
        turned = bytes([content[place] ^ 1 << draw.randrange(8)])
        (folder / WEIGHTS).write_bytes(content[:place] + turned + content[place + 1 :])
        with pytest.raises(CheckpointError, match=f"{WEIGHTS} should have the SHA-256"):
            MultitaskBert.from_pretrained(folder)


def test_the_damages_do_damage(whole: dict[str, Path], tmp_path: Path) -> None:
    for damage in DAMAGES:
        for name in (CONFIG, WEIGHTS):
            folder = shutil.copytree(whole["model"], tmp_path / "damaged")
            damage(folder / name, random.Random(3))
            path = folder / name
            assert not path.is_file() or path.read_bytes() != (whole["model"] / name).read_bytes()
            shutil.rmtree(folder)
