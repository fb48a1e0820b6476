"""Tokenizer files: read with a clear error, saved as transformers saves them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers.models import WordPiece
from tokenizers.normalizers import NFC, BertNormalizer, Normalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from minbert.files import CheckpointError, write_json
from minbert.text import Tokenizer
from tests.served import ROOT
from tests.support import SPECIAL_TOKENS, tiny_tokenizer, tiny_vocabulary


def test_typed_special_tokens_are_literal_after_saving(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path)
    assert (tmp_path / "tokenizer.json").is_file()
    again = Tokenizer.from_folder(tmp_path)
    assert len(again) == len(tokenizer) == len(tiny_vocabulary())
    texts = ["the [SEP] film", "Does n't it? é 🙂"]
    assert again.pieces(texts) == tokenizer.pieces(texts)


def test_a_folder_without_tokenizer_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"should hold tokenizer.json or vocab.txt"):
        Tokenizer.from_folder(tmp_path)


def test_a_tokenizer_file_s_own_truncation_and_padding_are_switched_off(tmp_path: Path) -> None:
    wrapped = tiny_tokenizer(tmp_path)
    backend = wrapped.backend
    backend.enable_truncation(4)
    backend.enable_padding(length=6)
    wrapped.save(tmp_path / "short")
    again = Tokenizer.from_folder(tmp_path / "short")
    assert [len(ids) for ids in again.pieces(["film " * 30, "film"])] == [30, 1]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip", [True, False, None])
@pytest.mark.parametrize("told", ["tokenizer.json alone", "both files"])
def test_a_cased_vocabulary_stays_cased(
    tmp_path: Path, lowercase: bool, strip: bool | None, told: str
) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Paris", "paris", "caf\u00e9", "cafe"]
    backend = Backend(
        WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]")
    )
    backend.normalizer = BertNormalizer(lowercase=lowercase, strip_accents=strip)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.save(str(tmp_path / "tokenizer.json"))
    flags = {"do_lower_case": lowercase, "strip_accents": strip} if told == "both files" else {}
    write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", **flags})
    text = "Paris caf\u00e9 cafe"
    assert Tokenizer.from_folder(tmp_path).pieces([text]) == [backend.encode(text).ids]


@pytest.mark.parametrize(
    ("normalizer", "flags", "said"),
    [
        (BertNormalizer(lowercase=False), {"do_lower_case": True}, "do_lower_case"),
        (BertNormalizer(strip_accents=False), {"strip_accents": True}, "strip_accents"),
        (NFC(), {}, "NFC"),
        (None, {}, "none"),
    ],
)
def test_a_normalizer_that_would_be_another_is_refused(
    tmp_path: Path, normalizer: Normalizer | None, flags: dict[str, bool], said: str
) -> None:
    backend = Backend(WordPiece({word: place for place, word in enumerate(["[UNK]", "[MASK]"])}))
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "tokenizer_config.json", flags)
    with pytest.raises(CheckpointError, match=said):
        Tokenizer.from_folder(tmp_path)


def test_a_tokenizer_saved_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    shipped = ROOT / "assets" / "models" / "mean"
    Tokenizer.from_folder(shipped).save(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes()


@pytest.mark.parametrize("missing", SPECIAL_TOKENS)
def test_a_vocabulary_without_a_special_token_is_refused(tmp_path: Path, missing: str) -> None:
    words = [word for word in tiny_vocabulary() if word != missing]
    backend = Backend(WordPiece({word: place for place, word in enumerate(words)}))
    backend.normalizer = BertNormalizer()
    backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CheckpointError, match=re.escape(repr(missing))):
        Tokenizer.from_folder(tmp_path)


def test_special_tokens_of_other_names_are_read(tmp_path: Path) -> None:
    words = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", "film", "good"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    named = {"pad_token": "<pad>", "unk_token": {"content": "<unk>"}, "cls_token": "<s>"}
    write_json(tmp_path / "special_tokens_map.json", {**named, "sep_token": "no such"})
    write_json(tmp_path / "tokenizer_config.json", {"sep_token": "</s>", "mask_token": "<mask>"})
    read = Tokenizer.from_folder(tmp_path)
    assert (read.pad_id, read.unknown_id, read.cls_id, read.sep_id, read.mask_id) == (0, 1, 2, 3, 4)
    assert read.pieces(["Good [MASK] xyz film"]) == [[6, 4, 1, 5]]
