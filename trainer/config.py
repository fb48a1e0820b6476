"""What a training run is: one frozen dataclass, checked when built, saved with the run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minbert.config import (
    COSINE_SCALINGS,
    PARAPHRASE_HEADS,
    POOLING_NAMES,
    SIMILARITY_HEADS,
    SIMILARITY_SCORES,
    choice_error,
)
from minbert.tasks import TASKS
from trainer.data.further_pairs import chosen_names, names_of
from trainer.techniques.contrastive import CONTRASTIVE_LOSSES
from trainer.techniques.precision import PRECISIONS
from trainer.techniques.samplers import SAMPLERS

ALL = "all"
TASK_CHOICES = (ALL, *TASKS)
SENTIMENT_DATA = {"sst": 5, "cfimdb": 2, "sst-trees": 5}  # sentiment's classes, by data set


def option(default: Any, text: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - dataclasses.field's own type
    """Declare one setting with its help text and, for names, its choices."""
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices})


RULES: dict[str, Callable[[float], bool]] = {  # NaN breaks each of them
    "be at least 0": lambda value: value >= 0,
    "be at least 1": lambda value: value >= 1,
    "be at least 8": lambda value: value >= 8,
    "lie in [0, 1)": lambda value: 0 <= value < 1,
    "lie in (0, 1]": lambda value: 0 < value <= 1,
    "lie in [0, 1]": lambda value: 0 <= value <= 1,
    "be above 0 and finite": lambda value: 0 < value < math.inf,
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the settings of each kind of run have in common."""

    def check(self, names_by_rule: Mapping[str, Sequence[str]]) -> None:
        """Reject an unknown name in a setting with choices, and a number that breaks its rule."""
        for field in dataclasses.fields(self):
            value, choices = getattr(self, field.name), field.metadata["choices"]
            if choices and value not in choices:
                raise choice_error(field.name, value, choices)
        for rule, names in names_by_rule.items():
            for name in names:
                if not RULES[rule](getattr(self, name)):
                    raise ValueError(f"`{name}` should {rule}. Found {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class TrainConfig(Settings):
    """Every setting of a run.

    The report's (sections 4.4, 4.7, 5.3) are the defaults of dropout, learning rates, epochs,
    batch sizes in examples and the sampler; it doesn't tell the others, or has other defaults
    than ours (`similarity_head`).

    Raises:
        ValueError: an unknown name or a number out of its range.
    """

    name: str = option("report", "name of the recipe")
    encoder: str = option("google-bert/bert-base-uncased", "Hugging Face id or folder of a BERT")
    start_from: str = option("", "folder of a model whose encoder and heads the run begins with")
    pooling: str = option("mean", "hidden states to one embedding", POOLING_NAMES)
    similarity_head: str = option("linear", "joint similarity head", SIMILARITY_HEADS)
    cosine_scaling: str = option("shifted", "Siamese score from the cosine", COSINE_SCALINGS)
    similarity_score: str = option("joint", "similarity that is reported", SIMILARITY_SCORES)
    paraphrase_head: str = option("joint", "paraphrase head", PARAPHRASE_HEADS)
    max_length: int = option(128, "tokens of one encoder input")
    tasks: str = option(ALL, "tasks that are trained", TASK_CHOICES)
    scored_tasks: str = option(ALL, "tasks that are scored", TASK_CHOICES)
    sentiment_data: str = option("sst", "sentiment's data set", tuple(SENTIMENT_DATA))
    phrase_words: int = option(3, "least words of a phrase of the sentiment treebank")
    sentiment_phrases: float = option(
        0.0, "phase 2: share of sentiment's batches that hold phrases of the treebank"
    )
    extra_similarity: str = option("", f"mixed into similarity: {names_of('similarity')}")
    extra_paraphrase: str = option("", f"mixed into paraphrase: {names_of('paraphrase')}")
    paraphrase_positives: float = option(
        0.5, "largest share of duplicates to which a file of duplicates alone may raise paraphrase"
    )
    paraphrase_statements: float = option(
        0.0,
        "phase 2: share of paraphrase's batches that hold statements, and pairs of the same words "
        "in another order",
    )
    mask_demographics: bool = option(False, "abstract demographic terms in the training texts")
    seed: int = option(0, "of batches, task draws, dropout and fresh heads")
    hidden_dropout: float = option(0.2, "dropout of hidden states and heads, probability")
    attention_dropout: float = option(0.1, "dropout of attention weights, probability")
    precision: str = option("auto", "autocast: auto is bf16 on CUDA, else fp32", PRECISIONS)

    mlm_passes: float = option(0.0, "phase 0: masked-language-model passes; 0 leaves it out")

    head_epochs: int = option(3, "phase 1: passes over each task's embeddings; 0 leaves it out")
    head_learning_rate: float = option(1e-3, "phase 1: AdamW learning rate")
    head_batch: int = option(128, "phase 1: examples a batch")
    head_examples: int = option(0, "phase 1: training examples a task; 0 takes all")

    head_encoder_dropout: bool = option(
        False, "phase 1: encoder dropout on, as in the report; no: embeddings made once, without"
    )

    epochs: int = option(10, "phase 2: epochs; 0 leaves it out")
    steps_per_epoch: int = option(1200, "phase 2: optimizer steps an epoch, all tasks together")
    tokens_per_epoch: int = option(0, "phase 2: tokens an epoch, in place of steps; 0 counts steps")
    learning_rate: float = option(1e-5, "phase 2: peak AdamW learning rate")
    warmup: float = option(0.1, "phase 2: share of the steps that warm up linearly")
    weight_decay: float = option(0.01, "phase 2: AdamW decay of matrices")
    clip_norm: float = option(1.0, "phase 2: largest gradient norm")
    batch_examples: int = option(32, "phase 2: most examples a batch")
    batch_tokens: int = option(16384, "phase 2: most tokens a batch, padding counted")
    sampler: str = option("annealed", "phase 2: which task trains at a step", SAMPLERS)
    joint_weight: float = option(1.0, "phase 2: weight of the joint similarity loss")
    siamese_weight: float = option(1.0, "phase 2: weight of the Siamese similarity loss")
    contrastive: str = option("off", "phase 2: SimCSE loss", ("off", *CONTRASTIVE_LOSSES))
    contrastive_weight: float = option(1.0, "phase 2: weight of the SimCSE loss")
    contrastive_temperature: float = option(0.05, "phase 2: temperature of the SimCSE loss")
    contrastive_mask_same: bool = option(True, "phase 2: equal sentences are no SimCSE negatives")
    surgery: bool = option(False, "phase 2: PCGrad on one batch of every task a step")
    pal_size: int = option(0, "phase 2: units of the projected attention layers; 0: none")
    pal_epochs: int = option(0, "phase 2: last epochs in which these layers are on")
    freeze_word_embeddings: bool = option(False, "phase 2: leave word embeddings as they are")
    ema: float = option(0.0, "phase 2: decay of the averaged weights that are kept; 0: no average")
    label_smoothing: float = option(0.0, "phase 2: label smoothing of the sentiment loss")
    soft_labels: str = option("", "phase 2: files of `label`, with commas between; from --data too")
    distillation_weight: float = option(
        0.5, "phase 2: share of the soft labels' loss where a row has a gold label too"
    )
    distillation_temperature: float = option(2.0, "phase 2: softens both models' probabilities")
    unlabelled_share: float = option(
        0.5, "phase 2: share of a task's batches that hold rows with soft labels alone, if any"
    )
    layer_decay: float = option(1.0, "phase 2: factor of the learning rate from layer to layer")

    compile: bool = option(False, "phase 2: torch.compile the training step")

    both_orders: bool = option(True, "final scores: mean of both orders of a joint pair")
    dev_examples: int = option(0, "dev examples a task at each epoch; 0 takes all")
    checkpoint_every: int = option(100, "phase 2: steps between resumable states")

    def __post_init__(self) -> None:
        """Check names and ranges."""
        self.check(
            {
                "be at least 0": (
                    *("head_epochs", "head_examples", "epochs", "tokens_per_epoch", "mlm_passes"),
                    *("joint_weight", "siamese_weight", "contrastive_weight", "weight_decay"),
                    *("pal_size", "pal_epochs", "dev_examples"),
                ),
                "be at least 1": (
                    *("head_batch", "steps_per_epoch", "batch_examples", "checkpoint_every"),
                    "phrase_words",
                ),
                "be at least 8": ("max_length", "batch_tokens"),
                "lie in [0, 1)": (
                    *("hidden_dropout", "attention_dropout", "warmup"),
                    *("sentiment_phrases", "ema", "label_smoothing", "unlabelled_share"),
                    "paraphrase_statements",
                ),
                "lie in (0, 1]": ("layer_decay", "paraphrase_positives"),
                "lie in [0, 1]": ("distillation_weight",),
                "be above 0 and finite": (
                    *("learning_rate", "head_learning_rate", "clip_norm"),
                    *("contrastive_temperature", "distillation_temperature"),
                ),
            }
        )
        for task in ("similarity", "paraphrase"):
            chosen_names(f"extra_{task}", getattr(self, f"extra_{task}"), task)
        files = [Path(file).name for file in self.soft_label_files]
        if len(set(files)) < len(files):
            raise ValueError(
                f"`soft_labels` should name each file once. Found {self.soft_labels!r}."
            )
        self._check_combinations()

    def _check_combinations(self) -> None:
        """Reject settings that are fine alone but not together."""
        if self.surgery and (self.sampler == "full_pass" or self.tasks != ALL):
            raise ValueError(
                "`surgery` needs a batch of every task at each step. Found it with "
                f"`sampler` {self.sampler!r} and `tasks` {self.tasks!r}; leave one of them."
            )
        if not self.joint_weight and not self.siamese_weight:
            raise ValueError(
                "`joint_weight` or `siamese_weight` should be above 0. Found 0 for both; "
                "similarity would have no loss."
            )
        if self.sentiment_phrases and self.sentiment_data != "sst":
            raise ValueError(
                f"`sentiment_phrases` goes with `sentiment_data` 'sst' alone. Found "
                f"{self.sentiment_phrases} with {self.sentiment_data!r}; leave one of them."
            )
        if self.sentiment_data == "cfimdb" and {self.tasks, self.scored_tasks} != {"sentiment"}:
            raise ValueError(
                f"`tasks` and `scored_tasks` should be 'sentiment' for {self.sentiment_data!r}. "
                f"Found {self.tasks!r} and {self.scored_tasks!r}."
            )
        if self.soft_labels and self.sentiment_data == "cfimdb":
            raise ValueError(
                "`soft_labels` have sentiment's five classes. Found `sentiment_data` 'cfimdb', "
                "which has two; leave one of them."
            )
        if self.pal_epochs > self.epochs or bool(self.pal_epochs) != bool(self.pal_size):
            raise ValueError(
                f"`pal_epochs` should lie between 1 and `epochs` ({self.epochs}) with "
                f"`pal_size` above 0, and be 0 without. Found {self.pal_epochs} with "
                f"{self.pal_size}."
            )

    @property
    def trained_tasks(self) -> tuple[str, ...]:
        """Name the tasks that are trained."""
        return tuple(TASKS) if self.tasks == ALL else (self.tasks,)

    @property
    def scored(self) -> tuple[str, ...]:
        """Name the tasks that are scored."""
        return tuple(TASKS) if self.scored_tasks == ALL else (self.scored_tasks,)

    @property
    def soft_label_files(self) -> tuple[str, ...]:
        """Return the files that `soft_labels` names."""
        return tuple(name for name in self.soft_labels.split(",") if name)

    @property
    def epoch_length(self) -> int:
        """Return the length of an epoch of phase 2: tokens where those are set, else steps."""
        return self.tokens_per_epoch or self.steps_per_epoch

    @property
    def total(self) -> int:
        """Return the length of phase 2: tokens where those are set, else steps."""
        return self.epochs * self.epoch_length


@dataclasses.dataclass(frozen=True)
class MlmConfig(Settings):
    """Every setting of a masked-language-model run.

    Raises:
        ValueError: an unknown name or a number out of its range.
    """

    encoder: str = option("google-bert/bert-base-uncased", "Hugging Face id or folder of a BERT")
    seed: int = option(0, "of batches, masks, dropout and the fresh head")
    max_length: int = option(128, "tokens of one sentence")
    passes: float = option(1.0, "passes over the sentences")
    learning_rate: float = option(3e-4, "peak AdamW learning rate")
    warmup: float = option(0.1, "share of the steps that warm up linearly")
    batch_examples: int = option(64, "most sentences a batch")
    batch_tokens: int = option(1024, "most tokens a batch, padding counted")
    freeze_word_embeddings: bool = option(True, "leave word embeddings as they are")
    precision: str = option("auto", "autocast: auto is bf16 on CUDA, else fp32", PRECISIONS)
    checkpoint_every: int = option(200, "steps between resumable states")

    def __post_init__(self) -> None:
        """Check names and ranges."""
        self.check(
            {
                "be at least 1": ("batch_examples", "checkpoint_every"),
                "be at least 8": ("max_length", "batch_tokens"),
                "lie in [0, 1)": ("warmup",),
                "be above 0 and finite": ("passes", "learning_rate"),
            }
        )


@dataclasses.dataclass(frozen=True)
class TeachConfig(Settings):
    """Every setting of a teacher's fine-tuning.

    Raises:
        ValueError: an unknown name or a number out of its range.
    """

    task: str = option("sentiment", "task that is taught", tuple(TASKS))
    teacher: str = option(
        "sentence-transformers/all-mpnet-base-v2", "Hugging Face id or folder of any encoder"
    )
    start: str = option("", "finished stage of this teacher, whose weights alone it begins with")
    seed: int = option(0, "of batches, dropout and the fresh head")
    max_length: int = option(128, "tokens of one input")
    phrase_words: int = option(3, "least words of a phrase, in a file of trees")
    epochs: float = option(1.0, "passes over the rows")
    tokens: int = option(0, "tokens in place of passes; 0 counts passes")
    learning_rate: float = option(3e-5, "peak AdamW learning rate")
    warmup: float = option(0.06, "share of the tokens with a rising learning rate")
    weight_decay: float = option(0.01, "AdamW decay of matrices")
    clip_norm: float = option(1.0, "largest gradient norm")
    batch_examples: int = option(64, "most rows a batch")
    batch_tokens: int = option(768, "most tokens a batch, padding counted")
    freeze_word_embeddings: bool = option(True, "leave word embeddings as they are")
    precision: str = option("auto", "autocast: auto is bf16 on CUDA, else fp32", PRECISIONS)

    def __post_init__(self) -> None:
        """Check names and ranges."""
        self.check(
            {
                "be at least 0": ("tokens", "weight_decay"),
                "be at least 1": ("batch_examples", "phrase_words"),
                "be at least 8": ("max_length", "batch_tokens"),
                "lie in [0, 1)": ("warmup",),
                "be above 0 and finite": ("epochs", "learning_rate", "clip_norm"),
            }
        )
