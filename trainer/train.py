"""One training run from data to a checkpoint: phase 1, phase 2, the final scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minbert.checkpoint import load_encoder, resolve_folder, weights_file
from minbert.config import MultitaskConfig
from minbert.device import choose_device
from minbert.files import write_json
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from trainer.batches import BatchStream, encode_task
from trainer.config import TrainConfig
from trainer.data import FILES, Example, Table, file_sha256, read_split
from trainer.evaluate import Scores, normalised, plain, score_all, write_trained_on
from trainer.loop import STREAM_SEED, FineTuning, fine_tune
from trainer.runs import Run, provenance
from trainer.samplers import mix_seed
from trainer.stages import HEADS_SEED, embed_examples, pretrain_head

SUBSET_SEED = 5
Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class RunData:
    """The tables of all tasks, and what is taken of them."""

    train: dict[str, Table]
    dev: dict[str, Table]
    watched: dict[str, list[Example]]  # dev examples that are scored at each epoch
    sha256: dict[str, str]  # of each file, by name


def train(
    config: TrainConfig, data: Path, out: Path, *, resume: bool, device_name: str, report: Report
) -> Path:
    """Train, or continue, a run; return the folder of the finished model.

    Raises:
        DataError: a data file is missing or unreadable.
        RunError: `out` holds another run.
        CheckpointError: the encoder can't be loaded, or the state is torn.
    """
    device = choose_device(device_name)
    tables = load_data(config, data, report)
    run = Run(out)
    run.prepare(config, tables.sha256, resume=resume)
    if run.result.exists():
        report(f"{run.model} is finished already.")
        return run.model
    saved = run.load_state()
    tensors, counters = saved if saved else ({}, {"phase": "heads", "heads_done": []})
    if saved:
        report(f"Continuing in {counters['phase']} at step {counters.get('step', 0):,}.")
    model = build_model(config, report).to(device)
    predictor = Predictor(model, device.type)
    rehearse(predictor, tables)

    if counters["phase"] == "heads":
        pretrain_heads(model, tables, config, run, tensors, counters["heads_done"], report)
    tuning = FineTuning(model, make_streams(model, tables, config), config, device)
    if counters["phase"] == "fine-tuning":
        tuning.restore(tensors, counters)
    del tensors

    def validate() -> dict[str, Scores]:
        model.eval()
        return score_all(predictor, tables.watched, both_orders=False)

    fine_tune(tuning, run, validate, lambda: model.save_pretrained(run.best))
    return finish(run, tuning, tables, config, report)


def load_data(config: TrainConfig, folder: Path, report: Report) -> RunData:
    """Read every task's train and dev file, tell broken rows, choose what is watched."""
    train = {name: read_split(folder, name, "train") for name in TASKS}
    dev = {name: read_split(folder, name, "dev") for name in TASKS}
    for table in (*train.values(), *dev.values()):
        report(table.summary())
    watched = {
        name: subset(table.examples, config.dev_examples, config.seed)
        for name, table in dev.items()
    }
    sha256 = {
        FILES[name][split]: file_sha256(folder / FILES[name][split])
        for name in TASKS
        for split in ("train", "dev")
    }
    return RunData(train, dev, watched, sha256)


def subset(examples: list[Example], size: int, seed: int) -> list[Example]:
    """Return `size` examples drawn without replacement, in file order; all of them for 0."""
    if not 0 < size < len(examples):
        return examples
    generator = torch.Generator().manual_seed(mix_seed(seed, SUBSET_SEED))
    rows = torch.randperm(len(examples), generator=generator)[:size].sort().values
    return [examples[row] for row in rows.tolist()]


def build_model(config: TrainConfig, report: Report) -> MultitaskBert:
    """Load the encoder and put fresh heads on it, seeded."""
    torch.manual_seed(mix_seed(config.seed, HEADS_SEED))
    encoder, tokenizer, loaded = load_encoder(
        config.encoder,
        hidden_dropout_prob=config.hidden_dropout,
        attention_probs_dropout_prob=config.attention_dropout,
    )
    if loaded.ignored:
        report(f"{config.encoder}: ignored {', '.join(loaded.ignored)}")
    if loaded.fresh_pooler:
        report(f"{config.encoder}: has no pooler; ours starts at random")
    shape = MultitaskConfig(
        encoder=encoder.config,
        pooling=config.pooling,
        similarity_head=config.similarity_head,
        cosine_scaling=config.cosine_scaling,
        similarity_score=config.similarity_score,
        max_length=config.max_length,
    )
    return MultitaskBert(shape, tokenizer, encoder)


def rehearse(predictor: Predictor, tables: RunData) -> None:
    """Score two batches of each task, so that a broken evaluation fails in second one."""
    few = {name: rows[:8] for name, rows in tables.watched.items()}
    plain(score_all(predictor, few, both_orders=True), "dev")


def pretrain_heads(
    model: MultitaskBert,
    tables: RunData,
    config: TrainConfig,
    run: Run,
    tensors: dict[str, torch.Tensor],
    done: list[str],
    report: Report,
) -> None:
    """Run phase 1, task by task, with a safe point after each."""
    model.heads.load_state_dict(
        {
            **model.heads.state_dict(),
            **{k: v for k, v in tensors.items() if k.split(".")[0] in done},
        }
    )
    device = next(model.parameters()).device
    for task in TASKS.values():
        if task.name in done or not config.head_epochs:
            continue
        rows = subset(tables.train[task.name].examples, config.head_examples, config.seed)
        report(f"Phase 1, {task.name}: {len(rows):,} examples on the frozen encoder")
        predictor = Predictor(model, device.type)
        train_set = embed_examples(predictor, task, rows)
        dev_set = embed_examples(predictor, task, tables.watched[task.name])
        model.heads.to("cpu")
        pretrain_head(model, task, train_set, dev_set, config, run.log)
        model.heads.to(device)
        done.append(task.name)
        run.save_state(model.heads.state_dict(), {"phase": "heads", "heads_done": done})


def make_streams(model: MultitaskBert, tables: RunData, config: TrainConfig) -> list[BatchStream]:
    """Tokenize every task's training examples and stream them."""
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise ValueError("`model.tokenizer` should be set. Found None.")
    streams = []
    for index, task in enumerate(TASKS.values()):
        siamese = task.name == "similarity" and config.siamese_weight > 0
        examples = tables.train[task.name].examples
        encoded = encode_task(task, examples, tokenizer, model.config, siamese=siamese)
        streams.append(
            BatchStream(
                encoded,
                mix_seed(config.seed, STREAM_SEED, index),
                examples=config.batch_examples,
                tokens=config.batch_tokens,
                pad_id=tokenizer.pad_id,
            )
        )
    return streams


def finish(
    run: Run, tuning: FineTuning, tables: RunData, config: TrainConfig, report: Report
) -> Path:
    """Write the best model as float16, score it as it will be loaded, write the result.

    Scored on the whole dev files, as the report's numbers were: the course's own STS split shares
    16 pairs between train and dev. The command `evaluate` leaves such pairs out.
    """
    best = MultitaskBert.from_pretrained(run.best)
    best.save_pretrained(run.model, dtype=torch.float16)
    train_examples = {name: table.examples for name, table in tables.train.items()}
    train_files = {FILES[name]["train"]: tables.sha256[FILES[name]["train"]] for name in TASKS}
    write_trained_on(run.model, train_files, train_examples)
    report("Scoring the finished model on the whole dev files, both orders of every pair")
    predictor = Predictor.from_pretrained(run.model, tuning.device.type)
    dev = {name: table.examples for name, table in tables.dev.items()}
    scores = score_all(predictor, dev, both_orders=True)
    result: dict[str, Any] = {
        "recipe": config.name,
        "seed": config.seed,
        "minutes": round(run.seconds / 60, 1),
        "tokens": tuning.tokens,
        "best": tuning.best,
        "normalised": normalised(scores),
        "metrics": plain(scores, "dev"),
        **provenance(tuning.device),
        "config": config.to_dict(),
        "files": tables.sha256,
        "encoder_sha256": file_sha256(weights_file(resolve_folder(config.encoder))),
    }
    write_json(run.result, result)
    for task, found in scores.items():
        report(f"{task}: " + ", ".join(f"{name} {metric}" for name, metric in found.items()))
    return run.model
