"""A person's own index of training sentences, put into the Space on request alone.

Its sentences belong to their data sets, so nothing of it is published without the explicit option.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from minbert.explain.nearest import COMMAND, INDEX_FILE, TEXTS_FILE, NearestIndex
from minbert.files import CheckpointError, read_json
from minbert.predictor import Predictor
from trainer.publish.errors import PublishError

INDEX_FOLDER = "assets/index"  # where app.py looks for one before the user's cache
NOTICE = (
    "Notice: --index puts {count:,} sentences of the training files and their embeddings into the "
    "Space. They belong to their data sets: Quora's terms and the treebank's allow research use, "
    "and whoever can see the Space can download them. {advice} A later run without --index takes "
    "the index out of the Space's files, not out of its history; to take it out of both, delete "
    "the Space."
)
ADVICE = {  # by --private
    True: "This run keeps the Space private; leave it so.",
    False: "Prefer --private, unless you know that you may pass them on.",
}
README_NOTE = f"""
`{INDEX_FOLDER}` holds sentences of the models' training files, for the nearest examples of the tab
"Why?". The licence above isn't theirs: they belong to their data sets, whose terms allow research
use.
"""


def copy_index(source: Path, models: Mapping[str, Path], out: Path) -> None:
    """Copy an index, and nothing else that lies beside it, once it is known to fit.

    Args:
        source: the folder that the command index wrote.
        models: the published checkpoints' folders, by name.
        out: where to; it should not exist yet.

    Raises:
        PublishError: the folder holds no whole index, or one of other models or weights.
    """
    check_index(source, models)
    out.mkdir(parents=True)
    for name in (INDEX_FILE, TEXTS_FILE, *(f"{model}.safetensors" for model in models)):
        shutil.copyfile(source / name, out / name)


def check_index(source: Path, models: Mapping[str, Path]) -> None:
    """See that a folder holds an index of these models, with these weights.

    Raises:
        PublishError: it doesn't; the message says how to build one that does.
    """
    again = f"Build it with `{COMMAND} --out DIR`, or leave --index out"
    if not (source / INDEX_FILE).is_file():
        raise PublishError(
            f"`--index` should be a folder that `{COMMAND}` wrote. Found no {INDEX_FILE} in "
            f"{source}. {again}."
        )
    try:
        index = NearestIndex.load(source)
    except CheckpointError as error:
        raise PublishError(f"`--index` can't be used: {error}") from error
    wanted = " and ".join(repr(name) for name in models)
    if set(index.models) != set(models):
        found = ", ".join(repr(name) for name in index.models) or "none"
        raise PublishError(
            f"`--index` should be built with the published models, {wanted}. Found an index of "
            f"{found} in {source}. {again}."
        )
    others = [
        name
        for name, folder in models.items()
        if not index.belongs(name, Predictor.from_pretrained(folder, "cpu"))
    ]
    if others:
        told = ", ".join(str(models[name]) for name in others)
        raise PublishError(
            f"`--index` should be built with the published models, {wanted}. Found an index in "
            f"{source} of other weights than {told} has now. {again}."
        )


def index_notice(source: Path, *, private: bool) -> str:
    """Say what a checked index makes public, and whose terms it stands under."""
    count = int(read_json(source / INDEX_FILE)["texts"])
    return NOTICE.format(count=count, advice=ADVICE[private])


def index_folders(folder: Path) -> set[Path]:
    """Return the folders below one that hold an index; of a torn one the sentences are there."""
    return {path.parent for path in folder.rglob(TEXTS_FILE)}
