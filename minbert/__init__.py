"""minBERT: one BERT encoder, three sentence tasks, written to be read.

One legend of shapes for the whole package:

    B  batch            H  attention heads
    T  tokens           L  layers
    D  hidden size      C  classes

Everything here serves inference; training lives in `trainer`, the page in `minbert.ui`.
"""

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
