"""Tiny models trained by the trainer's own command, as a person would train one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minbert.checkpoint import export_encoder
from tests.support import redraw, tiny_model
from tests.trainer.samples import write_course_files
from trainer.cli import main


def write_encoder(folder: Path, **changes: Any) -> Path:  # noqa: ANN401 - any field's value
    """Write a tiny encoder in Hugging Face's format; return its folder."""
    model = tiny_model(folder, **changes)
    redraw(model, seed=2, std=0.3)
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, folder)
    return folder


def train_tiny(folder: Path, recipe: str, encoder: Path, *settings: str) -> Path:
    """Train two steps on small data of ours; return the folder of the run's model."""
    data = folder / "data"
    if not data.is_dir():
        write_course_files(data)
    few = ("--epochs", "1", "--steps-per-epoch", "2", "--head-epochs", "1", "--max-length", "40")
    where = ("--data", str(data), "--out", str(folder / recipe), "--device", "cpu")
    assert main(["train", recipe, "--encoder", str(encoder), *where, *few, *settings]) == 0
    return folder / recipe / "model"
