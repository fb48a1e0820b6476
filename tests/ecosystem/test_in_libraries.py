"""A model's folder in the libraries that it is for: `make test-ecosystem`."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from torch import Tensor

from minbert.predictor import Predictor
from minbert.storage.onnx_file import OUTPUTS
from minbert.storage.onnx_graph import INPUTS
from tests.docs_text import API, blocks, commands, text_of
from tests.served import ROOT
from tests.support import assert_close, random_batch
from trainer.cli import main
from trainer.publish.folder import Plan, build_model

TEXTS = [
    "A quiet film about the sea.",
    "Nobody liked the soup, and the bread was worse.",
    "Hello 🙂 World-wide",
    "word " * 200,
]
MODELS = ROOT / "assets" / "models"


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_embeddings_and_similarities_are_ours(name: str) -> None:
    library = importlib.import_module("sentence_transformers")
    loaded = library.SentenceTransformer(str(MODELS / name), device="cpu")
    assert loaded.max_seq_length == 128
    ours = Predictor.from_pretrained(MODELS / name, "cpu").embed(TEXTS)
    theirs = loaded.encode(TEXTS, convert_to_tensor=True)
    assert theirs.dtype == torch.float32
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0)
    cosines = torch.nn.functional.cosine_similarity(ours[:, None], ours[None], dim=-1)
    torch.testing.assert_close(loaded.similarity(theirs, theirs), cosines, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_onnx_runtime_answers_as_the_model(name: str, tmp_path: Path) -> None:
    library = importlib.import_module("onnxruntime")
    assert main(["export", str(MODELS / name), "--to", "onnx", f"--output={tmp_path}"]) == 0
    session = library.InferenceSession(tmp_path / "onnx" / "model.onnx")
    assert tuple(each.name for each in session.get_inputs()) == INPUTS
    assert tuple(each.name for each in session.get_outputs()) == OUTPUTS
    model = Predictor.from_pretrained(tmp_path, "cpu").model
    for lengths in ((2,), (128, 3, 64), (9, 4, 7, 2)):
        batch = random_batch(lengths, vocab_size=model.config.encoder.vocab_size)
        given = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
        found = session.run(None, {n: t.numpy() for n, t in zip(INPUTS, given, strict=True)})
        with torch.inference_mode():
            embedding = model.embed(batch)
            wanted: list[Tensor] = [
                model.encoder(*given).hidden,
                embedding,
                model.calibrated_sentiment(embedding).softmax(-1),
                model.calibrated_paraphrase(embedding).sigmoid(),
                model.joint_similarity(embedding),
            ]
        real = batch.attention_mask.bool()
        assert_close(torch.from_numpy(found[0])[real], wanted[0][real], 1e-4)
        for one, other in zip(found[1:], wanted[1:], strict=True):
            assert_close(torch.from_numpy(one), other, 1e-4)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm fetches transformers.js")
def test_transformers_js_embeds_as_the_model(tmp_path: Path) -> None:
    command = ["export", str(MODELS / "mean"), "--to", "onnx", f"--output={tmp_path / 'mean'}"]
    assert main(command) == 0
    with tempfile.TemporaryDirectory() as folder:  # half a gigabyte, which pytest would keep
        there = shutil.copy(Path(__file__).with_name("embed.mjs"), folder)
        fetch = ["npm", "install", "--ignore-scripts", "--silent", f"--prefix={folder}"]
        subprocess.run([*fetch, "@huggingface/transformers@4"], check=True)
        asked = ["node", there, str(tmp_path), "mean", *TEXTS[:3]]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = Predictor.from_pretrained(MODELS / "mean", "cpu").embed(TEXTS[:3])
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), ours, atol=1e-4, rtol=0)


def test_the_lines_of_the_docs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    exports = [line for page, line in commands("python -m trainer export") if page == API]
    assert [main(line.split()[3:]) for line in exports] == [0]
    section = text_of(API).split("## In other libraries")[1].split("\n## ")[0]
    lines = [block for block in blocks(API, "python") if block in section]
    assert len(lines) == 3
    for block in lines:
        exec(block, {})
    assert "torch.Size([1, 6, 384])" in capsys.readouterr().out


def test_the_lines_of_the_published_card_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The card's own, and what the Hub's page shows for its library with the widget's texts."""
    library = importlib.import_module("sentence_transformers")
    name = "anna/model"
    folder = build_model(Plan("anna/lab", name), tmp_path / "model")
    card = (folder / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    assert [name in block for block in lines] == [True] * 3
    for block in lines:
        exec(block.replace(name, str(folder)), {})
    *_, hidden = capsys.readouterr().out.splitlines()
    assert hidden == "torch.Size([1, 6, 384])"
    data = ModelCard(card).data.to_dict()
    assert data["library_name"].replace("-", "_") == library.__name__
    (widget,) = data["widget"]
    loaded = library.SentenceTransformer(str(folder), device="cpu")
    embeddings = loaded.encode([widget["source_sentence"], *widget["sentences"]])
    (source, *_) = loaded.similarity(embeddings, embeddings).tolist()
    assert source[0] > source[1] > source[2] > source[3]
