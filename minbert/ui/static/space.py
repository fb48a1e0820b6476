"""The README.md of a static Space: front matter for the Hub, and what the folder is."""

from __future__ import annotations

from pathlib import Path

from minbert.files import write_bytes

BASE_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DATASETS = ("stanfordnlp/sst", "quora-competitions/quora", "sentence-transformers/stsb")
BODY = """
# minBERT Lab: findings

One file, `index.html`: how good a small multitask BERT is on sentiment, paraphrase and similarity,
what it makes of sentences of our own (attention of every layer and head, CLS beside mean pooling,
the exact split of a cosine), and what became of the claims of the report it follows, "BERT and
Multitask Learning" (Heer, Jung, Molofsky). Nothing is computed here and no other machine is asked
for anything; it opens offline by a double click.

Code and weights: Apache-2.0. No sentence of the data sets is in the file.
"""

LIVE_BODY = """
# minBERT Lab: findings

`index.html` lets a small multitask BERT answer sentences of your own (sentiment, paraphrase,
similarity) and tells how good it is, what it makes of sentences of ours (attention of every layer
and head, CLS beside mean pooling, the exact split of a cosine), and what became of the claims of
the report it follows, "BERT and Multitask Learning" (Heer, Jung, Molofsky). The model lies in
`live` and runs in the visitor's browser: it is fetched from this folder when an answer is asked
for, and what is typed stays in the browser.

Code and weights: Apache-2.0; ONNX Runtime Web in `live`: MIT. No sentence of the data sets is here.
"""
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
    return f"---\n{head.to_yaml()}\n---\n{LIVE_BODY if live else BODY}"


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
