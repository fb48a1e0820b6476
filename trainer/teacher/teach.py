"""Fine-tuning a teacher: one task, batches by tokens, a warm-up and a linear decay to zero.

The folder is a run's (`trainer.run.folder`) until it is finished: settings, metrics, one resumable
state. Then it is a model that transformers loads, with teacher.json beside it. Random numbers are
functions of (seed, step), so that a run that was killed and resumed ends bit for bit like an
unbroken one on the same CPU and number of threads.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minbert import metrics
from minbert.checkpoint import resolve_folder
from minbert.device import choose_device
from minbert.files import CheckpointError, read_json
from minbert.storage.weights import weights_files
from minbert.tables import Example, Table
from minbert.tasks import TASKS, Task
from minbert.text import Batch
from trainer.config import TeachConfig
from trainer.data.batches import BatchStream, EncodedTask
from trainer.data.course import sha256_of
from trainer.data.task_rows import read_rows
from trainer.evaluation.leaks import leak_checks
from trainer.evaluation.scores import Answers, Scores, main_score
from trainer.provenance import provenance
from trainer.run.divergence import check_gradients, check_losses
from trainer.run.folder import Run
from trainer.run.optimizer import optimizer_state, restore_optimizer
from trainer.seeding import mix_seed
from trainer.teacher.model import TEACHER_FILE, Teacher, load, word_embeddings
from trainer.teacher.rows import hashes_of_files, read_training
from trainer.techniques.losses import LOSSES
from trainer.techniques.precision import autocast

HEAD_SEED, STREAM_SEED, DROPOUT_SEED = 31, 32, 33
LOGGED_STEPS = 50
Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one call of the command takes; not a part of the run's settings."""

    minutes: float = math.inf  # then it stops at a safe point
    save_minutes: float = 10.0  # between two safe points


def teach(
    config: TeachConfig,
    train: Sequence[Path],
    dev: Path,
    out: Path,
    *,
    resume: bool,
    limits: Limits,
    device_name: str,
    report: Report,
) -> bool:
    """Fine-tune, or continue, a teacher in `out`; say whether it is finished.

    Raises:
        DataError: a data file is missing or unreadable.
        RunError: `out` holds another run, or another process trains in it.
        CheckpointError: the teacher can't be loaded, or the state is torn.
        DivergedError: a loss or a gradient isn't finite.
    """
    task, device = TASKS[config.task], choose_device(device_name)
    files = hashes_of_files([*train, dev])
    begun_with = weights_of(config)
    with Run(out) as run:
        run.prepare(config, {**files, **begun_with}, resume=resume)
        if (out / TEACHER_FILE).is_file():
            report(f"The teacher in {out} is finished already.")
            return True
        dev_table = read_rows(dev, task, labelled=True)
        rows, counts = read_training(train, task, dev_table, config.phrase_words, report)
        torch.manual_seed(mix_seed(config.seed, HEAD_SEED))
        teacher = load(config.start or config.teacher, task, config.max_length)
        teacher.model.to(device)  # type: ignore[arg-type]  # transformers wraps it untyped
        teaching = Teaching(config, teacher, rows)
        if saved := run.load_state():
            teaching.restore(*saved)
            report(f"Continuing at step {teaching.step:,}.")
        else:
            dev_scores(task, teacher.answers(teacher.outputs(dev_table.examples[:8])), dev_table, 8)
        if not train_on(teaching, run, limits, report):
            return False
        more = {"files": files, "rows": counts, **begun_with}
        finish(teaching, run, rows, dev_table, more, report)
        return True


def weights_of(config: TeachConfig) -> dict[str, str]:
    """Return the SHA-256 of the weights of the teacher's base, and of the stage it begins with.

    Raises:
        CheckpointError: no such teacher, or a stage that isn't one of this teacher and task.
    """
    found = {"base_sha256": sha256_of(weights_files(resolve_folder(config.teacher)))}
    if not config.start:
        return found
    stage = Path(config.start)
    if not (stage / TEACHER_FILE).is_file():
        raise CheckpointError(
            f"`start` should be the folder of a finished stage. Found no {TEACHER_FILE} in {stage}."
        )
    told = read_json(stage / TEACHER_FILE)
    if (told["task"], told["base_sha256"]) != (config.task, found["base_sha256"]):
        raise CheckpointError(
            f"`start` should be a stage of {config.task} of {config.teacher}. Found "
            f"{told['task']} of {told['teacher']} in {stage}; name the folder with --teacher to "
            "begin with another task's encoder."
        )
    return {**found, "start_sha256": sha256_of(weights_files(stage))}


class Teaching:
    """Model, optimizer, stream and counters, savable and restorable."""

    def __init__(self, config: TeachConfig, teacher: Teacher, rows: Sequence[Example]) -> None:
        """Set up step 0."""
        self.config, self.teacher = config, teacher
        self.step = self.tokens = 0
        inputs = teacher.encode(rows)
        labels = torch.tensor([math.nan if row.label is None else row.label for row in rows])
        self.stream = BatchStream(
            EncodedTask(teacher.task, inputs, [], labels),
            mix_seed(config.seed, STREAM_SEED),
            examples=config.batch_examples,
            tokens=config.batch_tokens,
            pad_id=teacher.pad_id,
        )
        a_pass = sum(map(len, inputs))
        self.total = config.tokens or max(1, round(config.epochs * a_pass))
        if config.freeze_word_embeddings:
            word_embeddings(teacher.model).requires_grad_(False)
        self.trained = {n: p for n, p in teacher.model.named_parameters() if p.requires_grad}
        wide = [p for p in self.trained.values() if p.dim() > 1]
        narrow = [p for p in self.trained.values() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": wide, "weight_decay": config.weight_decay},
                {"params": narrow, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            fused=True,
        )

    @property
    def finished(self) -> bool:
        """Say whether all tokens are seen."""
        return self.tokens >= self.total

    def train_step(self) -> float:
        """Train one batch; return its loss.

        Raises:
            DivergedError: the loss or a gradient isn't finite; the weights are as before the step.
        """
        config, device = self.config, self.teacher.model.device
        batch = self.stream.next().to(device)
        torch.manual_seed(mix_seed(config.seed, DROPOUT_SEED, self.step))
        self.teacher.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(config.precision, device):
            loss = self.loss(batch.inputs, batch.labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        where, rate = f"step {self.step + 1:,}", f"`learning_rate` {config.learning_rate:g}"
        found = loss.item()
        check_losses({"loss": found}, self.trained, where, rate)
        gradients = [p for p in self.trained.values() if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(gradients, config.clip_norm)
        check_gradients(norm, self.trained, where, rate)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_of(batch.tokens)
        self.optimizer.step()
        self.step += 1
        self.tokens += batch.tokens
        return found

    def loss(self, inputs: Batch, labels: Tensor) -> Tensor:
        """Return the task's loss; similarity's on 0..1, where the model's own outputs lie."""
        value = LOSSES[self.teacher.task.name](self.teacher.forward(inputs), labels)
        return value / self.teacher.scale**2

    def rate_of(self, tokens: int) -> float:
        """Return the learning rate of a step of so many tokens: a linear rise, a fall to zero."""
        warmup = self.config.warmup * self.total
        rise = (self.tokens + tokens) / warmup if warmup else 1.0
        fall = (self.total - self.tokens) / (self.total - warmup)
        return self.config.learning_rate * min(1.0, rise, fall)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and counters of this safe point; frozen weights are the teacher's own."""
        frozen = {n for n, p in self.teacher.model.named_parameters() if not p.requires_grad}
        weights = self.teacher.model.state_dict()
        tensors = {f"model.{name}": t for name, t in weights.items() if name not in frozen}
        tensors |= optimizer_state(self.optimizer, self.trained)
        return tensors, {"step": self.step, "tokens": self.tokens, "stream": self.stream.state()}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        for name, value in self.teacher.model.state_dict().items():
            if f"model.{name}" in tensors:
                value.copy_(tensors[f"model.{name}"])
        restore_optimizer(self.optimizer, self.trained, tensors)
        self.step, self.tokens = counters["step"], counters["tokens"]
        self.stream.restore(counters["stream"])


def train_on(teaching: Teaching, run: Run, limits: Limits, report: Report) -> bool:
    """Train to the last token, or as long as this call may; say whether it is done.

    A safe point is left every few minutes, and at the end.
    """
    started = saved = time.monotonic()
    losses: list[float] = []
    before = teaching.tokens
    while not teaching.finished:
        losses.append(teaching.train_step())
        now = time.monotonic()
        spent = (now - started) / 60
        if teaching.step % LOGGED_STEPS == 0 or teaching.finished:
            loss = sum(losses) / len(losses)
            run.log(phase="teaching", step=teaching.step, tokens=teaching.tokens, loss=loss)
            report(
                f"step {teaching.step:,}, {teaching.tokens:,} of {teaching.total:,} tokens, "
                f"{(teaching.tokens - before) / (now - started):,.0f} a second: loss {loss:.4f}"
            )
            losses = []
        over = spent >= limits.minutes and not teaching.finished
        if over or teaching.finished or (now - saved) / 60 >= limits.save_minutes:
            run.save_state(*teaching.state())
            saved = time.monotonic()
        if over:
            report(f"Stopped after {spent:.1f} minutes; --resume continues.")
            return False
    return True


def finish(
    teaching: Teaching,
    run: Run,
    rows: Sequence[Example],
    dev: Table,
    more: dict[str, Any],
    report: Report,
) -> None:
    """Score the whole dev file, write the model and teacher.json, remove the state."""
    config, teacher = teaching.config, teaching.teacher
    minutes = run.seconds / 60
    report(f"Scoring the {len(dev.examples):,} rows of {dev.path.name}")
    answers = teacher.answers(teacher.outputs(dev.examples, precision=config.precision))
    scores = dev_scores(teacher.task, answers, dev)
    name = teacher.task.name
    told = {
        "task": name,
        "teacher": Path(config.teacher).name,
        **more,
        "seed": config.seed,
        "steps": teaching.step,
        "tokens": teaching.tokens,
        "minutes": round(minutes, 1),
        "minutes_scoring": round(run.seconds / 60 - minutes, 1),
        "dev": {kind: dataclasses.asdict(found) for kind, found in scores.items()},
        "leaks": leak_checks({name: rows}, {name: dev}, {name: answers})[name].model_dump(),
        **provenance(teacher.model.device),
        "config": config.to_dict(),
    }
    teacher.save(run.folder, told)
    run.prune()
    report(", ".join(f"{kind} {found}" for kind, found in scores.items()))


def dev_scores(task: Task, answers: Answers, dev: Table, first: int | None = None) -> Scores:
    """Score answers to the first dev rows by the task's main metric and the one beside it."""
    rows = dev.examples[:first]
    labels = [math.nan if row.label is None else row.label for row in rows]
    scores = {task.metric: main_score(task, answers, rows)}
    if task.name == "sentiment":
        return {**scores, "within_one": metrics.within_one(answers["class"], labels)}
    if task.name == "paraphrase":
        return {**scores, "f1": metrics.f1(answers["duplicate"], [label == 1 for label in labels])}
    return {**scores, "spearman": metrics.spearman(answers["headline"], labels)}
