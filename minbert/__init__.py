"""minBERT: one BERT encoder, three sentence tasks, written to be read.

One legend of shapes for the whole package:

    B  batch            H  attention heads
    T  tokens           L  layers
    D  hidden size      C  classes

Everything here serves inference; training lives in `trainer`, the page in `minbert.ui`.
"""

from typing import TYPE_CHECKING, Any

from minbert.config import BertConfig, MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor

if TYPE_CHECKING:
    from minbert.labels.model import LabelModel

__version__ = "0.1.0"
__all__ = [
    "BertConfig",
    "LabelModel",
    "MultitaskBert",
    "MultitaskConfig",
    "Predictor",
    "__version__",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """Return `LabelModel`, imported when it is asked for: it takes longer than all the others.

    Raises:
        AttributeError: there is no such name.
    """
    if name == "LabelModel":
        from minbert.labels.model import LabelModel

        return LabelModel
    raise AttributeError(f"minbert has no {name!r}.")
