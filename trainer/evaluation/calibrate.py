"""The command calibrate's work: a temperature for each head's probabilities, fitted on dev.

The all-dev fit goes into the checkpoint's config.json. What it is worth is told by cross-fitting:
each dev example is scored by a fit to the folds without it. The fit takes raw logits, whatever
the config.json says, so a second run changes nothing. Methods: `trainer.techniques.calibration`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from minbert import metrics
from minbert.checkpoint import CONFIG_FILE
from minbert.device import choose_device
from minbert.files import write_json
from minbert.metrics import Metric
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.records.calibration import Calibration, Error, Measures, Scale, TaskCalibration
from minbert.records.form import Metric as Recorded
from minbert.storage import manifest
from minbert.tables import DataError, Example
from trainer.evaluation.bias import name_of
from trainer.evaluation.command import check_classes, read_unseen
from trainer.provenance import provenance
from trainer.techniques import calibration
from trainer.techniques.calibration import BINS, FOLDS, Fit
from trainer.techniques.precision import lowered

SPLIT = "dev"
CALIBRATED = ("sentiment", "paraphrase")
TABLE_ROW = "{:<12}{:<30}{:>18}{:>18}{:>9}"
MEASURES = {
    "ece": "expected calibration error",
    "nll": "negative log-likelihood",
    "accuracy": "accuracy",
}


def calibrate(
    folder: Path,
    data: Path,
    *,
    seed: int,
    device: str,
    precision: str,
    json_file: Path | None,
    report: Callable[[str], None],
) -> str:
    """Fit a checkpoint's calibration on dev and write it; return the table that tells its worth.

    Args:
        folder: the checkpoint's; its config.json is replaced.
        data: folder of the course's files.
        seed: of the folds.
        device: where to compute.
        precision: of the encoder, one of `trainer.techniques.precision.PRECISIONS`.
        json_file: file to write the record to.
        report: told what is read and found.

    Raises:
        DataError: a missing or unreadable file, or one with too few examples or a single answer.
        CheckpointError: the model can't be loaded.
        ValueError: not a folder, another seed than one from 0, or a model of other classes.
    """
    if not folder.is_dir():
        raise ValueError(
            f"`--model` should be a checkpoint's folder, since its {CONFIG_FILE} is written. Found "
            f"no folder {folder}; copy the model to one first."
        )
    if seed < 0:
        raise ValueError(f"`--seed` should be at least 0. Found {seed}.")
    where = choose_device(device)
    model, low = MultitaskBert.from_pretrained(folder), lowered(precision, where)
    predictor = Predictor(model, device, autocast=low, runtime="torch")
    check_classes(predictor, folder)
    examples, left_out = read_unseen(
        folder, data, SPLIT, CALIBRATED, keep_trained=False, report=report
    )
    tasks: dict[str, TaskCalibration] = {}
    fits: dict[str, Fit] = {}
    for name, rows in examples.items():
        labels = labels_of(rows, name)
        logits = raw_logits(predictor, name, rows)
        fits[name], tasks[name] = study(name, logits, labels, seed, left_out=left_out[name])
        if fits[name].at_limit:
            report(f"{name}: the fit ended at the limit of its search, so dev can't tell the best")
    config = dataclasses.replace(
        predictor.config,
        sentiment_temperature=fits["sentiment"].temperature,
        paraphrase_temperature=fits["paraphrase"].temperature,
        paraphrase_offset=fits["paraphrase"].offset,
    )
    with manifest.rewriting(folder):
        write_json(folder / CONFIG_FILE, config.to_dict())
    report(f"The calibration is in {folder / CONFIG_FILE}")
    if json_file is not None:
        record = Calibration(
            model=name_of(folder),
            seed=seed,
            folds=FOLDS,
            bins=BINS,
            tasks=tasks,
            precision="bf16" if predictor.autocast else "fp32",
            **provenance(where),
        )
        write_json(json_file, record.to_dict())
    return as_table(tasks)


def labels_of(rows: Sequence[Example], name: str) -> Tensor:
    """Return the examples' labels, (N,) class numbers.

    Raises:
        DataError: fewer examples than folds, or one answer alone.
    """
    labels = torch.tensor([row.label for row in rows]).long()
    found = len(set(labels.tolist()))
    if len(labels) < 2 * FOLDS or found < 2:
        raise DataError(
            f"The {SPLIT} file of {name} should hold {2 * FOLDS} examples or more, not all of one "
            f"answer, to fit a calibration. Found {len(labels)} with {found} answers; use the "
            "course's files."
        )
    return labels


def raw_logits(predictor: Predictor, name: str, rows: Sequence[Example]) -> Tensor:
    """Score examples once: raw logits of sentiment (N, C), of paraphrase in both orders (N, 2)."""
    model = predictor.model
    if name == "sentiment":
        embeddings = predictor.embed([row.texts[0] for row in rows], name)
        return head(model.sentiment_logits, embeddings.to(predictor.device))
    pairs = [(row.texts[0], row.texts[1]) for row in rows]
    if predictor.config.paraphrase_head == "two_tower":
        both = predictor.embed([text for pair in pairs for text in pair], name)
        u, v = both[0::2], both[1::2]
        orders = [model.paraphrase_features(u, v), model.paraphrase_features(v, u)]
    else:
        turned = [(b, a) for a, b in pairs]
        inputs = predictor.encode_joint([*pairs, *turned])
        orders = list(predictor.pooled(inputs, name).chunk(2))
    found = [head(model.paraphrase_logits, each.to(predictor.device)) for each in orders]
    return torch.stack(found, dim=-1)


@torch.inference_mode()
def head(function: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Apply a head to features (N, ...) without gradients; on the CPU, float32."""
    return function(features).float().cpu()


def study(
    name: str, logits: Tensor, labels: Tensor, seed: int, *, left_out: int
) -> tuple[Fit, TaskCalibration]:
    """Fit one task's calibration to all its examples, and cross-fit to measure what it is worth.

    Args:
        name: of the task.
        logits: raw ones, as `raw_logits` gives them.
        labels: (N,) class numbers.
        seed: of the folds.
        left_out: examples that were left out, for the record.

    Returns:
        the fit to all, and its record.
    """
    yes = name == "paraphrase"
    form = calibration.pair_log_probabilities if yes else calibration.class_log_probabilities
    logits = logits.clone()  # no longer an inference tensor, so gradients can pass by it
    whole = calibration.fit(form, logits, labels, offset=yes)
    fold = calibration.folds_of(len(labels), FOLDS, seed)
    after, fits = calibration.cross_fit(form, logits, labels, fold, offset=yes)
    before = form(logits, 1.0, 0.0)
    change = calibration.losses(after, labels) - calibration.losses(before, labels)
    confidence, _ = calibration.claims(after, labels, yes=yes)
    return whole, TaskCalibration(
        **dataclasses.asdict(whole),
        n=len(labels),
        before=measured(before, labels, yes=yes),
        after=measured(after, labels, yes=yes),
        nll_change=Recorded.of(mean_of(change)),
        ece_by_chance=calibration.error_by_chance(confidence, seed=seed),
        fold_fits=tuple(Scale(**dataclasses.asdict(each)) for each in fits),
        split=SPLIT,
        left_out=left_out,
    )


def measured(log_probabilities: Tensor, labels: Tensor, *, yes: bool) -> Measures:
    """Return calibration error, loss and accuracy of log-probabilities (N, C)."""
    error = calibration.expected_calibration_error(
        *calibration.claims(log_probabilities, labels, yes=yes)
    )
    if yes:
        chosen = (log_probabilities[:, 1].exp() > metrics.THRESHOLD).long()
    else:
        chosen = log_probabilities.argmax(dim=-1)
    return Measures(
        ece=Error(value=error, se=None, n=len(labels)),
        nll=Recorded.of(mean_of(calibration.losses(log_probabilities, labels))),
        accuracy=Recorded.of(metrics.accuracy(chosen.numpy(), labels.numpy())),
    )


def mean_of(values: Tensor) -> Metric:
    """Return the mean of values (N,) with its standard error."""
    n = len(values)
    return Metric(values.mean().item(), values.std().item() / math.sqrt(n), n)


def as_table(tasks: dict[str, TaskCalibration]) -> str:
    """Return the record's tasks as lines of text."""
    lines = [TABLE_ROW.format("task", f"{SPLIT}, ± SE", "before", "after", "n")]
    for name, told in tasks.items():
        for measure, title in MEASURES.items():
            pair = (str(getattr(when, measure)) for when in (told.before, told.after))
            lines.append(TABLE_ROW.format(name, title, *pair, f"{told.n:,}"))
    lines.append(f"after: each example scored by a fit to the other {FOLDS - 1} of {FOLDS} folds")
    for name, told in tasks.items():
        moved = f", offset {told.offset:+.4f}" if name == "paraphrase" else ""
        lines.append(
            f"{name}: temperature {told.temperature:.4f}{moved}; perfectly calibrated "
            f"answers would show an error of {told.ece_by_chance:.3f} by chance"
        )
    return "\n".join(lines)
