"""The command bias's work: how far swapped demographic terms spread a model's answers, as a record.

The measure is `minbert.explain.bias`, over all of its lists; "all lists" is each sentence's mean
over the lists, with a percentile bootstrap over the sentences. Of two models the difference is
paired by sentence. Scores and settings come from the run's record, result.json beside the model's
folder, or from files that are named.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from minbert.explain.bias import bootstrap_mean, probe_bias
from minbert.explain.bias_templates import probe_terms
from minbert.files import write_json
from minbert.predictor import Predictor
from minbert.records.bias import OVERALL, Bias, Interval, ModelRecord
from minbert.records.form import Metric, flat
from minbert.records.reading import read_record
from minbert.records.scores import Training
from minbert.tasks import TASKS
from trainer.provenance import provenance

Spreads = dict[str, dict[str, list[float]]]  # task -> list -> a spread for each sentence


def record_bias(
    models: Sequence[Path],
    scores: Sequence[Path] | None,
    out: Path,
    *,
    device: str,
    report: Callable[[str], None],
) -> None:
    """Measure models on all lists and tasks, and write what was found.

    Args:
        models: one or two checkpoints' folders.
        scores: a JSON file for each, with its metrics; None: result.json beside each folder.
        out: file to write.
        device: where to compute.
        report: told each model's spread.

    Raises:
        ValueError: not as many files of scores as models, or a model of other sentiment classes.
        CheckpointError: a model that can't be read.
        RecordError: a file that can't be read.
    """
    if scores is not None and len(scores) != len(models):
        raise ValueError(
            f"`--scores` should name a file for each model, {len(models)}. Found {len(scores)}."
        )
    files = scores or [model.resolve().parent / "result.json" for model in models]
    entries, measured = [], []
    for model, file in zip(models, files, strict=True):
        predictor = Predictor.from_pretrained(model, device, runtime="torch")
        found, wanted = predictor.config.sentiment_classes, TASKS["sentiment"].classes
        if found != wanted:
            raise ValueError(f"`--model` should have {wanted} sentiment classes. Found {found}.")
        spreads = measure(predictor)
        told = scores is not None or file.is_file()
        entry = recorded(model, read_record(file, Training) if told else Training(), spreads)
        entries.append(entry)
        measured.append(spreads)
        for task, lists in entry.spread.items():
            mean, low, high = lists[OVERALL].mean, lists[OVERALL].low, lists[OVERALL].high
            report(f"{model}: {task} spreads by {mean:.4f} ({low:.4f} to {high:.4f})")
    made = provenance(predictor.device)
    if len(measured) == 2:
        made["difference"] = summarise(less(*measured))
    record = Bias(models=tuple(entries), **made)
    write_json(out, record.to_dict())
    report(f"The record is in {out}")


def name_of(model: Path) -> str:
    """Name a checkpoint by its last two folders; what lies above is a machine's own affair."""
    return "/".join(model.resolve().parts[-2:])


def measure(predictor: Predictor) -> Spreads:
    """Return the spread of each sentence, by task and list, and over all lists."""
    found: Spreads = {}
    for task in TASKS:
        lists = {
            category: [each.spread for each in probe_bias(predictor, category, task).swaps]
            for category in probe_terms()
        }
        every = [statistics.fmean(row) for row in zip(*lists.values(), strict=True)]
        found[task] = {OVERALL: every, **lists}
    return found


def less(first: Spreads, second: Spreads) -> Spreads:
    """Return the first model's spreads less the second's, sentence by sentence."""
    return {
        task: {
            name: [a - b for a, b in zip(values, second[task][name], strict=True)]
            for name, values in lists.items()
        }
        for task, lists in first.items()
    }


def summarise(spreads: Spreads) -> dict[str, dict[str, Interval]]:
    """Return each list's mean over sentences with its 95 % interval."""

    def interval(row: list[float]) -> Interval:
        low, high = bootstrap_mean(row)
        return Interval(mean=statistics.fmean(row), low=low, high=high)

    return {
        task: {name: interval(row) for name, row in lists.items()}
        for task, lists in spreads.items()
    }


def recorded(model: Path, run: Training, spreads: Spreads) -> ModelRecord:
    """Return a model's part of the record; None where its run's or evaluation's is silent."""
    return ModelRecord(
        model=name_of(model),
        recipe=run.recipe,
        seed=run.seed,
        masked_in_training=run.config.get("mask_demographics", False if run.config else None),
        dev={
            name: Metric(value=one.value, se=one.se, n=one.n)
            for name, one in flat(run.metrics).items()
        }
        or None,
        trained_at=run.commit,
        spread=summarise(spreads),
    )
