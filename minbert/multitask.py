"""MultitaskBert: one shared encoder, one pooling, a head for each task.

Report: section 4.1 (heads), 4.2 (pooling), 4.5 (Siamese cosine similarity). Where the config asks
for them, the encoder also has each task's projected attention layers (`minbert.pals`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from minbert import checkpoint, files
from minbert.bert import BertModel
from minbert.config import MultitaskConfig
from minbert.heads import (
    LinearHead,
    calibrated,
    joint_similarity,
    siamese_similarity,
    two_tower_features,
)
from minbert.pooling import AttentionPooling, pooler_for
from minbert.storage import manifest, model_folder
from minbert.storage.weights import check_finite
from minbert.tasks import TASKS
from minbert.text import Batch, Tokenizer

NO_MANIFEST = (
    "%s has no %s, so damage to its files would go unnoticed; "
    "`minbert.storage.manifest.write_manifest` writes one."
)


class MultitaskBert(nn.Module):
    """Three tasks on one encoder.

    Every head works on the pooled embedding (B, D): of one sentence for sentiment and the
    Siamese similarity, of the joint input `[CLS] A [SEP] B [SEP]` for paraphrase and the joint
    similarity. The two-tower paraphrase head compares the embeddings of both sentences instead.

    `..._logits` and `predict_...` are the heads' raw logits, which training's losses take; so a
    calibration is never trained against, and can be fitted anew. Whatever becomes a probability,
    a label or an explanation of one goes through `calibrated_sentiment` or
    `calibrated_paraphrase`, the one place where the config's temperatures are applied.
    """

    def __init__(
        self,
        config: MultitaskConfig,
        tokenizer: Tokenizer | None = None,
        encoder: BertModel | None = None,
    ) -> None:
        """Create the heads around `encoder`, or around a freshly initialised one.

        The encoder gets PALs of `config.pal_size` units, unless it has them already.

        Raises:
            ValueError: the encoder's PALs have another size.
        """
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        self.sums: dict[str, str] = {}  # SHA-256 of the files it was loaded from, if it was
        self.encoder = BertModel(config.encoder) if encoder is None else encoder
        shape = config.encoder
        width, std = shape.hidden_size, shape.initializer_range
        towers = 4 if config.paraphrase_head == "two_tower" else 1
        sizes = {task.name: (width, task.classes) for task in TASKS.values()}
        sizes["sentiment"] = (width, config.sentiment_classes)
        sizes["paraphrase"] = (towers * width, 1)
        self.heads = nn.ModuleDict(
            {
                name: LinearHead(inputs, outputs, shape.hidden_dropout_prob, std)
                for name, (inputs, outputs) in sizes.items()
            }
        )
        self.attention_pooling = (
            AttentionPooling(width, std) if config.pooling == "attention" else None
        )
        if config.pal_size and self.encoder.pals is None:
            self.encoder.add_pals(tuple(TASKS), config.pal_size)
        self._check_pals()

    def _check_pals(self) -> None:
        pals = self.encoder.pals
        found = 0 if pals is None else next(iter(pals.values())).size
        if found != self.config.pal_size:
            raise ValueError(
                f"`pal_size` in the config should be the size of the encoder's PALs, {found}. "
                f"Found {self.config.pal_size}; build the model with a config that has it."
            )

    def embed(self, batch: Batch, task: str | None = None) -> Tensor:
        """Encode and pool a batch of (B, T) into embeddings (B, D), pooled in float32.

        `task` chooses the encoder's PALs; without them it makes no difference.
        """
        hidden = self.encoder(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, task
        ).hidden
        return self.pool(hidden, batch.attention_mask)

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool hidden states (B, T, D) under a mask (B, T) into embeddings (B, D), in float32."""
        pool = pooler_for(self.config.pooling, self.encoder, self.attention_pooling)
        with torch.autocast(hidden.device.type, enabled=False):
            return pool(hidden.float(), mask)

    def sentiment_logits(self, embedding: Tensor) -> Tensor:
        """Score embeddings of single sentences (B, D): logits (B, C), C `sentiment_classes`."""
        logits: Tensor = self.heads["sentiment"](embedding)
        return logits

    def calibrated_sentiment(self, embedding: Tensor) -> Tensor:
        """Score as `sentiment_logits`; the softmax of what is returned, (B, C), is calibrated."""
        logits = self.sentiment_logits(embedding).float()
        return calibrated(logits, self.config.sentiment_temperature)

    def paraphrase_features(self, first: Tensor, second: Tensor) -> Tensor:
        """Compare embeddings of single sentences (B, D) for the two-tower head: (B, 4D)."""
        return two_tower_features(first, second)

    def paraphrase_logits(self, features: Tensor) -> Tensor:
        """Score pairs: logits (B,).

        Args:
            features: embeddings of joint pairs (B, D); for the two-tower head
                `paraphrase_features` (B, 4D).

        Raises:
            ValueError: features of the other head.
        """
        width = self.config.encoder.hidden_size
        wanted = 4 * width if self.config.paraphrase_head == "two_tower" else width
        if features.shape[-1] != wanted:
            raise ValueError(
                f"`features` should have {wanted} units for the paraphrase head "
                f"{self.config.paraphrase_head!r}. Found {features.shape[-1]}."
            )
        logits: Tensor = self.heads["paraphrase"](features).squeeze(-1)
        return logits

    def calibrated_paraphrase(self, features: Tensor) -> Tensor:
        """Score as `paraphrase_logits`; the sigmoid of what is returned, (B,), is calibrated."""
        logits, config = self.paraphrase_logits(features).float(), self.config
        return calibrated(logits, config.paraphrase_temperature, config.paraphrase_offset)

    def joint_similarity(self, embedding: Tensor) -> Tensor:
        """Score embeddings of joint pairs (B, D): similarity (B,), 0 to 5 but not clamped."""
        raw = self.heads["similarity"](embedding).squeeze(-1)
        return joint_similarity(raw, self.config.similarity_head)

    def siamese_similarity(self, first: Tensor, second: Tensor) -> Tensor:
        """Score two embeddings of single sentences (B, D) by their cosine: similarity (B,)."""
        return siamese_similarity(first, second, self.config.cosine_scaling)

    def predict_sentiment(self, sentences: Batch) -> Tensor:
        """Return the classes' raw logits (B, C) of a batch of single sentences."""
        return self.sentiment_logits(self.embed(sentences, "sentiment"))

    def predict_paraphrase(self, pairs: Batch) -> Tensor:
        """Return the raw duplicate logits (B,) of a batch of joint pairs."""
        return self.paraphrase_logits(self.embed(pairs, "paraphrase"))

    def predict_two_tower_paraphrase(self, first: Batch, second: Batch) -> Tensor:
        """Return the two-tower head's raw logits (B,) of two batches of single sentences."""
        u, v = (self.embed(batch, "paraphrase") for batch in (first, second))
        return self.paraphrase_logits(self.paraphrase_features(u, v))

    def predict_similarity(self, pairs: Batch) -> Tensor:
        """Return the joint similarity (B,), 0 to 5 but not clamped, of a batch of joint pairs."""
        return self.joint_similarity(self.embed(pairs, "similarity"))

    def predict_siamese_similarity(self, first: Batch, second: Batch) -> Tensor:
        """Return the Siamese similarity (B,) of two batches of single sentences."""
        u, v = (self.embed(batch, "similarity") for batch in (first, second))
        return self.siamese_similarity(u, v)

    @classmethod
    def from_pretrained(cls, name_or_dir: str | Path, *, revision: str | None = None) -> Self:
        """Load a multitask checkpoint from a folder or a Hugging Face id, in eval mode.

        Raises:
            CheckpointError: a file missing, torn or other than the manifest says; a weight
                missing, unknown, misshapen or not finite; a config.json of something else.
        """
        folder = checkpoint.resolve_folder(name_or_dir, revision=revision)
        if not manifest.verify(folder):
            logging.getLogger(__name__).warning(NO_MANIFEST, folder, manifest.MANIFEST_FILE)
        config = checkpoint.read_config(folder, MultitaskConfig.from_dict)
        model = cls.from_folder(folder, config).eval()
        model.sums = manifest.sums_of(folder)
        return model

    @classmethod
    def from_folder(cls, folder: Path, config: MultitaskConfig) -> Self:
        """Load a folder's weights and tokenizer into a model of `config`, in training mode.

        Raises:
            CheckpointError: as `from_pretrained` does.
        """
        tokenizer = Tokenizer.from_folder(folder)
        weights = files.read_tensors(folder / checkpoint.WEIGHTS_FILE)
        checkpoint.check_config(config.encoder, tokenizer, weights, folder)
        with checkpoint.without_weights():
            model = cls(config, tokenizer)
        checkpoint.load_strictly(model, model_folder.read_state(folder, config, weights), folder)
        return model

    def save_pretrained(
        self, folder: str | Path, dtype: torch.dtype | None = torch.float32
    ) -> None:
        """Write a folder that minbert loads, and transformers and sentence-transformers too.

        transformers' `AutoModel` gives the encoder; of a model with PALs, which is no BERT, it
        gives an error. sentence-transformers embeds as the model does where it has the pooling:
        mean, CLS or max.

        Args:
            folder: where to; made if it isn't there.
            dtype: of the stored weights; float16 halves the files; None: float16 where that loses
                nothing.

        Raises:
            ValueError: the model has no tokenizer, so nobody could use the folder; the encoder's
                PALs have another size than the config says; or a weight is NaN, or too large
                for `dtype`.
        """
        self._check_pals()
        if self.tokenizer is None:
            raise ValueError(
                "`tokenizer` should be set before saving. Found None; pass it to MultitaskBert."
            )
        state = self.state_dict()
        dtype = dtype or model_folder.lossless_dtype(state)
        weights = {name: tensor.to(dtype) for name, tensor in state.items()}
        check_finite(weights, f"{folder}, as {str(dtype).removeprefix('torch.')},")
        model_folder.write_folder(Path(folder), self.config, weights, self.tokenizer)
