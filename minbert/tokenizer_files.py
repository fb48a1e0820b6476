"""A checkpoint's tokenizer files, read and written with the tokenizers library alone.

transformers' `BertTokenizer` gives the same pieces, but takes 1.5 s to import.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Backend
from tokenizers import decoders
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from minbert.files import CheckpointError, read_json, write_json

NORMALIZER = {  # names in tokenizer.json, and in tokenizer_config.json
    "lowercase": "do_lower_case",
    "strip_accents": "strip_accents",
    "handle_chinese_chars": "tokenize_chinese_chars",
}
SPECIAL = {  # names in tokenizer_config.json, and what BERT's vocabularies call them
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


@dataclasses.dataclass(frozen=True)
class TokenizerFiles:
    """What tokenizer files say."""

    backend: Backend
    config: dict[str, Any]  # tokenizer_config.json, special tokens included

    def special_id(self, name: str) -> int:
        """Return the id of one of `SPECIAL`.

        Raises:
            CheckpointError: the vocabulary lacks it.
        """
        token = self.config[name]
        number: int | None = self.backend.token_to_id(token)
        if number is None:
            raise CheckpointError(
                f"`{name}` in tokenizer_config.json should be a piece of the vocabulary. Found "
                f"{token!r}, which is none; copy or download the tokenizer files again."
            )
        return number

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json, as transformers' `BertTokenizer` does."""
        folder.mkdir(parents=True, exist_ok=True)
        self.backend.save(str(folder / "tokenizer.json"))
        flags = {
            theirs: getattr(self.backend.normalizer, ours) for ours, theirs in NORMALIZER.items()
        }
        told = {"tokenizer_class": "BertTokenizer", "backend": "tokenizers"}
        write_json(folder / "tokenizer_config.json", {**self.config, **flags, **told})


def read_tokenizer(folder: Path) -> TokenizerFiles:
    """Read tokenizer.json, or vocab.txt where there is none, and tokenizer_config.json.

    Raises:
        CheckpointError: the folder has neither file, or they contradict each other or are of no
            WordPiece tokenizer.
        Exception: a file is damaged; the tokenizers library has no class for that.
    """
    paths = [folder / name for name in ("tokenizer.json", "vocab.txt")]
    path = next((each for each in paths if each.is_file()), None)
    if path is None:
        raise CheckpointError(
            f"{folder} should hold tokenizer.json or vocab.txt. Found neither; "
            "copy or download the tokenizer files of the checkpoint there."
        )
    config = _config_of(folder)
    if path.suffix == ".json":
        _check(path, config)
        backend = Backend.from_file(str(path))
        backend.pre_tokenizer = BertPreTokenizer()
    else:
        backend = _from_vocabulary(path, config)
    return TokenizerFiles(backend, config)


def _config_of(folder: Path) -> dict[str, Any]:
    """Return tokenizer_config.json, with each special token as a string."""
    told: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            told |= read_json(folder / name)
    for name, usual in SPECIAL.items():
        token = told.get(name) or usual
        told[name] = token["content"] if isinstance(token, dict) else token
    return told


def _from_vocabulary(path: Path, config: dict[str, Any]) -> Backend:
    """Build what BERT's own vocab.txt stands for, a word piece a line."""
    vocabulary = WordPiece.read_file(str(path))
    backend = Backend(WordPiece(vocabulary, unk_token=config["unk_token"]))
    flags = {ours: config[theirs] for ours, theirs in NORMALIZER.items() if theirs in config}
    backend.normalizer = BertNormalizer(**flags)
    backend.pre_tokenizer = BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens([config[name] for name in SPECIAL])
    ends = [config["cls_token"], config["sep_token"]]
    cls, sep = ends
    backend.post_processor = TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(each, backend.token_to_id(each)) for each in ends],
    )
    return backend


def _check(path: Path, config: dict[str, Any]) -> None:
    """Compare how tokenizer.json normalises texts with what tokenizer_config.json says of it."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    kind = stored["model"].get("type", "WordPiece")
    if kind != "WordPiece":
        raise CheckpointError(
            f"{path} should be a WordPiece tokenizer, as BERT's. Found {kind}; "
            "take the files of a BERT."
        )
    normalizer = stored.get("normalizer") or {}
    if normalizer.get("type") != "BertNormalizer":
        raise CheckpointError(
            f"`normalizer` in {path} should be a BertNormalizer. Found "
            f"{normalizer.get('type', 'none')!r}; copy or download the tokenizer files of a BERT."
        )
    for ours, name in NORMALIZER.items():
        if ours in normalizer and name in config and config[name] != normalizer[ours]:
            raise CheckpointError(
                f"`{name}` in {path.parent / 'tokenizer_config.json'} should be as in {path.name}, "
                f"{normalizer[ours]}. Found {config[name]}; correct the one that is wrong for "
                "this vocabulary, or download both again."
            )
