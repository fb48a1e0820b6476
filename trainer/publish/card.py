"""The model card and the Space's README: assets/publish's templates, filled from what was recorded.

No number of a run stands in a template: metrics come from assets/results, settings from the run's
own record and the checkpoint's config.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from huggingface_hub import EvalResult, ModelCardData, SpaceCardData
from safetensors import safe_open

from minbert.records.calibration import Calibration
from minbert.records.form import Metric
from minbert.records.runs import Comparison
from minbert.records.scores import Scores, Training
from trainer.publish.card_calibration import calibration_part, probabilities_line
from trainer.publish.card_recipe import leak_lines, recipe_lines, stages_of, technique_lines
from trainer.publish.errors import PublishError

TITLE = "minBERT Lab"
MODEL_TITLE = "minBERT Lab, multitask model"
SHORT_DESCRIPTION = "Sentiment, paraphrase, similarity: look inside one BERT"  # 60 at most
LICENSE = "apache-2.0"
DATASETS = ("stanfordnlp/sst", "quora-competitions/quora", "sentence-transformers/stsb")
NORMAL_95 = 1.96  # standard errors on each side of a 95 % interval
WIDGET = [  # what the model's page on the Hub tries it with
    {
        "source_sentence": "A cat sleeps on the sofa.",
        "sentences": [
            "A cat is asleep on a couch.",
            "The dog chased the cat off the sofa.",
            "The train to the coast was an hour late.",
        ],
    }
]
TASKS = {  # task: Hub's task, data set's id and name
    "sentiment": ("text-classification", DATASETS[0], "SST-5 (CS224N split)"),
    "paraphrase": ("text-classification", DATASETS[1], "Quora question pairs (CS224N split)"),
    "similarity": ("sentence-similarity", DATASETS[2], "STS (CS224N split)"),
}
METRICS = {  # task, our metric: the Hub's metric and a name
    ("sentiment", "accuracy"): ("accuracy", "Accuracy"),
    ("sentiment", "within_one"): ("accuracy", "Accuracy within one class"),
    ("paraphrase", "accuracy"): ("accuracy", "Accuracy"),
    ("paraphrase", "f1"): ("f1", "F1"),
    ("similarity", "pearson"): ("pearsonr", "Pearson"),
    ("similarity", "spearman"): ("spearmanr", "Spearman"),
    ("similarity", "joint_pearson"): ("pearsonr", "Pearson, joint score alone"),
    ("similarity", "siamese_pearson"): ("pearsonr", "Pearson, Siamese score alone"),
}


def space_readme(
    root: Path,
    *,
    space: str,
    model_repo: str | None,
    hardware: str,
    sdk_version: str,
    python_version: str,
    thumbnail: str,
) -> str:
    """Return the Space's README with its front matter."""
    base = "sentence-transformers/all-MiniLM-L6-v2"
    head = SpaceCardData(
        title=TITLE,
        colorFrom="gray",
        colorTo="blue",
        sdk="gradio",
        sdk_version=sdk_version,
        python_version=python_version,
        app_file="app.py",
        models=[*([model_repo] if model_repo else []), base],
        datasets=list(DATASETS),
        license=LICENSE,
        short_description=SHORT_DESCRIPTION,
        thumbnail=f"https://huggingface.co/spaces/{space}/resolve/main/{thumbnail}",
        suggested_hardware=hardware,
        tags=["bert", "multitask", "interpretability", "attention", "education"],
    )
    weights = "The weights are in `assets/models`."
    if model_repo:
        link = f"[{model_repo}](https://huggingface.co/{model_repo})"
        weights = f"The weights are in `assets/models`; the model has a card of its own, {link}."
    body = filled(root, "space_readme.md", title=TITLE, weights=weights, base_model=base)
    return f"---\n{head.to_yaml()}\n---\n{body}"


def model_card(
    root: Path,
    *,
    weights: Path,
    model_repo: str,
    space: str,
    run: Training,
    scores: Scores,
    config: Mapping[str, Any],
    calibration: Calibration | None = None,
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Return the model card with its metadata.

    Args:
        root: the checkout, with assets/publish.
        weights: the checkpoint's model.safetensors.
        model_repo: USER/NAME of the model.
        space: USER/NAME of the Space that shows it.
        run: the training run's record.
        scores: what `evaluate` says of the checkpoint.
        config: the checkpoint's, with the encoder's under `encoder`.
        calibration: what `calibrate` says of the checkpoint; None: nothing was recorded.
        comparisons: of the reproduced rows, for the techniques that are off.

    Raises:
        PublishError: a record lacks what the card tells, or tells of another calibration.
    """
    try:
        check_told(run)
        results = evaluations(scores, run.seed)
        head = ModelCardData(
            language="en",
            license=LICENSE,
            base_model=stages_of(run)[0].config["encoder"],
            datasets=list(DATASETS),
            metrics=sorted({result.metric_type for result in results}),
            library_name="sentence-transformers",
            pipeline_tag="sentence-similarity",
            tags=["bert", "multitask", "sentiment", "paraphrase", "feature-extraction"],
            widget=WIDGET,
            model_name=model_repo.split("/")[-1],
            eval_results=results,
        )
        body = model_body(
            root, weights, model_repo, space, run, scores, config, calibration, comparisons
        )
    except KeyError as error:
        raise PublishError(
            f"assets/results should tell {error} of the model. Found nothing; evaluate it with "
            "`python -m trainer evaluate --json`."
        ) from error
    return f"---\n{head.to_yaml()}\n---\n{body}"


def model_body(
    root: Path,
    weights: Path,
    model_repo: str,
    space: str,
    run: Training,
    scores: Scores,
    config: Mapping[str, Any],
    calibration: Calibration | None,
    comparisons: Sequence[Comparison],
) -> str:
    """Return the card without its front matter."""
    settings, encoder = run.config, config["encoder"]
    address = f"https://huggingface.co/spaces/{space}"
    return filled(
        root,
        "model_card.md",
        title=MODEL_TITLE,
        try_it=f"Try it: [{space}]({address}).",
        code_from=f"of its Space: `git clone {address}`",
        model_repo=model_repo,
        base_model=settings["encoder"],
        layers=encoder["num_hidden_layers"],
        width=encoder["hidden_size"],
        pooling=config["pooling"],
        max_length=config["max_length"],
        dtype=stored_dtype(weights),
        megabytes=f"{weights.stat().st_size / 1e6:.1f}",
        metrics=metric_table(scores),
        left_out=left_out_line(scores.left_out),
        seed=run.seed,
        commit=run.commit or "unknown",
        scored_commit=scores.commit or "unknown",
        files="\n".join(
            f"- `{name}` `{digest}`"
            for name, digest in run.files.items()
            if not name.endswith("dev.csv")
        ),
        recipe=recipe_lines(run),
        techniques=technique_lines(run, comparisons),
        new_examples=leak_lines(run),
        calibration=calibration_part(calibration, config),
        probabilities=probabilities_line(config),
        masked="with" if settings.get("mask_demographics") else "without",
    )


def filled(root: Path, name: str, **values: object) -> str:
    """Return a template of assets/publish with its placeholders filled."""
    path = root / "assets" / "publish" / name
    try:
        return Template(path.read_text(encoding="utf-8")).substitute(values)
    except OSError as error:
        raise PublishError(f"{path} should exist. Found nothing there.") from error


def check_told(run: Training) -> None:
    """Check that a run and its stages have what the card tells.

    Raises:
        KeyError: of the field that is missing.
    """
    for one in (run, *stages_of(run)):
        for name in ("seed", "config", "files", "tokens", "minutes", "machine"):
            if getattr(one, name) in (None, "", {}):
                raise KeyError(name)


def evaluations(scores: Scores, seed: int | None) -> list[EvalResult]:
    """Return every metric as metadata: value, split, seed, examples and interval."""
    found = []
    for (task, name), (kind, title) in METRICS.items():
        told = scores.metrics[task][name]
        hub_task, dataset, dataset_name = TASKS[task]
        value, low, high = interval(told)
        found.append(
            EvalResult(
                task_type=hub_task,
                task_name=task,
                dataset_type=dataset,
                dataset_name=dataset_name,
                dataset_split=told.split,
                metric_type=kind,
                metric_name=title,
                metric_value=round(value, 4),
                metric_args={
                    "examples": told.n,
                    "seeds": [seed],
                    "interval_95": [round(low, 4), round(high, 4)],
                },
            )
        )
    return found


def interval(told: Metric) -> tuple[float, float, float]:
    """Return a metric and its 95 % interval over its examples, by its standard error.

    Raises:
        KeyError: "value" or "se", if it is undefined.
    """
    if told.value is None or told.se is None:
        raise KeyError("value" if told.value is None else "se")
    half = NORMAL_95 * told.se
    return told.value, told.value - half, told.value + half


def metric_table(scores: Scores) -> str:
    """Return the metrics as a Markdown table."""
    lines = [
        "| task | metric | value | 95 % interval | split | examples |",
        "|---|---|---|---|---|---|",
    ]
    for (task, name), (_, title) in METRICS.items():
        told = scores.metrics[task][name]
        value, low, high = interval(told)
        lines.append(
            f"| {task} | {title} | {value:.3f} | {low:.3f} to {high:.3f} "
            f"| {told.split} | {told.n:,} |"
        )
    return "\n".join(lines)


def left_out_line(left_out: Mapping[str, int | None]) -> str:
    """Say whether examples of the split that were trained on are among the scored ones."""
    told = [f"{count:,} of {task}" for task, count in left_out.items() if count]
    if told:
        return f"Examples that stand in the training files too were left out: {', '.join(told)}."
    return "Pairs of the split that stand in a training file too, should there be some, are in."


def stored_dtype(weights: Path) -> str:
    """Return the number format that most of a file's weights have, such as 'float16'."""
    names = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}
    with safe_open(weights, "pt") as file:
        kinds: list[str] = [file.get_slice(name).get_dtype() for name in file.keys()]  # noqa: SIM118 - no dict
    most = max(set(kinds), key=kinds.count)
    return names.get(most, most)
