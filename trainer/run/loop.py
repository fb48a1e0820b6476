"""Phase 2: multitask fine-tuning of the whole model, epoch after epoch.

Report: section 4.4. Trains to the last epoch, validates after each, keeps the best, and leaves
safe points from which a killed run goes on. `trainer.run.fine_tuning` holds what a step does.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tqdm import tqdm

from minbert import metrics
from minbert.answers import NotFiniteError
from trainer.evaluation.scores import MAIN_METRICS, Scores, recorded, selection_score
from trainer.run.divergence import DivergedError, likely_cause
from trainer.run.fine_tuning import FineTuning, StepRecord, learning_rate_at
from trainer.run.folder import Run
from trainer.run.peak import Pace
from trainer.techniques.samplers import alpha_of

Validate = Callable[[], dict[str, Scores]]
Report = Callable[[str], None]


def fine_tune(
    tuning: FineTuning,
    run: Run,
    validate: Validate,
    save_best: Callable[[], None],
    report: Report = lambda _: None,
) -> None:
    """Train to the last epoch: validate, keep the best, save safe points, report the speed.

    Of several processes the first alone validates and writes; the others wait for it.
    """
    config, main = tuning.config, tuning.world.main
    if tuning.best["epoch"] is None and main:
        record_validation(tuning, run, validate, save_best, epoch=0)
        save_point(tuning, run)
    pace = Pace(tuning.model.encoder, config.precision, tuning.device, tuning.world.size)
    if main and not tuning.finished:
        report(pace.told_peak)
    tuning.world.wait()
    recent: list[StepRecord] = []
    unit = "token" if config.tokens_per_epoch else "step"
    with progress(config.total, tuning.done, unit, hidden=not main or not config.total) as bar:
        while not tuning.finished:
            done, epochs_done = tuning.done, tuning.epochs_done
            tokens_before, started = tuning.tokens, time.perf_counter()
            recent.append(tuning.train_step())
            pace.add(tuning.tokens - tokens_before, time.perf_counter() - started)
            bar.update(min(tuning.done, config.total) - done)
            bar.set_postfix_str(pace.told, refresh=False)
            epoch_ends = tuning.epochs_done > epochs_done
            if not epoch_ends and tuning.step % config.checkpoint_every:
                continue
            if main:
                log_training(tuning, run, recent, done)
                if epoch_ends:
                    epoch = tuning.epochs_done
                    record_validation(tuning, run, validate, save_best, epoch=epoch)
                save_point(tuning, run)
            recent = []
            tuning.world.wait()
    if main and pace.tokens:
        report(f"Trained {pace.tokens:,} tokens at {pace.told}.")


def log_training(tuning: FineTuning, run: Run, recent: list[StepRecord], before: int) -> None:
    """Log the steps since the last safe point: losses, task counts, shares, conflicts.

    Args:
        tuning: just after the last of these steps.
        run: where to log.
        recent: the steps.
        before: `tuning.done` before the last of them.
    """
    epoch = min(before // tuning.config.epoch_length + 1, tuning.config.epochs)
    config = tuning.config
    run.log(
        phase="fine-tuning",
        step=tuning.step,
        epoch=epoch,
        tokens=tuning.tokens,
        learning_rate=learning_rate_at(before, tuning.done, config),
        steps={name: len(values) for name, values in by_task(recent, "loss").items()},
        alpha=alpha_of(config.sampler, epoch, config.epochs),
        probabilities=dict(zip(tuning.names, tuning.probabilities(epoch), strict=True)),
        **{part: means(by_task(recent, part)) for part in ("loss", "contrastive", "zero_share")},
    )
    for number, record in enumerate(recent, start=tuning.step - len(recent) + 1):
        if record.pairs:
            pairs = {name: vars(statistics) for name, statistics in record.pairs.items()}
            run.log(phase="surgery", step=number, epoch=epoch, pairs=pairs)


def by_task(records: list[StepRecord], part: str) -> dict[str, list[float]]:
    """Collect one part of the losses, task by task."""
    found: dict[str, list[float]] = {}
    for record in records:
        for name, parts in record.losses.items():
            if part in parts:
                found.setdefault(name, []).append(parts[part])
    return dict(sorted(found.items()))


def means(values: dict[str, list[float]]) -> dict[str, float]:
    """Average each list."""
    return {name: sum(items) / len(items) for name, items in values.items()}


def record_validation(
    tuning: FineTuning, run: Run, validate: Validate, save_best: Callable[[], None], *, epoch: int
) -> None:
    """Validate, log the scores, and keep the model if its selection score is the best.

    Both are done with the averaged weights, where there are such.
    """
    with tuning.average.swapped_in():
        score_and_keep(tuning, run, validate, save_best, epoch)


def score_and_keep(
    tuning: FineTuning, run: Run, validate: Validate, save_best: Callable[[], None], epoch: int
) -> None:
    """Do `record_validation` with the weights as they stand."""
    try:
        scores = validate()
    except NotFiniteError as error:
        raise DivergedError(
            f"The validation after epoch {epoch} (step {tuning.step:,}) should give finite "
            f"numbers. {error} {likely_cause(tuning.trained, tuning.rate)}"
        ) from error
    score = selection_score(scores)
    if epoch > 0:
        per_task = tuning.best["per_task"]
        for name, found in scores.items():
            value = found[MAIN_METRICS[name]].value
            if metrics.better(value, per_task.get(name, {}).get("value")):
                per_task[name] = {"value": value, "epoch": epoch}
    run.log(
        phase="validation",
        epoch=epoch,
        tokens=tuning.tokens,
        selection=score,
        scores={
            task: {name: dict(metric) for name, metric in found.items()}
            for task, found in recorded(scores, "dev").items()
        },
    )
    if tuning.best["epoch"] is None or metrics.better(score, tuning.best["score"]):
        tuning.best.update(score=score, epoch=epoch)
        save_best()


def save_point(tuning: FineTuning, run: Run) -> None:
    """Write a resumable state."""
    tensors, counters = tuning.state()
    run.save_state(tensors, {"phase": "fine-tuning", **counters})


@contextlib.contextmanager
def progress(total: int, done: int, unit: str, *, hidden: bool = False) -> Iterator[tqdm[Any]]:
    """Show a progress bar on a terminal, and a line every half minute in a log file."""
    interval = 0.5 if sys.stderr.isatty() else 30.0
    with tqdm(
        total=total,
        initial=done,
        unit=unit,
        mininterval=interval,
        maxinterval=interval * 2,
        disable=hidden,
    ) as bar:
        yield bar
