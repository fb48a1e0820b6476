"""Configurations of the encoder and of the multitask model: frozen, checked when built."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, Self, get_type_hints

RULES: dict[type, str] = {
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    str: "a text",
}
LARGEST_SIZE = 100_000_000  # of what a config.json may ask for; a damaged one may ask for anything
# The functions that `minbert.bert` computes as transformers does, under transformers' names.
ACTIVATION_NAMES = (
    *("gelu", "gelu_python"),  # with erf
    *("gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh"),
    *("quick_gelu", "relu", "silu", "swish", "mish", "tanh"),
)


def choice_error(name: str, found: object, known: tuple[str, ...] | list[str]) -> ValueError:
    """Return the error for a value of `name` that is none of the `known` ones."""
    listed = ", ".join(repr(item) for item in known)
    return ValueError(f"`{name}` should be one of {listed}. Found {found!r}.")


def check_types(config: Any) -> None:  # noqa: ANN401 - any dataclass
    """Check that a configuration's values are of its fields' types: a file may hold anything.

    Raises:
        ValueError: one is of another type, or a number that isn't finite.
    """
    for name, kind in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if kind in RULES and not _is_a(kind, value):
            raise ValueError(f"`{name}` should be {RULES[kind]}. Found {value!r:.80}.")


def check_size(name: str, size: int) -> None:
    """Check that a size is one that a machine can hold.

    Raises:
        ValueError: it isn't.
    """
    if size > LARGEST_SIZE:
        raise ValueError(f"`{name}` should be at most {LARGEST_SIZE:,}. Found {size}.")


def _is_a(kind: type, value: object) -> bool:
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return math.isfinite(value)
    return type(value) is kind  # a bool is no number of units


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """The encoder's shape, under Hugging Face's field names.

    Source: Devlin et al. 2019, "BERT", section 3; the names are those of a
    `config.json` with `model_type: bert`.

    Raises:
        ValueError: a size that is not positive, heads that don't divide the hidden size, a
            dropout outside [0, 1), a value of another type, or an activation that isn't one of
            `ACTIVATION_NAMES`.
    """

    vocab_size: int = 30522  # word pieces
    hidden_size: int = 768  # D
    num_hidden_layers: int = 12  # L
    num_attention_heads: int = 12  # H, must divide D
    intermediate_size: int = 3072  # units of the feed-forward layer
    hidden_act: str = "gelu"  # one of ACTIVATION_NAMES; "gelu" is the erf form
    hidden_dropout_prob: float = 0.1  # probability
    attention_probs_dropout_prob: float = 0.1  # probability
    max_position_embeddings: int = 512  # tokens
    type_vocab_size: int = 2  # segments
    initializer_range: float = 0.02  # standard deviation of fresh weights
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0

    def __post_init__(self) -> None:
        """Reject what the encoder can't honour."""
        check_types(self)
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
            check_size(name, getattr(self, name))
        for name in ("initializer_range", "layer_norm_eps"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` should be at least 0. Found {getattr(self, name)}.")
        if (
            not -self.vocab_size <= self.pad_token_id < self.vocab_size
        ):  # a negative one: from the end
            raise ValueError(
                f"`pad_token_id` should be one of the {self.vocab_size} word pieces' ids. "
                f"Found {self.pad_token_id}."
            )
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"`{name}` should lie in [0, 1). Found {getattr(self, name)}.")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"`num_attention_heads` should divide `hidden_size` ({self.hidden_size}). "
                f"Found {self.num_attention_heads}."
            )
        if self.hidden_act not in ACTIVATION_NAMES:
            raise choice_error("hidden_act", self.hidden_act, ACTIVATION_NAMES)

    @classmethod
    def from_hf(cls, values: dict[str, Any]) -> Self:
        """Read a Hugging Face `config.json`, refusing every option that changes the maths.

        A file from before there was a `model_type` may name its architecture alone.

        Raises:
            ValueError: another `model_type`, relative positions, a decoder, cross-attention,
                pruned heads, quantised weights, or anything `BertConfig` itself refuses.
        """
        plain = {
            "model_type": "bert",
            "position_embedding_type": "absolute",
            "is_decoder": False,
            "add_cross_attention": False,
            "pruned_heads": {},
            "quantization_config": None,
        }
        told = dict(values)
        if told.get("model_type") is None and _names_bert(told.get("architectures")):
            told["model_type"] = "bert"
        for name, wanted in plain.items():
            found = told.get(name)
            if found != wanted and (found is not None or name == "model_type"):
                raise ValueError(
                    f"`{name}` in config.json should be {wanted!r}. Found {found!r}; "
                    "minBERT loads plain BERT encoders only."
                )
        known = {field.name for field in dataclasses.fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        if kept.get("pad_token_id", 0) is None:  # transformers': no piece is padding
            del kept["pad_token_id"]
        return cls(**kept)

    def to_hf(self) -> dict[str, Any]:
        """Return the dictionary that Hugging Face's `BertConfig` reads back."""
        return {**BERT, **dataclasses.asdict(self)}


BERT: dict[str, Any] = {  # what tells transformers to build a plain BERT
    "model_type": "bert",
    "architectures": ["BertModel"],
    "position_embedding_type": "absolute",
    "dtype": "float32",  # to compute in, however the weights are stored
}


def _names_bert(architectures: object) -> bool:
    """Say whether these name one of transformers' own BERT models, such as BertForMaskedLM."""
    names = architectures if isinstance(architectures, list) else []
    return any(re.fullmatch(r"Bert(Model|LMHeadModel|For[A-Z]\w*)", str(name)) for name in names)


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
        check_types(self)
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
        for name in ("sentiment_classes", "pal_size"):
            check_size(name, getattr(self, name))
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
            if name.endswith("temperature") and value <= 0:
                raise ValueError(
                    f"`{name}` should be above 0. Found {value!r}; `python -m trainer calibrate` "
                    "fits it anew."
                )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `to_dict` writes, strictly: an unknown field is an error.

        A file from before transformers could read it has our fields at the top, and the encoder's
        under `encoder`; it is read as well.

        Raises:
            ValueError: not one of our checkpoints, or a field this version doesn't know.
        """
        own, encoder = _parts(values)
        for name, part, kind in ((OURS, own, cls), ("encoder", encoder, BertConfig)):
            if not isinstance(part, dict):
                raise ValueError(f"`{name}` should be an object. Found {part!r:.80}.")
            known = {field.name for field in dataclasses.fields(kind)} - {"encoder"}
            if unknown := set(part) - known:
                raise ValueError(f"config.json has unknown fields: {', '.join(sorted(unknown))}.")
        return cls(encoder=BertConfig(**encoder), **own)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for `config.json`: transformers' BERT, and ours under one key.

        With PALs the encoder isn't BERT's, so the model's type is one that transformers refuses.
        """
        own = dataclasses.asdict(self)
        del own["encoder"]
        values = {**self.encoder.to_hf(), OURS: own}
        if self.pal_size:
            values |= {"model_type": MODEL_TYPE, "architectures": ["MultitaskBert"]}
        return values


OURS = "minbert"  # the key of config.json that other libraries pass over
MODEL_TYPE = "minbert-multitask"


def _parts(values: dict[str, Any]) -> tuple[Any, Any]:
    """Return our fields and the encoder's from a config.json; whatever stands there, unchecked."""
    model_type, positions = (values.get(name) for name in ("model_type", "position_embedding_type"))
    known = ["bert", MODEL_TYPE] if OURS in values else [MODEL_TYPE]
    if OURS in values:
        rest = {OURS, *BERT}
        own, encoder = values[OURS], {name: values[name] for name in values if name not in rest}
    else:
        own = {name: values[name] for name in values if name not in ("model_type", "encoder")}
        encoder = values.get("encoder", {})
    if model_type not in known:
        raise ValueError(
            f"`model_type` in config.json should be {MODEL_TYPE!r}, or 'bert' with the key "
            f"{OURS!r}. Found {model_type!r}; a plain BERT is loaded with `load_encoder` and "
            "trained with `python -m trainer`."
        )
    if OURS in values and positions != BERT["position_embedding_type"]:
        raise ValueError(
            f"`position_embedding_type` in config.json should be 'absolute'. Found {positions!r}."
        )
    return own, encoder
