"""The README.md of a static Space: front matter for the Hub, and what the folder is."""

from __future__ import annotations

from pathlib import Path

from minbert.files import write_bytes
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
BASE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DATASETS = ("stanfordnlp/sst", "quora-competitions/quora", "sentence-transformers/stsb")

SHORT = "A multitask BERT: scores, attention, pooling, offline"  # 60 at most
LIVE_SHORT = "A multitask BERT that answers in your browser"


def space_readme(model_repo: str | None = None, *, live: bool = False) -> str:
    """Return the README.

    Args:
        model_repo: a published model, USER/NAME.
        live: the model lies beside the page.

    Raises:
        ValueError: a name that can't be a model's.
    """
    from huggingface_hub import SpaceCardData

    if model_repo is not None and not is_name(model_repo):
        raise ValueError(f"`--model-repo` should be USER/NAME. Found {model_repo!r}.")
    head = SpaceCardData(
        title="minBERT Lab: findings",
        colorFrom="gray",
        colorTo="blue",
        sdk="static",
        app_file="index.html",
        models=[*([model_repo] if model_repo else []), BASE_MODEL],
        datasets=list(DATASETS),
        license="apache-2.0",
        short_description=LIVE_SHORT if live else SHORT,
        tags=["bert", "multitask", "interpretability", "attention", "education"],
    )
    body = TEXTS["space.live_body" if live else "space.body"]
    return f"---\n{head.to_yaml()}\n---\n\n{body}\n"


def is_name(repo: str) -> bool:
    """Say whether a name can be that of a repo, its account's in front."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # it is there

    try:
        validate_repo_id(repo)
    except HFValidationError:
        return False
    return repo.count("/") == 1


def write_space_readme(folder: Path, model_repo: str | None = None, *, live: bool = False) -> Path:
    """Write the README into a page's folder; return it. The last two are `space_readme`'s."""
    path = folder / "README.md"
    write_bytes(path, space_readme(model_repo, live=live).encode())
    return path
