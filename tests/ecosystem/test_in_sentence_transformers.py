"""Exported folders in the real sentence-transformers: `make test-ecosystem`."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from minbert.predictor import Predictor
from tests.minbert.storage.test_sentence_transformers import TEXTS
from tests.served import ROOT
from trainer.cli import main


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_embeddings_and_similarities_are_ours(name: str, tmp_path: Path) -> None:
    library = importlib.import_module("sentence_transformers")
    model = ROOT / "assets" / "models" / name
    assert (
        main(["export", str(model), "--to", "sentence-transformers", f"--output={tmp_path}"]) == 0
    )
    loaded = library.SentenceTransformer(str(tmp_path), device="cpu")
    assert loaded.max_seq_length == 128
    ours = Predictor.from_pretrained(model, "cpu").embed(TEXTS)
    theirs = loaded.encode(TEXTS, convert_to_tensor=True)
    assert theirs.dtype == torch.float32
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0)
    cosines = torch.nn.functional.cosine_similarity(ours[:, None], ours[None], dim=-1)
    torch.testing.assert_close(loaded.similarity(theirs, theirs), cosines, atol=1e-5, rtol=0)
