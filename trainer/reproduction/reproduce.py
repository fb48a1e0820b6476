"""Reproduce the report's tables: run what is missing, record what came out.

Each row is a `train` run of its recipe under a profile, so `python -m trainer train ROW --profile
cpu` repeats any of them alone. A killed `reproduce` goes on where it was.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minbert.files import read_json, write_json
from minbert.records import runs as records
from minbert.records.form import Metric
from minbert.records.reading import read_all, read_record
from minbert.records.scores import Training
from trainer.config import TrainConfig
from trainer.data.course import read_split
from trainer.recipes import ROWS
from trainer.recipes.profiles import changes_of, with_profile
from trainer.recipes.row import Row
from trainer.reproduction.claims import compare
from trainer.run.folder import Run
from trainer.run.train import train

PREDICTIONS_FOLDER = "predictions"
Report = Callable[[str], None]


def reproduce(
    names: Sequence[str],
    seeds: Sequence[int],
    profile: str,
    *,
    data: Path,
    runs: Path,
    results: Path,
    device_name: str,
    report: Report,
) -> None:
    """Run every row and seed that `results` doesn't hold yet, then compare the rows.

    Args:
        names: of rows, in the order in which they run.
        seeds: each row runs with each of them, seed by seed.
        profile: name of one of `PROFILES`.
        data: folder of the course's files.
        runs: folder of the run folders, one a row and seed.
        results: folder of reproduction.json, predictions/ and comparisons.json.
        device_name: as for `train`.
        report: takes each line for the person.

    Raises:
        ValueError: `results` holds another profile's runs; or what `train` refuses.
    """
    wanted = [(ROWS[name], seed) for seed in seeds for name in names]
    known = read_records(results)
    others = sorted({record.profile for record in known} - {profile})
    if others:
        raise ValueError(
            f"`--results` should be a folder of one profile. Found runs of {', '.join(others)} in "
            f"{results}; name another folder for {profile}."
        )
    missing = [(row, seed) for row, seed in wanted if not is_recorded(known, row, seed, profile)]
    report(f"{len(wanted) - len(missing)} of {len(wanted)} runs are there; {len(missing)} to go")
    for number, (row, seed) in enumerate(missing):
        left = minutes_left(missing[number:], read_records(results), profile)
        report(
            f"Run {number + 1} of {len(missing)}: {row.name}, seed {seed}, profile {profile}; "
            f"{left} left in all"
        )
        config = configured(row, seed, profile)
        if changes := changes_of(row.config, profile):
            report(f"Profile {profile} changes: {changes}")
        out = runs / f"{row.name}-{seed}"
        train(config, data, out, resume=True, device_name=device_name, report=report)
        store_predictions(Run(out), results, row.name, seed)  # first: what is recorded has them
        add_record(results, record_of(Run(out), row, profile))
        Run(out).prune()
    write_comparisons(data, results)


def configured(row: Row, seed: int, profile: str) -> TrainConfig:
    """Return a row's settings under a profile and with a seed."""
    return with_profile(dataclasses.replace(row.config, seed=seed), profile)


def read_records(results: Path) -> tuple[records.Run, ...]:
    """Return the runs that are recorded; none where there is no file yet."""
    path = results / records.RUNS_FILE
    return read_all(path, records.Run) if path.exists() else ()


def is_recorded(known: Sequence[records.Run], row: Row, seed: int, profile: str) -> bool:
    """Return whether a run with these very settings is recorded.

    A setting that the record doesn't have yet counts as `TrainConfig`'s default.
    """
    wanted = configured(row, seed, profile).to_dict()
    defaults = TrainConfig().to_dict()
    return any(
        (record.row, record.seed, record.profile) == (row.name, seed, profile)
        and {**defaults, **record.config} == wanted
        for record in known
    )


def minutes_left(
    missing: Sequence[tuple[Row, int]], recorded: Sequence[records.Run], profile: str
) -> str:
    """Estimate the minutes of the runs to come from the recorded ones of this profile."""
    known = [
        (record.row, record.minutes)
        for record in recorded
        if record.profile == profile and record.minutes is not None
    ]
    if not known:
        return "no telling yet how many minutes"
    typical = sorted(minutes for _, minutes in known)[len(known) // 2]
    own = dict(known)
    total = sum(own.get(row.name, typical) for row, _ in missing)
    return f"about {max(1, round(total))} minutes"


def add_record(results: Path, record: records.Run) -> None:
    """Put a run's record into reproduction.json, in place of an older one of the same run."""

    def key(entry: records.Run) -> tuple[str, int, str]:
        return entry.row, entry.seed, entry.profile

    places = {name: place for place, name in enumerate(ROWS)}
    kept = [entry for entry in read_records(results) if key(entry) != key(record)]
    ordered = sorted(
        [*kept, record],
        key=lambda entry: (places.get(entry.row, len(places)), entry.profile, entry.seed),
    )
    results.mkdir(parents=True, exist_ok=True)
    write_json(results / records.RUNS_FILE, [entry.to_dict() for entry in ordered])


def record_of(run: Run, row: Row, profile: str) -> records.Run:
    """Return what a finished run is recorded as."""
    result = read_record(run.result, Training)
    return records.Run(
        row=row.name,
        title=row.title,
        table=row.table,
        seed=result.seed or 0,
        profile=profile,
        metrics=flat_metrics(result),
        report=dict(row.report),
        report_split=row.report_split or "",
        note=row.note,
        minutes=result.minutes,
        tokens=result.tokens,
        best_epoch=result.best.epoch,
        commit=result.commit,
        machine=result.machine,
        threads=result.threads,
        torch=result.torch,
        curve=curve_of(run),
        probabilities=probabilities_of(run),
        surgery=surgery_of(run),
        config=result.config,
    )


def flat_metrics(result: Training) -> dict[str, Metric]:
    """Name each metric by task, `sentiment accuracy`; CFIMDB's accuracy is no sentiment score."""
    reviews = result.config["sentiment_data"] == "cfimdb"
    flat = {
        f"{'cfimdb' if reviews else task} {name}": metric
        for task, found in result.metrics.items()
        for name, metric in found.items()
        if not (reviews and name == "within_one")
    }
    if len(result.metrics) > 1:
        n = sum(next(iter(found.values())).n or 0 for found in result.metrics.values())
        flat["normalised"] = Metric(value=result.normalised, se=None, n=n, split="dev")
    return flat


def curve_of(run: Run) -> tuple[records.CurvePoint, ...]:
    """Return the dev scores of each epoch of fine-tuning, on the examples that were watched."""
    main = {"sentiment": "accuracy", "paraphrase": "accuracy", "similarity": "pearson"}
    lines = run.logged("validation")
    return tuple(
        records.CurvePoint(
            epoch=line["epoch"],
            tokens=line["tokens"],
            minutes=round(line["seconds"] / 60, 2),
            normalised=line["selection"] if len(line["scores"]) > 1 else None,
            **{name: found[main[name]]["value"] for name, found in line["scores"].items()},
        )
        for line in (lines if len(lines) > 1 else [])
    )


def probabilities_of(run: Run) -> tuple[records.Shares, ...]:
    """Return each epoch's alpha and task shares."""
    epochs = {line["epoch"]: line for line in run.logged("fine-tuning")}
    return tuple(
        records.Shares(epoch=epoch, alpha=line["alpha"], p=line["probabilities"])
        for epoch, line in sorted(epochs.items())
    )


def surgery_of(run: Run) -> tuple[records.SurgeryEpoch, ...]:
    """Return each epoch's conflict rates and mean cosines, before and after surgery."""
    epochs: dict[int, list[dict[str, Any]]] = {}
    for line in run.logged("surgery"):
        epochs.setdefault(line["epoch"], []).append(line["pairs"])
    return tuple(
        records.SurgeryEpoch(epoch=epoch, steps=len(steps), pairs=pair_means(steps))
        for epoch, steps in sorted(epochs.items())
    )


def pair_means(steps: Sequence[dict[str, Any]]) -> dict[str, records.Conflict]:
    """Average the steps' statistics of each pair; an undefined cosine is left out."""

    def mean(values: list[float]) -> float | None:
        return sum(values) / len(values) if values else None

    found = {}
    for name in steps[0]:
        pairs = [step[name] for step in steps]
        before = [pair["cosine"] for pair in pairs if pair["cosine"] is not None]
        after = [pair["cosine_after"] for pair in pairs if pair["cosine_after"] is not None]
        found[name] = records.Conflict(
            conflict_rate=mean([float(pair["conflict"]) for pair in pairs]),
            cosine=mean(before),
            conflict_rate_after=mean([float(value < 0) for value in after]),
            cosine_after=mean(after),
        )
    return found


def store_predictions(run: Run, results: Path, name: str, seed: int) -> None:
    """Keep a run's answers to the dev files, for paired comparisons."""
    folder = results / PREDICTIONS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.predictions, folder / f"{name}-{seed}.json")


def write_comparisons(data: Path, results: Path) -> None:
    """Judge the report's claims from the recorded runs and their answers."""
    folder = results / PREDICTIONS_FOLDER
    predictions = {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}
    labels = {
        name: read_split(data, name, "dev").labels
        for name in ("sentiment", "paraphrase", "similarity")
    }
    found = compare(read_records(results), predictions, labels)
    write_json(results / records.COMPARISONS_FILE, [entry.to_dict() for entry in found])
