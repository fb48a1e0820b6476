"""A teacher as a model: any encoder of transformers under a fresh or trained classification head.

A classifier of five outputs for sentiment, a cross-encoder of one output for pairs. Paraphrase's is
a logit. Similarity's stands for 0..1 inside the model, where a fresh head begins near the targets;
outside it is times 5, on the task's own scale.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from minbert.checkpoint import resolve_folder
from minbert.files import CheckpointError, read_json, write_json
from minbert.storage.weights import check_finite, listed, weights_files
from minbert.tables import Example
from minbert.tasks import TASKS, Task
from minbert.text import Batch, Encoded, length_batches, normalise, pad
from trainer.data.course import sha256_of
from trainer.evaluation.scores import Answers
from trainer.techniques.precision import autocast

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TEACHER_FILE = "teacher.json"
ROWS_AT_ONCE, TOKENS_AT_ONCE = 256, 8192  # of a batch that is only read


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A model of transformers with its tokenizer, for one task."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    task: Task
    max_length: int

    @property
    def pad_id(self) -> int:
        """Return the id under padding."""
        found = self.tokenizer.pad_token_id
        assert isinstance(found, int)  # `load` refuses a tokenizer without
        return found

    @property
    def scale(self) -> float:
        """Return what an output of the model is multiplied by to be on the task's scale."""
        return self.task.highest if self.task.kind == "score" else 1.0

    def encode(self, examples: Sequence[Example]) -> list[Encoded]:
        """Tokenize rows, each cut to `max_length` tokens, the longer sentence of a pair first."""
        if not examples:
            return []
        places = range(2 if self.task.pair else 1)
        sides = [[normalise(row.texts[place]) for row in examples] for place in places]
        found = self.tokenizer(*sides, truncation=True, max_length=self.max_length)
        ids: list[list[int]] = found["input_ids"]
        types = found.get("token_type_ids") or [[0] * len(row) for row in ids]
        return [Encoded(row, kinds) for row, kinds in zip(ids, types, strict=True)]

    def forward(self, batch: Batch) -> Tensor:
        """Return the outputs of a padded batch: logits (B, 5), logits (B,) or scores 0-5 (B,)."""
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if "token_type_ids" in self.tokenizer.model_input_names:
            inputs["token_type_ids"] = batch.token_type_ids
        logits: Tensor = self.model(**inputs).logits.float()
        return self.scale * (logits if self.task.classes > 1 else logits.squeeze(-1))

    def outputs(
        self, examples: Sequence[Example], *, precision: str = "fp32", tokens: int = TOKENS_AT_ONCE
    ) -> Tensor:
        """Return what the teacher says of rows, in their order: (N, 5) or (N,), float32.

        Args:
            examples: whose labels are not looked at.
            precision: of the computation.
            tokens: most tokens a batch, padding counted; rows of similar length stand together.

        Raises:
            CheckpointError: an output isn't finite.
        """
        device = self.model.device
        inputs = self.encode(examples)
        shape = (len(inputs), self.task.classes) if self.task.classes > 1 else (len(inputs),)
        found = torch.empty(shape)
        was_training = self.model.training
        self.model.train(mode=False)
        with torch.inference_mode(), autocast(precision, device):
            for rows in length_batches(inputs, ROWS_AT_ONCE, tokens):
                batch = pad([inputs[row] for row in rows], self.pad_id)
                found[rows] = self.forward(batch.to(device)).cpu()
        self.model.train(was_training)
        if not found.isfinite().all():
            raise CheckpointError(
                "The teacher's outputs should be finite numbers. Found NaN or infinity; teach it "
                "again with a lower --learning-rate, or label with --precision fp32."
            )
        return found

    def answers(self, outputs: Tensor) -> Answers:
        """Return outputs as the answers that scores are worked out from."""
        if self.task.name == "sentiment":
            return {"class": outputs.argmax(dim=-1).numpy()}
        if self.task.name == "paraphrase":
            return {"duplicate": (outputs > 0).numpy()}
        return {"headline": outputs.numpy()}

    def save(self, folder: Path, told: dict[str, Any]) -> None:
        """Write weights, config and tokenizer into a folder, and last what is told of them.

        What is there is whole or, without teacher.json, not finished.
        """
        partial = folder / "model.partial"
        shutil.rmtree(partial, ignore_errors=True)
        self.model.save_pretrained(partial)
        self.tokenizer.save_pretrained(partial)
        for path in sorted(partial.iterdir()):
            path.replace(folder / path.name)
        partial.rmdir()
        weights = sha256_of(weights_files(folder))
        write_json(folder / TEACHER_FILE, {"version": 1, **told, "weights_sha256": weights})


def load(name: str | Path, task: Task, max_length: int) -> Teacher:
    """Load any encoder of transformers for a task, with a fresh head where it has none that fits.

    Args:
        name: a folder or a Hugging Face id.
        task: decides the head's outputs.
        max_length: tokens of one input.

    Raises:
        CheckpointError: no such model, one that transformers can't load, or whose weights are not
            finite, or a tokenizer that can't pad.
        ValueError: more tokens than it can read.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = resolve_folder(name)
    names = dict(enumerate(task.labels)) if task.classes > 1 else {0: task.target}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=task.classes,
            id2label=names,
            label2id={label: number for number, label in names.items()},
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # another task's head, which is drawn anew
            output_loading_info=True,
        )
    except Exception as error:  # damaged folders fail in any way there is
        raise CheckpointError(
            f"{name} should be an encoder that transformers loads for classification, with its "
            f"tokenizer. It can't: {type(error).__name__}: {error!s:.300}"
        ) from error
    encoder = f"{model.base_model_prefix}."
    absent = [key for key in loaded["missing_keys"] if key.startswith(encoder)]
    if absent := [key for key in absent if ".pooler." not in key]:
        raise CheckpointError(
            f"{name} should hold every weight of its encoder. Found none for {listed(absent)}; "
            "copy or download it again."
        )
    if tokenizer.pad_token_id is None:
        raise CheckpointError(
            f"The tokenizer in {name} should have a padding token. Found none; take an encoder, "
            "such as sentence-transformers/all-mpnet-base-v2."
        )
    check_finite(model.state_dict(), folder)
    most = most_tokens(model, tokenizer)
    if max_length > most:
        raise ValueError(
            f"`max_length` should be at most the {most} tokens that {name} reads. "
            f"Found {max_length}."
        )
    return Teacher(model, tokenizer, task, max_length)


def most_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the longest input that a model reads, special tokens included."""
    longest: int = tokenizer.model_max_length
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            padding = module.padding_idx  # where there is one, positions begin after it
            longest = min(longest, module.num_embeddings - (0 if padding is None else padding + 1))
    return longest


def load_taught(folder: Path) -> tuple[Teacher, dict[str, Any]]:
    """Load a finished teacher and what teacher.json tells of it.

    Raises:
        CheckpointError: it isn't finished, or its weights are other than the file says.
    """
    if not (folder / TEACHER_FILE).is_file():
        raise CheckpointError(
            f"{folder} should be the folder of a finished teacher. Found no {TEACHER_FILE}; "
            "`python -m trainer teach` makes one, --resume continues it."
        )
    told = read_json(folder / TEACHER_FILE)
    found = sha256_of(weights_files(folder))
    if found != told["weights_sha256"]:
        raise CheckpointError(
            f"The weights in {folder} should have the SHA-256 {told['weights_sha256'][:12]}... of "
            f"{TEACHER_FILE}. Found {found[:12]}...; copy the folder again, or teach it anew."
        )
    return load(folder, TASKS[told["task"]], told["config"]["max_length"]), told


def word_embeddings(model: PreTrainedModel) -> torch.nn.Parameter:
    """Return a model's word embeddings (V, D), wherever it has them.

    Raises:
        CheckpointError: it has none.
    """
    with contextlib.suppress(NotImplementedError, AttributeError):
        weight = model.get_input_embeddings().weight
        if isinstance(weight, torch.nn.Parameter):
            return weight
    raise CheckpointError(
        f"`freeze_word_embeddings` needs a model with word embeddings. Found none in "
        f"{type(model).__name__}; say --freeze-word-embeddings no."
    )
