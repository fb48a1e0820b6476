"""Labels of one's own: which pooling serves them better, and a model that gives them.

`read_examples` or `examples_of`, `compare` or `compare_in_steps`, `LabelModel`; plain values only.
Beside the package's shapes:

    N  sentences with a label       C  somebody's own classes
"""

from minbert.labels.comparison import Chunk, LabelWork, compare, compare_in_steps
from minbert.labels.examples import (
    FEWEST_CLASSES,
    FEWEST_OF_A_CLASS,
    FEWEST_ROWS,
    MOST_CLASSES,
    MOST_ROWS,
    ExamplesError,
    LabelledTexts,
    examples_of,
    read_examples,
)
from minbert.labels.intervals import Difference, Interval
from minbert.labels.model import LabelAnswer, LabelModel
from minbert.labels.probe import Probe, load_probe, loading_lines, save_probe, zipped
from minbert.labels.regression import INVERSE_L2, FitError, Regression, fit_regression
from minbert.labels.results import Baseline, Comparison, CurvePoint, Mistake, Progress, Side

__all__ = [
    "FEWEST_CLASSES",
    "FEWEST_OF_A_CLASS",
    "FEWEST_ROWS",
    "INVERSE_L2",
    "MOST_CLASSES",
    "MOST_ROWS",
    "Baseline",
    "Chunk",
    "Comparison",
    "CurvePoint",
    "Difference",
    "ExamplesError",
    "FitError",
    "Interval",
    "LabelAnswer",
    "LabelModel",
    "LabelWork",
    "LabelledTexts",
    "Mistake",
    "Probe",
    "Progress",
    "Regression",
    "Side",
    "compare",
    "compare_in_steps",
    "examples_of",
    "fit_regression",
    "load_probe",
    "loading_lines",
    "read_examples",
    "save_probe",
    "zipped",
]
