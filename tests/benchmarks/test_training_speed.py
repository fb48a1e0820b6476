"""Training against transformers' Trainer: tokens a second of both, step by step in turn.

Both fine-tune the shipped encoder on the same pairs of random word pieces, as long as Quora's, in
batches of as many tokens, padded to the longest and grouped by length, word embeddings frozen.
Whole with MINBERT_HEAVY=1 (`make test-heavy`); needs accelerate, which Trainer asks for. Alone:

    MINBERT_HEAVY=1 python -m pytest -s -m heavy tests/benchmarks/test_training_speed.py
"""

from __future__ import annotations

import dataclasses
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from minbert.checkpoint import export_encoder
from minbert.multitask import MultitaskBert
from minbert.tasks import PARAPHRASE
from minbert.text import Encoded, Tokenizer
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, EncodedTask
from trainer.recipes import RECIPES
from trainer.run.fine_tuning import FineTuning
from trainer.run.peak import Pace
from trainer.run.train import build_model

MODEL = Path(__file__).resolve().parents[2] / "assets" / "models" / "mean"
WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
WHOLE_STEPS, WHOLE_PAIRS = 47, 6000  # Trainer sorts 45 batches, the longest first
STEPS = WHOLE_STEPS if WHOLE else 3
PAIRS = 400
LEAST = 1.0  # times Trainer's tokens a second; the mark is 1.2, the lab book has what was measured
CPU = torch.device("cpu")


def pairs_of_quora_s_length(tokenizer: Tokenizer, count: int) -> EncodedTask:
    """Draw joint pairs of random word pieces: 30 tokens in the mean, a tail of long ones."""
    draw = random.Random(0)

    def question() -> list[int]:
        length = min(60, max(4, round(draw.lognormvariate(2.52, 0.4))))
        return [draw.randrange(1000, len(tokenizer)) for _ in range(length)]

    inputs = [tokenizer.joint(question(), question(), 128, token_types=True) for _ in range(count)]
    return EncodedTask(PARAPHRASE, inputs, [], torch.tensor([draw.random() < 0.4 for _ in inputs]))


class Pairs(torch.utils.data.Dataset[dict[str, Any]]):
    """The same pairs as Trainer takes them."""

    def __init__(self, data: EncodedTask) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, row: int) -> dict[str, Any]:
        item: Encoded = self.data.inputs[row]
        return {
            "input_ids": item.ids,
            "token_type_ids": item.token_types,
            "attention_mask": [1] * len(item),
            "labels": int(self.data.labels[row]),
        }


class Beside(transformers.TrainerCallback):
    """Times each step of Trainer, from the end of ours, and then one of ours."""

    def __init__(self, ours: FineTuning) -> None:
        self.ours = ours
        self.read: list[int] = []  # tokens of Trainer's batches
        self.theirs_rates, self.our_rates = list[float](), list[float]()
        self.started = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002 - its signature
        theirs, before, started = time.perf_counter(), self.ours.tokens, self.started
        self.ours.train_step()
        self.started = time.perf_counter()
        if state.global_step > 1:  # the first step of both is slower
            self.theirs_rates.append(self.read[state.global_step - 1] / (theirs - started))
            self.our_rates.append((self.ours.tokens - before) / (self.started - theirs))


def trainer_of(
    folder: Path, data: EncodedTask, rows: int, beside: Beside, config: TrainConfig, steps: int
) -> transformers.Trainer:
    """Set up transformers' Trainer around the encoder in `folder`."""
    model = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=2)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    pad = transformers.DataCollatorWithPadding(transformers.AutoTokenizer.from_pretrained(folder))

    def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
        batch = pad(items)
        beside.read.append(int(batch["attention_mask"].sum()))
        return batch

    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=rows,
        train_sampling_strategy="group_by_length",
        max_steps=steps,
        learning_rate=config.learning_rate,
        bf16=config.precision == "bf16",
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    return transformers.Trainer(
        model, arguments, train_dataset=Pairs(data), data_collator=collate, callbacks=[beside]
    )


def side_by_side(folder: Path, precision: str, steps: int) -> tuple[Beside, MultitaskBert]:
    """Train both for some steps, in turn; return their rates, and our model."""
    settings = {"start_from": str(MODEL), "precision": precision, "tasks": "paraphrase"}
    config = dataclasses.replace(RECIPES["mean"], **settings)
    model = build_model(config, lambda _: None)
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, folder)
    data = pairs_of_quora_s_length(model.tokenizer, WHOLE_PAIRS if steps == WHOLE_STEPS else PAIRS)
    stream = BatchStream(data, 0, examples=config.batch_examples, tokens=config.batch_tokens)
    rows = round(len(data) / stream.batches_per_pass)
    beside = Beside(FineTuning(model, [stream], config, CPU))
    trainer_of(folder, data, rows, beside, config, steps).train()
    return beside, model


@pytest.mark.heavy
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_is_no_slower_than_transformers_trainer(tmp_path: Path, precision: str) -> None:
    pytest.importorskip("accelerate")
    if precision == "bf16" and not torch.cpu._is_avx512_bf16_supported():
        pytest.skip("this processor has no bf16")
    beside, model = side_by_side(tmp_path, precision, STEPS)
    ours, theirs = (statistics.median(rates) for rates in (beside.our_rates, beside.theirs_rates))
    pace = Pace(model.encoder, precision, CPU)
    pace.add(round(ours), 1.0)
    print(  # noqa: T201 - what it is run for
        f"\n{precision}, medians of {len(beside.our_rates)} steps: ours {pace.told}, Trainer "
        f"{theirs:,.0f} tokens/s; {ours / theirs:.2f} times. {pace.told_peak}"
    )
    assert len(beside.our_rates) == STEPS - 1
    assert not WHOLE or ours > LEAST * theirs
