"""Configurations of the encoder and of the multitask model: frozen, checked when built."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Self


def choice_error(name: str, found: object, known: tuple[str, ...] | list[str]) -> ValueError:
    """Return the error for a value of `name` that is none of the `known` ones."""
    listed = ", ".join(repr(item) for item in known)
    return ValueError(f"`{name}` should be one of {listed}. Found {found!r}.")


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """The encoder's shape, under Hugging Face's field names.

    Source: Devlin et al. 2019, "BERT", section 3; the names are those of a
    `config.json` with `model_type: bert`.

    Raises:
        ValueError: a size that is not positive, heads that don't divide the hidden size, a
            dropout outside [0, 1), or an activation other than the exact GELU.
    """

    vocab_size: int = 30522  # word pieces
    hidden_size: int = 768  # D
    num_hidden_layers: int = 12  # L
    num_attention_heads: int = 12  # H, must divide D
    intermediate_size: int = 3072  # units of the feed-forward layer
    hidden_act: str = "gelu"  # the erf form; nothing else is honoured
    hidden_dropout_prob: float = 0.1  # probability
    attention_probs_dropout_prob: float = 0.1  # probability
    max_position_embeddings: int = 512  # tokens
    type_vocab_size: int = 2  # segments
    initializer_range: float = 0.02  # standard deviation of fresh weights
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0

    def __post_init__(self) -> None:
        """Reject what the encoder can't honour."""
        for name in (
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` should be at least 1. Found {getattr(self, name)}.")
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"`{name}` should lie in [0, 1). Found {getattr(self, name)}.")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"`num_attention_heads` should divide `hidden_size` ({self.hidden_size}). "
                f"Found {self.num_attention_heads}."
            )
        if self.hidden_act != "gelu":
            raise ValueError(
                f"`hidden_act` should be 'gelu' (the erf form). Found {self.hidden_act!r}; "
                "use a checkpoint whose config.json says 'gelu'."
            )

    @classmethod
    def from_hf(cls, values: dict[str, Any]) -> Self:
        """Read a Hugging Face `config.json`, refusing every option that changes the maths.

        Raises:
            ValueError: another `model_type`, relative positions, a decoder, cross-attention, or
                anything `BertConfig` itself refuses.
        """
        required = {
            "model_type": "bert",
            "position_embedding_type": "absolute",
            "is_decoder": False,
            "add_cross_attention": False,
        }
        for name, wanted in required.items():
            found = values.get(name, None if name == "model_type" else wanted)
            if found != wanted:
                raise ValueError(
                    f"`{name}` in config.json should be {wanted!r}. Found {found!r}; "
                    "minBERT loads plain BERT encoders only."
                )
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_hf(self) -> dict[str, Any]:
        """Return the dictionary that Hugging Face's `BertConfig` reads back."""
        return {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "position_embedding_type": "absolute",
            **dataclasses.asdict(self),
        }


POOLING_NAMES = ("cls", "pooler", "mean", "max", "attention")
PARAPHRASE_HEADS = ("joint", "two_tower")
SIMILARITY_HEADS = ("linear", "relu")
COSINE_SCALINGS = ("shifted", "positive")
SIMILARITY_SCORES = ("joint", "siamese", "mean")
# A model's calibration: its fields, at the values that change nothing.
UNCALIBRATED: dict[str, Any] = {
    "sentiment_temperature": 1.0,
    "paraphrase_temperature": 1.0,
    "paraphrase_offset": 0.0,
}


@dataclasses.dataclass(frozen=True)
class MultitaskConfig:
    """One encoder, one pooling, three heads: everything a checkpoint needs to be rebuilt.

    Raises:
        ValueError: an unknown name, a length that the encoder's positions can't hold, fewer than
            two sentiment classes, a PAL size that the encoder's heads don't divide, or a
            calibration that isn't a number it can be.
    """

    encoder: BertConfig = dataclasses.field(default_factory=BertConfig)
    pooling: str = "mean"  # how hidden states become one embedding
    paraphrase_head: str = "joint"  # on the pair's 'joint' input, or on 'two_tower' embeddings
    sentiment_classes: int = 5  # outputs of the sentiment head; 2 for the two-class CFIMDB
    similarity_head: str = "linear"  # joint head: 'linear', or the report's 'relu' (ReLU * 5)
    cosine_scaling: str = "shifted"  # Siamese score: 2.5 * (cos + 1) 'shifted', 5 * cos 'positive'
    similarity_score: str = "joint"  # the score `predict` writes: joint, Siamese or their mean
    pair_token_types: bool = True  # True: 0 for A, 1 for B; False: the course starter's zeros
    max_length: int = 128  # tokens of one encoder input, [CLS] and [SEP] included
    pal_size: int = 0  # units of the projected attention layers, which H must divide; 0 = none
    sentiment_temperature: float = 1.0  # its logits are divided by it before the softmax
    paraphrase_temperature: float = 1.0  # its logit is divided by it before the sigmoid,
    paraphrase_offset: float = 0.0  # and this is added: log-odds

    def __post_init__(self) -> None:
        """Reject unknown names and impossible lengths."""
        for name, known in (
            ("pooling", POOLING_NAMES),
            ("paraphrase_head", PARAPHRASE_HEADS),
            ("similarity_head", SIMILARITY_HEADS),
            ("cosine_scaling", COSINE_SCALINGS),
            ("similarity_score", SIMILARITY_SCORES),
        ):
            if getattr(self, name) not in known:
                raise choice_error(name, getattr(self, name), known)
        if self.sentiment_classes < 2:
            raise ValueError(
                f"`sentiment_classes` should be at least 2. Found {self.sentiment_classes}."
            )
        heads = self.encoder.num_attention_heads
        if self.pal_size < 0 or self.pal_size % heads:
            raise ValueError(
                f"`pal_size` should be 0 or a positive multiple of the encoder's {heads} heads. "
                f"Found {self.pal_size}; `pal_size_for` gives the paper's."
            )
        limit = self.encoder.max_position_embeddings
        if not 8 <= self.max_length <= limit:
            raise ValueError(
                f"`max_length` should lie between 8 and the encoder's {limit} positions. "
                f"Found {self.max_length}."
            )
        if self.pair_token_types and self.encoder.type_vocab_size < 2:
            raise ValueError(
                "`pair_token_types` should be False for an encoder with one token type. "
                f"Found True with `type_vocab_size` {self.encoder.type_vocab_size}."
            )
        self._check_calibration()

    def _check_calibration(self) -> None:
        for name in UNCALIBRATED:
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                rule = "a finite number"
            elif name.endswith("temperature") and value <= 0:
                rule = "above 0"
            else:
                continue
            raise ValueError(
                f"`{name}` should be {rule}. Found {value!r}; `python -m trainer calibrate` "
                "fits it anew."
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote, strictly: an unknown field is an error.

        Raises:
            ValueError: not one of our checkpoints, or a field this version doesn't know.
        """
        values = dict(values)
        model_type = values.pop("model_type", None)
        if model_type != MODEL_TYPE:
            raise ValueError(
                f"`model_type` in config.json should be {MODEL_TYPE!r}. Found {model_type!r}; "
                "a plain BERT is loaded with `load_encoder` and trained with `python -m trainer`."
            )
        encoder = dict(values.pop("encoder", {}))
        for part, kind in ((values, cls), (encoder, BertConfig)):
            unknown = set(part) - {field.name for field in dataclasses.fields(kind)}
            if unknown:
                raise ValueError(f"config.json has unknown fields: {', '.join(sorted(unknown))}.")
        return cls(encoder=BertConfig(**encoder), **values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for `config.json`."""
        return {"model_type": MODEL_TYPE, **dataclasses.asdict(self)}


MODEL_TYPE = "minbert-multitask"
