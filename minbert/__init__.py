"""minBERT: one BERT encoder, three sentence tasks, written to be read.

One legend of shapes for the whole package:

    B  batch            H  attention heads
    T  tokens           L  layers
    D  hidden size      C  classes

Everything here serves inference; training lives in `trainer`, the page in `minbert.ui`.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minbert.config import BertConfig, MultitaskConfig
    from minbert.labels.model import LabelModel
    from minbert.multitask import MultitaskBert
    from minbert.predictor import Predictor

__version__ = "0.1.0"
__all__ = [
    "BertConfig",
    "LabelModel",
    "MultitaskBert",
    "MultitaskConfig",
    "Predictor",
    "__version__",
]
HERE = Path(__file__).resolve().parent
# Lessons, examples and records: in the installed package; beside it, with models, in a checkout.
ASSETS = HERE / "assets" if (HERE / "assets").is_dir() else HERE.parent / "assets"
MODULES = {
    "BertConfig": "minbert.config",
    "LabelModel": "minbert.labels.model",
    "MultitaskBert": "minbert.multitask",
    "MultitaskConfig": "minbert.config",
    "Predictor": "minbert.predictor",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """Return a public name, imported when it is asked for: the page sets what torch reads first.

    Raises:
        AttributeError: there is no such name.
    """
    if name in MODULES:
        return getattr(importlib.import_module(MODULES[name]), name)
    raise AttributeError(f"minbert has no {name!r}.")
