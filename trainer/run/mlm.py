"""Masked-language-model training of an encoder on the tasks' own training sentences.

Paper: Devlin et al. 2019, "BERT", section 3.1 (task 1) and appendix A.1: 15 % of the word pieces
are chosen; of these 80 % become [MASK], 10 % a random piece, 10 % stay. Differs from the paper:
sentences alone, no next-sentence task; the word embeddings, to which the decoder is tied, may be
left as they are.

It favours no pooling, which makes it the control for an encoder that was trained with one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minbert.bert import BertModel
from minbert.checkpoint import export_encoder, load_encoder
from minbert.device import choose_device
from minbert.files import write_json
from minbert.tasks import SENTIMENT, TASKS
from minbert.text import Batch, Tokenizer, normalise
from trainer.config import MlmConfig
from trainer.data.batches import BatchStream, EncodedTask
from trainer.data.course import FILES, SPLITS, file_sha256, read_split
from trainer.provenance import provenance
from trainer.run.divergence import check_gradients, check_losses
from trainer.run.folder import Run
from trainer.run.optimizer import optimizer_state, restore_optimizer
from trainer.seeding import mix_seed
from trainer.techniques.precision import autocast

CHOSEN, MASKED, RANDOM = 0.15, 0.8, 0.1
NOT_A_TARGET = -100  # what F.cross_entropy leaves out
MASK_SEED, STREAM_SEED, HEAD_SEED = 11, 12, 13
Report = Callable[[str], None]


class MlmHead(nn.Module):
    """Transform and tied decoder: hidden states (N, D) to logits over the vocabulary (N, V)."""

    def __init__(self, encoder: BertModel) -> None:
        """Create a fresh transform and bias for the encoder's word embeddings."""
        super().__init__()
        width = encoder.config.hidden_size
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=encoder.config.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))
        nn.init.normal_(self.dense.weight, std=encoder.config.initializer_range)
        nn.init.zeros_(self.dense.bias)

    def forward(self, hidden: Tensor, words: Tensor) -> Tensor:
        """Score hidden states (N, D) against word embeddings (V, D): logits (N, V)."""
        transformed = self.norm(F.gelu(self.dense(hidden)))
        return F.linear(transformed, words, self.bias)


def mask_tokens(
    batch: Batch, tokenizer: Tokenizer, mask_id: int, generator: torch.Generator
) -> tuple[Batch, Tensor]:
    """Choose and hide word pieces of a batch (B, T).

    Returns:
        the batch with hidden pieces, and targets (B, T): the piece where one was chosen, -100
        elsewhere. [CLS], [SEP] and padding are never chosen.
    """
    ids = batch.input_ids
    special = (ids == tokenizer.cls_id) | (ids == tokenizer.sep_id) | (batch.attention_mask == 0)
    chosen = (torch.rand(ids.shape, generator=generator) < CHOSEN) & ~special
    fate = torch.rand(ids.shape, generator=generator)
    words = torch.randint(len(tokenizer), ids.shape, generator=generator)
    hidden = torch.where(chosen & (fate < MASKED), torch.full_like(ids, mask_id), ids)
    hidden = torch.where(chosen & (fate >= MASKED) & (fate < MASKED + RANDOM), words, hidden)
    targets = torch.where(chosen, ids, torch.full_like(ids, NOT_A_TARGET))
    return dataclasses.replace(batch, input_ids=hidden), targets


def mlm_loss(encoder: BertModel, head: MlmHead, batch: Batch, targets: Tensor) -> Tensor:
    """Return the mean cross entropy of the chosen pieces; 0 where none was chosen."""
    hidden = encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids).hidden
    chosen = targets != NOT_A_TARGET
    logits = head(hidden[chosen], encoder.embeddings.word.weight)
    return F.cross_entropy(logits.float(), targets[chosen], reduction="sum") / max(
        int(chosen.sum()), 1
    )


def training_sentences(data: Path) -> tuple[list[str], int]:
    """Return the distinct training sentences of all tasks, and how many were left out.

    Left out is each that equals a dev or test sentence: a model must not read those.
    """
    texts: dict[str, None] = {}
    held_out: set[str] = set()
    for name in TASKS:
        for split in SPLITS:
            path = data / FILES[name][split]
            if split == "test" and not path.exists():
                continue  # download brings it, but nothing here needs it
            for row in read_split(data, name, split).examples:
                for text in row.texts:
                    key = normalise(text)
                    if split == "train":
                        texts.setdefault(key)
                    else:
                        held_out.add(key.casefold())
    kept = [text for text in texts if text.casefold() not in held_out]
    return kept, len(texts) - len(kept)


def sentence_stream(
    sentences: Sequence[str], tokenizer: Tokenizer, config: MlmConfig
) -> BatchStream:
    """Tokenize sentences and stream them in batches of similar length."""
    inputs = [tokenizer.single(p, config.max_length) for p in tokenizer.pieces(sentences)]
    return BatchStream(
        EncodedTask(SENTIMENT, inputs, [], torch.zeros(len(inputs))),
        mix_seed(config.seed, STREAM_SEED),
        examples=config.batch_examples,
        tokens=config.batch_tokens,
        pad_id=tokenizer.pad_id,
    )


def train_mlm(
    config: MlmConfig, data: Path, out: Path, *, resume: bool, device_name: str, report: Report
) -> Path:
    """Train, or continue, a run; return the folder of the encoder in Hugging Face's format.

    Raises:
        DataError: a data file is missing or unreadable.
        RunError: `out` holds another run, or another process trains in it.
        CheckpointError: the encoder can't be loaded.
    """
    device = choose_device(device_name)
    names = [FILES[name][split] for name in TASKS for split in ("train", "dev")]
    with Run(out) as run:
        run.prepare(config, {name: file_sha256(data / name) for name in names}, resume=resume)
        if run.result.exists():
            report(f"{run.model} is finished already.")
        else:
            train_in(run, config, data, device, report)
        return run.model


def train_in(run: Run, config: MlmConfig, data: Path, device: torch.device, report: Report) -> None:
    """Train in a prepared run's folder, from its last safe point on, and export the encoder."""
    sentences, left_out = training_sentences(data)
    report(f"{len(sentences):,} sentences; {left_out:,} left out that are dev or test sentences")
    torch.manual_seed(mix_seed(config.seed, HEAD_SEED))
    encoder, tokenizer, _ = load_encoder(config.encoder)
    encoder, head = encoder.to(device), MlmHead(encoder).to(device)
    stream = sentence_stream(sentences, tokenizer, config)
    steps = max(1, round(config.passes * stream.batches_per_pass))
    tuning = MlmTuning(config, encoder, head, tokenizer, steps)
    saved = run.load_state()
    if saved:
        tuning.restore(*saved)
        stream.restore(saved[1]["stream"])
        report(f"Continuing at step {tuning.step:,} of {steps:,}.")
    losses: list[float] = []
    while tuning.step < steps:
        losses.append(tuning.train_step(stream.next().inputs, device))
        if tuning.step % config.checkpoint_every == 0 or tuning.step == steps:
            mean = sum(losses) / len(losses)
            run.log(phase="mlm", step=tuning.step, tokens=tuning.tokens, loss=mean)
            report(f"step {tuning.step:,} of {steps:,}, {tuning.tokens:,} tokens: loss {mean:.3f}")
            tensors, counters = tuning.state()
            run.save_state(tensors, {"phase": "mlm", "stream": stream.state(), **counters})
            losses = []
    export_encoder(encoder, tokenizer, run.model)
    result = {
        "objective": "masked language model",
        "minutes": round(run.seconds / 60, 1),
        "tokens": tuning.tokens,
        "sentences": len(sentences),
        **provenance(device),
        "config": config.to_dict(),
    }
    write_json(run.result, result)


class MlmTuning:
    """Encoder, head, optimizer and counters, savable and restorable."""

    def __init__(
        self, config: MlmConfig, encoder: BertModel, head: MlmHead, tokenizer: Tokenizer, steps: int
    ) -> None:
        """Set up step 0 of `steps`."""
        self.config, self.encoder, self.head, self.steps = config, encoder, head, steps
        self.tokenizer = tokenizer
        self.mask_id = tokenizer.mask_id
        self.step = self.tokens = 0
        encoder.embeddings.word.weight.requires_grad_(not config.freeze_word_embeddings)
        self.modules = nn.ModuleDict({"encoder": encoder, "head": head})
        self.trained = {n: p for n, p in self.modules.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.trained.values(), lr=config.learning_rate, fused=True
        )

    def train_step(self, batch: Batch, device: torch.device) -> float:
        """Train one batch; return its loss. Random numbers are a function of (seed, step).

        Raises:
            DivergedError: the loss or a gradient isn't finite.
        """
        generator = torch.Generator().manual_seed(mix_seed(self.config.seed, MASK_SEED, self.step))
        hidden, targets = mask_tokens(batch, self.tokenizer, self.mask_id, generator)
        torch.manual_seed(mix_seed(self.config.seed, MASK_SEED, self.step))
        self.modules.train()
        with autocast(self.config.precision, device):
            loss = mlm_loss(self.encoder, self.head, hidden.to(device), targets.to(device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        where, rate = f"step {self.step + 1:,}", f"`learning_rate` {self.config.learning_rate:g}"
        found = loss.item()
        check_losses({"loss": found}, self.trained, where, rate)
        norm = torch.nn.utils.clip_grad_norm_(self.trained.values(), 1.0)
        check_gradients(norm, self.trained, where, rate)
        warmup = max(1, round(self.config.warmup * self.steps))
        rise = (self.step + 1) / warmup
        fall = (self.steps - self.step) / max(1, self.steps - warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * min(rise, fall)
        self.optimizer.step()
        self.step += 1
        self.tokens += batch.tokens
        return found

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and counters of this safe point."""
        tensors = {f"model.{name}": t for name, t in self.modules.state_dict().items()}
        tensors |= optimizer_state(self.optimizer, self.trained)
        return tensors, {"step": self.step, "tokens": self.tokens}

    def restore(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        with torch.no_grad():
            for name, value in self.modules.state_dict().items():
                value.copy_(tensors[f"model.{name}"])
        restore_optimizer(self.optimizer, self.trained, tensors)
        self.step, self.tokens = counters["step"], counters["tokens"]
