"""One training run from data to a checkpoint: phase 1, phase 2, the final scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from minbert.checkpoint import load_encoder
from minbert.config import MultitaskConfig
from minbert.device import choose_device
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from trainer.config import SENTIMENT_DATA, MlmConfig, TrainConfig
from trainer.data.mixtures import make_streams
from trainer.data.run_data import RunData, load_data, subset
from trainer.evaluation.scores import Scores, recorded, score_all
from trainer.run.distributed import World
from trainer.run.fine_tuning import FineTuning
from trainer.run.finish import finish, scoring_predictor
from trainer.run.folder import Run
from trainer.run.heads import (
    HEADS_SEED,
    FreshEmbeddings,
    StoredEmbeddings,
    embed_examples,
    labels_of,
    pretrain_head,
)
from trainer.run.loop import fine_tune
from trainer.run.mlm import train_mlm
from trainer.run.start import load_start, start_files, tasks_trained, trained_before
from trainer.seeding import mix_seed

Report = Callable[[str], None]


def train(
    config: TrainConfig, data: Path, out: Path, *, resume: bool, device_name: str, report: Report
) -> Path:
    """Train, or continue, a run; return the folder of the finished model.

    Under torchrun every process calls this alike; the first one writes and reports.

    Raises:
        DataError: a data file is missing or unreadable.
        RunError: `out` holds another run, or another process trains in it.
        CheckpointError: the encoder can't be loaded, or the state is torn.
        ValueError: settings that several processes can't train with.
    """
    world = World.join()
    try:
        tell = report if world.main else ignore
        device = world.device(choose_device(device_name))
        check_world(config, world)
        tables = load_data(config, data, tell)
        with Run(out) as run:
            if world.main:
                run.prepare(config, {**tables.sha256, **start_files(config)}, resume=resume)
            world.wait()
            if run.result.exists():
                tell(f"{run.model} is finished already.")
                return run.model
            train_phases(config, data, tables, run, device, world, tell)
            world.wait()
            return run.model
    finally:
        world.leave()


def ignore(message: str) -> None:
    """Say nothing."""


def check_world(config: TrainConfig, world: World) -> None:
    """Refuse what several processes would get wrong.

    Raises:
        ValueError: SimCSE, whose negatives would come from one process alone; or phase 0.
    """
    if world.size > 1 and config.contrastive != "off":
        raise ValueError(
            f"`contrastive` should be 'off' with several processes. Found {config.contrastive!r} "
            f"with {world.size}; its negatives would be one process's. Train with one."
        )
    if world.size > 1 and config.mlm_passes:
        raise ValueError(
            f"`mlm_passes` should be 0 with several processes. Found {config.mlm_passes}; "
            "run `python -m trainer mlm` alone first and name its folder as the encoder."
        )


def train_phases(
    config: TrainConfig,
    data: Path,
    tables: RunData,
    run: Run,
    device: torch.device,
    world: World,
    report: Report,
) -> None:
    """Run phases 0, 1 and 2 from the last safe point on, and finish."""
    cache = run.folder.parent / "embeddings"
    encoder = config.encoder
    if config.mlm_passes:
        encoder = mlm_encoder(config, data, run, device, report)
    saved = run.load_state(cut=world.main)
    tensors, counters = saved if saved else ({}, {"phase": "heads", "heads_done": []})
    if saved:
        report(f"Continuing in {counters['phase']} at step {counters.get('step', 0):,}.")
    model = build_model(config, report, encoder).to(device)
    if counters["phase"] == "heads" and world.main:
        rehearse(scoring_predictor(model, device, config), tables)
        pretrain_heads(model, tables, config, run, tensors, counters["heads_done"], report, cache)
    world.wait()
    streams = make_streams(model, tables, config) if config.epochs else []
    tuning = FineTuning(model, streams, config, device, world)
    if counters["phase"] == "fine-tuning":
        tuning.restore(tensors, counters)
    del tensors

    def validate() -> dict[str, Scores]:  # in the first process alone
        predictor = scoring_predictor(model, device, config)  # switches dropout off
        return score_all(predictor, tables.watched, both_orders=False)

    fine_tune(tuning, run, validate, lambda: model.save_pretrained(run.best), report)
    if world.main:
        finish(run, tuning, tables, config, report)


def mlm_encoder(
    config: TrainConfig, data: Path, run: Run, device: torch.device, report: Report
) -> str:
    """Run phase 0, or find it done beside this run; return the encoder's folder."""
    settings = MlmConfig(
        encoder=config.encoder,
        seed=config.seed,
        max_length=config.max_length,
        passes=config.mlm_passes,
        precision=config.precision,
    )
    folder = run.folder.parent / f"mlm-{settings.seed}-{settings.passes:g}"
    model = train_mlm(settings, data, folder, resume=True, device_name=device.type, report=report)
    return str(model)


def build_model(
    config: TrainConfig, report: Report, start: str | Path | None = None
) -> MultitaskBert:
    """Load the encoder and put fresh heads on it, seeded; or load both, as `start_from` says.

    Args:
        config: says what is built.
        report: takes each line for the person.
        start: encoder to load in place of the one that `config` names.
    """
    if config.start_from:
        report(f"Beginning with the encoder and the heads of {config.start_from}")
        return load_start(config)
    torch.manual_seed(mix_seed(config.seed, HEADS_SEED))
    name = start or config.encoder
    encoder, tokenizer, loaded = load_encoder(
        name,
        hidden_dropout_prob=config.hidden_dropout,
        attention_probs_dropout_prob=config.attention_dropout,
    )
    if loaded.ignored:
        report(f"{name}: ignored {', '.join(loaded.ignored)}")
    if loaded.fresh_pooler:
        report(f"{name}: has no pooler; ours starts at random")
    shape = MultitaskConfig(
        encoder=encoder.config,
        pooling=config.pooling,
        similarity_head=config.similarity_head,
        cosine_scaling=config.cosine_scaling,
        similarity_score=config.similarity_score,
        max_length=config.max_length,
        paraphrase_head=config.paraphrase_head,
        sentiment_classes=SENTIMENT_DATA[config.sentiment_data],
        pal_size=config.pal_size,
        pair_token_types=encoder.config.type_vocab_size > 1,
    )
    if config.pal_size:
        encoder.add_pals(tuple(TASKS), config.pal_size)
    return MultitaskBert(shape, tokenizer, encoder)


def fresh_heads(model: MultitaskBert) -> MultitaskBert:
    """Return a model around the same encoder with heads drawn anew."""
    return MultitaskBert(model.config, model.tokenizer, model.encoder)


def rehearse(predictor: Predictor, tables: RunData) -> None:
    """Score two batches of each task, so that a broken evaluation fails in second one."""
    few = {name: rows[:8] for name, rows in tables.watched.items()}
    recorded(score_all(predictor, few, both_orders=True), "dev")


def pretrain_heads(
    model: MultitaskBert,
    tables: RunData,
    config: TrainConfig,
    run: Run,
    tensors: dict[str, torch.Tensor],
    done: list[str],
    report: Report,
    cache: Path | None = None,
) -> None:
    """Run phase 1, task by task, with a safe point after each.

    A task that has trained the model which the run begins with is left out: its head is ready.
    """
    ready = tasks_trained(trained_before(config)[0])
    model.heads.load_state_dict(
        {
            **model.heads.state_dict(),
            **{k: v for k, v in tensors.items() if k.split(".")[0] in done},
        }
    )
    device = next(model.parameters()).device
    predictor = scoring_predictor(model, device, config)
    for name, table in tables.train.items():
        task = TASKS[name]
        if name in done or name in ready or not config.head_epochs:
            continue
        rows = subset(table.examples, config.head_examples, config.seed)
        report(f"Phase 1, {name}: {len(rows):,} examples on the frozen encoder")
        model.eval()
        dev_rows = tables.watched.get(name, [])
        dev_set = embed_examples(predictor, task, dev_rows, cache)
        if config.head_encoder_dropout:
            train_set: StoredEmbeddings | FreshEmbeddings = FreshEmbeddings(
                predictor, task, rows, labels_of(rows)
            )
        else:
            train_set = embed_examples(predictor, task, rows, cache)
        model.heads.to("cpu")  # where embeddings are
        pretrain_head(model, task, train_set, dev_set, config, run.log)
        model.to(device)
        done.append(name)
        run.save_state(model.heads.state_dict(), {"phase": "heads", "heads_done": done})
