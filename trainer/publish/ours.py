"""Which repos on the Hub are ours to overwrite; nothing here touches the network."""

from __future__ import annotations

import json
from collections.abc import Callable

from minbert.checkpoint import CONFIG_FILE
from minbert.config import MODEL_TYPE, OURS
from trainer.publish.static import LIVE_FILES, PAGE, STATIC_FILES, STATIC_MARK

SPACE_MARK = "minbert/multitask.py"  # a Space with files that lacks it isn't ours to overwrite
WELCOME = "Welcome to your static Space"  # in the page that the Hub puts into a new static Space
HUB_PAGE = {PAGE, "style.css"}  # that page's files
AT_FIRST = {".gitattributes", "README.md", ".gitignore"}  # what the Hub puts into a new repo
Reader = Callable[[str], bytes]  # a file of the repo, by its name; empty where it isn't there


def is_our_space(sdk: str, files: set[str], read: Reader) -> bool:
    """Say whether a Space of this kind is empty or holds what this command put there.

    A static one holds our page, its model perhaps, and a README that names it, or still the Hub's
    own first page: a single index.html may be anybody's.
    """
    files = files - AT_FIRST
    if not files:
        return True
    if sdk == "gradio":
        return SPACE_MARK in files
    if files <= STATIC_FILES | LIVE_FILES and STATIC_MARK.encode() in read("README.md"):
        return True
    return files <= HUB_PAGE and WELCOME.encode() in read(PAGE)


def is_our_model(files: set[str], read: Reader) -> bool:
    """Say whether a model repo is empty or holds a model of minBERT."""
    files = files - AT_FIRST
    if not files:
        return True
    if CONFIG_FILE not in files:
        return False
    try:
        config = json.loads(read(CONFIG_FILE))
    except ValueError:
        return False
    return isinstance(config, dict) and (OURS in config or config.get("model_type") == MODEL_TYPE)


def other_kind(space: str, sdk: str) -> str:
    """Say that a Space is a static page where the app should be, or the other way round."""
    wanted, found, way = {
        "gradio": ("a Gradio Space", "a static one", "add --static"),
        "static": ("a static Space", "a Gradio one", "leave --static out"),
    }[sdk]
    return (
        f"`{space}` should be {wanted}. Found {found} of this name, and nothing was uploaded; "
        f"{way} to update it, choose another name, or delete it in its settings."
    )
