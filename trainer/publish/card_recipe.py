"""What the model card tells of the recipe: stages, techniques, what training shares with dev."""

from __future__ import annotations

from collections.abc import Sequence

from minbert.records.runs import Comparison
from minbert.records.scores import Training

SETTINGS = {  # what the card tells of a run's settings
    "head_epochs": "epochs of the heads alone, on the frozen encoder",
    "epochs": "epochs of fine-tuning",
    "steps_per_epoch": "steps an epoch",
    "tokens_per_epoch": "tokens an epoch, in place of steps",
    "sampler": "sampling of tasks",
    "learning_rate": "learning rate (AdamW)",
    "warmup": "share of steps with a rising learning rate",
    "weight_decay": "weight decay",
    "clip_norm": "gradient norm clipped at",
    "batch_tokens": "tokens a batch at most",
    "hidden_dropout": "dropout",
    "sentiment_data": "sentiment's training data",
    "sentiment_phrases": "share of sentiment's batches that hold phrases of the treebank",
    "paraphrase_statements": "share of paraphrase's batches that hold statements, and pairs of the "
    "same words in another order",
    "extra_similarity": "further pairs for similarity",
    "extra_paraphrase": "further pairs for paraphrase",
    "soft_labels": "soft labels of a teacher (distillation)",
    "ema": "decay of the averaged weights",
    "freeze_word_embeddings": "word embeddings frozen",
    "precision": "precision",
}
SHORT = {"sentiment": "SST", "paraphrase": "Para", "similarity": "STS"}


def stages_of(run: Training) -> Sequence[Training]:
    """Return a chain's stages, or the one run itself."""
    return run.stages or (run,)


def recipe_lines(run: Training) -> str:
    """Return the settings of a run, or of each stage of a chain, and what they cost."""
    stages = stages_of(run)
    parts = []
    for stage in stages:
        named = [f"Stage `{stage.stage}`:\n"] if len(stages) > 1 else []
        parts.append("\n".join([*named, *setting_lines(stage)]))
    if len(stages) > 1:
        parts.append(f"Together {run.tokens:,} tokens in {run.minutes} minutes.")
    return "\n\n".join(parts)


def setting_lines(run: Training) -> list[str]:
    """Return one run's settings and cost as a Markdown list; what is off is left out."""
    settings = {name: run.config.get(name) for name in SETTINGS}
    if settings["tokens_per_epoch"]:
        settings["steps_per_epoch"] = None
    lines = [
        f"- {SETTINGS[name]}: {value}"
        for name, value in settings.items()
        if value not in (None, "")
    ]
    if not settings["tokens_per_epoch"]:
        lines = [line for line in lines if SETTINGS["tokens_per_epoch"] not in line]
    if settings["soft_labels"]:
        names = ("distillation_weight", "distillation_temperature", "unlabelled_share")
        lines += [f"- {name.replace('_', ' ')}: {run.config[name]}" for name in names]
    cost = f"- seen: {run.tokens:,} tokens in {run.minutes} minutes on {run.machine}"
    return [*lines, cost, f"- epoch kept: {run.best.epoch}, by the normalised mean on dev"]


def techniques_on(run: Training) -> dict[str, bool]:
    """Say of each of the report's techniques whether any stage of a run used it."""
    stages = [stage.config for stage in stages_of(run)]

    def any_stage(name: str, *off: object) -> bool:
        return any(config.get(name, off[0]) not in off for config in stages)

    return {
        "pretraining": any_stage("head_epochs", 0),
        "mean": any(config.get("pooling") == "mean" for config in stages),
        "annealed": any(config.get("sampler") == "annealed" for config in stages),
        "cosine": any_stage("siamese_weight", 0, 0.0),
        "contrastive": any_stage("contrastive", "off"),
        "surgery": any_stage("surgery", False),
    }


NAMES = {
    "pretraining": "individual head pretraining (4.3)",
    "mean": "mean pooling (4.2)",
    "annealed": "annealed sampling (4.4)",
    "cosine": "cosine similarity (4.5)",
    "contrastive": "contrastive learning (4.6)",
    "surgery": "gradient surgery (4.8)",
}


def technique_lines(run: Training, comparisons: Sequence[Comparison]) -> str:
    """Say which of the report's techniques are on, and what dev does with each other one on.

    Args:
        run: a training record.
        comparisons: of the reproduced rows, as `trainer.reproduction.claims` writes them; the
            difference of a technique is the row of all techniques less the row without it.
    """
    used = techniques_on(run)
    on = ", ".join(NAMES[name] for name, is_on in used.items() if is_on)
    lines = [f"Of the report's techniques these are on: {on or 'none'}."]
    differences = {entry.claim: entry for entry in comparisons}
    for name in (name for name, is_on in used.items() if not is_on):
        entry = differences.get(f"all_needs_{name}")
        lines.append(f"- off: {NAMES[name]}. {worth(entry)}")
    return "\n".join(lines)


def worth(entry: Comparison | None) -> str:
    """Say in words how dev moves with a technique on."""
    if entry is None:
        return "What it would change was not measured."
    moves = ", ".join(
        f"{SHORT.get(name.split()[0], name)} {told.value:+.3f} [{told.low:+.3f}, {told.high:+.3f}]"
        for name, told in entry.differences.items()
        if None not in (told.value, told.low, told.high)
    )
    seeds = ", ".join(map(str, entry.seeds))
    return f"With it on, dev moves by {moves} (row `{entry.a}` less `{entry.b}`, seed {seeds})."


def leak_lines(run: Training) -> str:
    """Say how the main metrics stand on dev rows none of whose texts was trained on."""
    found = []
    for name, told in run.leaks.items():
        if (new := told.new).n and None not in (new.value, new.se):
            found.append(
                f"- {name}, {new.metric}: {new.value:.3f} ± {new.se:.3f} on {new.n:,} examples; "
                f"of all, {told.dev_in_training:,} stand in training whole"
            )
    if not found:
        return ""
    return "On dev examples none of whose texts occurs in training:\n\n" + "\n".join(found)
