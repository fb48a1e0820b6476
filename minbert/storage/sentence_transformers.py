"""A model's encoder and pooling as a folder that sentence-transformers and transformers load.

Reimers & Gurevych 2019, "Sentence-BERT", section 3: an encoder and a pooling, compared by cosine.
The heads and our undoing of the treebank's escapes (`minbert.text.normalise`) stay behind.
"""

from __future__ import annotations

from pathlib import Path

import torch

from minbert.checkpoint import CONFIG_FILE, WEIGHTS_FILE, encoder_state_to_hf
from minbert.files import write_json, write_tensors
from minbert.multitask import MultitaskBert
from minbert.storage.manifest import write_manifest
from minbert.storage.weights import check_finite

MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")  # of their Pooling
POOLINGS = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}  # ours -> theirs


def save_sentence_transformers(model: MultitaskBert, folder: str | Path) -> None:
    """Write what `SentenceTransformer(folder)` and `AutoModel.from_pretrained(folder)` load.

    Weights are stored in float16 where that loses nothing, and loaded as float32.

    Args:
        model: with a tokenizer; its embeddings (D,) are those of `Predictor.embed` in texts
            without the treebank's escapes.
        folder: where to; made if it isn't there.

    Raises:
        ValueError: the model has PALs, or a pooling or tokenizer that such a folder can't hold;
            or a weight is NaN.
    """
    config = model.config
    if config.pal_size:
        raise ValueError(
            f"`pal_size` should be 0 for a plain BERT. Found {config.pal_size}; the encoder's "
            "layers differ by task. Export a model that was trained without PALs."
        )
    if config.pooling not in POOLINGS:
        raise ValueError(
            f"`pooling` should be one that sentence-transformers has, {', '.join(POOLINGS)}. "
            f"Found {config.pooling!r}; export a model that was trained with one of these."
        )
    if model.tokenizer is None:
        raise ValueError(
            "`tokenizer` should be set before exporting. Found None; pass it to MultitaskBert."
        )
    folder = Path(folder)
    weights = encoder_state_to_hf(model.encoder)
    check_finite(weights, str(folder))
    halves = {name: tensor.half() for name, tensor in weights.items()}
    if all(torch.equal(halves[name].float(), tensor) for name, tensor in weights.items()):
        weights = halves
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    model.tokenizer.save(folder)
    write_tensors(folder / WEIGHTS_FILE, weights)
    write_json(folder / CONFIG_FILE, {**config.encoder.to_hf(), "dtype": "float32"})
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (kind, path) in enumerate([("Transformer", ""), ("Pooling", "1_Pooling")])
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": config.max_length})
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": config.encoder.hidden_size}
        | {f"pooling_mode_{mode}": mode == POOLINGS[config.pooling] for mode in MODES},
    )
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "cosine"})
    write_manifest(folder)
