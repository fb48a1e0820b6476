"""The exported folder, as far as transformers reads it; `make test-ecosystem` has the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from minbert.checkpoint import load_encoder
from minbert.files import CheckpointError
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.storage.sentence_transformers import save_sentence_transformers
from tests.served import ROOT
from tests.support import tiny_model
from trainer.cli import main

TEXTS = [
    "A quiet film about the sea.",
    "Nobody liked the soup, and the bread was worse.",
    "Hello 🙂 World-wide",
    "word " * 200,
]


def test_transformers_loads_it_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    model = ROOT / "assets" / "models" / "mean"
    assert (
        main(["export", str(model), "--to", "sentence-transformers", f"--output={tmp_path}"]) == 0
    )
    assert "SentenceTransformer(" in capsys.readouterr().err
    loaded, told = transformers.AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is transformers.BertModel
    assert loaded.dtype == torch.float32
    assert not any(told.values())
    assert not caplog.records
    assert {tensor.dtype for tensor in load_file(tmp_path / "model.safetensors").values()} == {
        torch.float16
    }
    tokens = transformers.AutoTokenizer.from_pretrained(tmp_path)(
        TEXTS[:3], padding=True, return_tensors="pt"
    )
    with torch.no_grad():
        hidden = loaded(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    theirs = (hidden * mask).sum(1) / mask.sum(1)
    ours = Predictor.from_pretrained(model, "cpu").embed(TEXTS[:3])
    torch.testing.assert_close(theirs, ours, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("pooling", "mode"), [("mean", "mean"), ("cls", "cls"), ("max", "max")])
def test_a_fresh_model_s_folder(pooling: str, mode: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pooling=pooling, max_length=20)
    save_sentence_transformers(model, tmp_path / "out")
    modes = json.loads((tmp_path / "out" / "1_Pooling" / "config.json").read_text())
    assert modes.pop("word_embedding_dimension") == model.config.encoder.hidden_size
    assert [name for name, on in modes.items() if on] in (
        [f"pooling_mode_{mode}_tokens"],
        [f"pooling_mode_{mode}_token"],
    )
    lengths = json.loads((tmp_path / "out" / "sentence_bert_config.json").read_text())
    assert lengths == {"max_seq_length": 20}
    again, _, report = load_encoder(tmp_path / "out")
    assert not report.ignored
    for name, tensor in model.encoder.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), (
            "float32 stays where halves would lose"
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pooling": "attention"}, "`pooling` should be"),
        ({"pooling": "pooler"}, "`pooling` should be"),
        ({"pal_size": 4}, "`pal_size` should be 0"),
    ],
)
def test_what_such_a_folder_can_t_hold_is_refused(
    changes: dict[str, int | str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        save_sentence_transformers(tiny_model(tmp_path, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_without_tokenizer_or_with_nan_is_refused(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    with pytest.raises(ValueError, match="`tokenizer` should be set"):
        save_sentence_transformers(MultitaskBert(model.config), tmp_path / "out")
    with torch.no_grad():
        model.encoder.embeddings.word.weight[3, 2] = float("nan")
    with pytest.raises(CheckpointError, match=r"embeddings\.word_embeddings\.weight"):
        save_sentence_transformers(model, tmp_path / "out")
