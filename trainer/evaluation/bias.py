"""The command bias's work: how far swapped demographic terms spread a model's answers, as a record.

The measure is `minbert.explain.bias`, over all of its lists; "all lists" is each sentence's mean
over the lists, with a percentile bootstrap over the sentences. Of two models the difference is
paired by sentence. Scores and settings come from the run's record, result.json beside the model's
folder, or from files that are named.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minbert.explain.bias import bootstrap_mean, probe_bias
from minbert.explain.bias_templates import probe_terms
from minbert.files import read_json, write_json
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from trainer.provenance import provenance

OVERALL = "all lists"
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
        CheckpointError: a model or a file that can't be read.
    """
    if scores is not None and len(scores) != len(models):
        raise ValueError(
            f"`--scores` should name a file for each model, {len(models)}. Found {len(scores)}."
        )
    files = scores or [model.resolve().parent / "result.json" for model in models]
    entries, measured = [], []
    for model, file in zip(models, files, strict=True):
        predictor = Predictor.from_pretrained(model, device)
        found, wanted = predictor.config.sentiment_classes, TASKS["sentiment"].classes
        if found != wanted:
            raise ValueError(f"`--model` should have {wanted} sentiment classes. Found {found}.")
        spreads = measure(predictor)
        told = read_json(file) if scores is not None or file.is_file() else {}
        entries.append({"model": name_of(model), **settings_of(told), "spread": summarise(spreads)})
        measured.append(spreads)
        for task, lists in summarise(spreads).items():
            mean, low, high = (lists[OVERALL][name] for name in ("mean", "low", "high"))
            report(f"{model}: {task} spreads by {mean:.4f} ({low:.4f} to {high:.4f})")
    record: dict[str, Any] = {"models": entries, **provenance(predictor.device)}
    if len(measured) == 2:
        record["difference"] = summarise(less(*measured))
    write_json(out, record)
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


def summarise(spreads: Spreads) -> dict[str, dict[str, dict[str, float]]]:
    """Return each list's mean over sentences with its 95 % interval."""
    return {
        task: {
            name: dict(
                zip(
                    ("mean", "low", "high"),
                    (statistics.fmean(row), *bootstrap_mean(row)),
                    strict=True,
                )
            )
            for name, row in lists.items()
        }
        for task, lists in spreads.items()
    }


def settings_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run's record or an evaluation tells of a model; None where it is silent."""
    config = told.get("config") or {}
    metrics = told.get("metrics") or {}
    dev = {
        f"{task} {name}": {"value": score.get("value"), "se": score.get("se"), "n": score.get("n")}
        for task, scores in metrics.items()
        for name, score in scores.items()
    }
    return {
        "recipe": told.get("recipe"),
        "seed": told.get("seed"),
        "masked_in_training": config.get("mask_demographics", False if config else None),
        "dev": dev or None,
        "trained_at": told.get("commit"),
    }
