"""Which pooling serves somebody's labels better: both judged on the same folds, in steps.

Report: section 4.3, heads on a frozen encoder, with the head fitted to the end.
Between two steps nothing is queued and nothing is computed: who stops asking stops the work.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Generator, Iterator, Mapping

import torch
from torch import Tensor

from minbert.labels.examples import LabelledTexts
from minbert.labels.folds import FOLDS, REPEATS, Trial, canonical_order, trials_of
from minbert.labels.intervals import confusion, macro_f1, paired_difference, wilson
from minbert.labels.probe import Probe
from minbert.labels.regression import INVERSE_L2, fit_regression, fit_regressions
from minbert.labels.results import Baseline, Comparison, CurvePoint, Mistake, Progress, Side
from minbert.labels.verdicts import alone, curve_verdict, verdict
from minbert.predictor import Predictor
from minbert.serving import bulk_work
from minbert.text import Encoded, length_batches

TRIAL_TOLERANCE = 1e-4  # scikit-learn's own; answers don't feel it, and it saves a third
TOKENS_A_STEP = 1024  # a third of a second on one core
EMBEDDING_SHARE = 0.8  # of all the time, roughly


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some sentences for one model, of similar length."""

    name: str  # of the model
    predictor: Predictor
    rows: tuple[int, ...]  # places in the examples
    inputs: tuple[Encoded, ...]

    def embed(self) -> Tensor:
        """Return the pooled embeddings, (rows, D) float32, behind whoever asks something quick."""
        with bulk_work():
            return self.predictor.pooled(self.inputs)


class LabelWork:
    """A comparison to be done: chunks to embed, in any order, and then the judging."""

    def __init__(
        self,
        examples: LabelledTexts,
        models: Mapping[str, Predictor],
        *,
        names: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        """Tokenise the sentences and draw the folds.

        Args:
            examples: what to learn and to test.
            models: one or two by name; served ones where others ask too.
            names: of their poolings, for the words; None: the configs'.
            seed: of folds, training rows and bootstrap.

        Raises:
            ValueError: another number of models.
        """
        if len(models) not in (1, 2):
            raise ValueError(f"`models` should be one or two. Found {len(models)}.")
        self.examples, self.models, self.seed = examples, models, seed
        self.called = {
            name: f"{(names or {}).get(name, one.config.pooling)} pooling"
            for name, one in models.items()
        }
        self.cut: dict[str, int] = {}
        self.chunks: list[Chunk] = []
        self.embeddings: dict[str, Tensor] = {}
        order = canonical_order(examples.texts, examples.labels)
        for name, predictor in models.items():
            inputs = predictor.encode_single([examples.texts[row] for row in order])
            self.cut[name] = sum(item.left_out > 0 for item in inputs)
            width = predictor.config.encoder.hidden_size
            self.embeddings[name] = torch.full((len(order), width), torch.nan)
            for places in length_batches(inputs, tokens=TOKENS_A_STEP):
                rows = tuple(order[place] for place in places)
                kept = tuple(inputs[place] for place in places)
                self.chunks.append(Chunk(name, predictor, rows, kept))
        self.trials = trials_of(examples.texts, examples.labels, order, seed)
        self._order = order

    def put(self, chunk: Chunk, embeddings: Tensor) -> None:
        """Take a chunk's embeddings, (rows, D)."""
        self.embeddings[chunk.name][list(chunk.rows)] = embeddings

    def judge(self) -> Iterator[Progress | Comparison]:
        """Fit and test, once all chunks are there; yield how far it is, at last the comparison.

        Raises:
            FitError: a chunk is missing, or embeddings that no regression can be fitted to.
        """
        whole = (len(self._groups()) + 1) * len(self.models)
        sides: list[Side] = []
        done = 0
        for name in self.models:
            steps = self._side(name)
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    sides.append(end.value)
                    break
                done += 1
                told = f"Learning and testing, {self.called[name]}: {done:,} of {whole:,}"
                yield Progress(told, EMBEDDING_SHARE + (1 - EMBEDDING_SHARE) * done / whole)
        yield self._compared(sides)

    def _groups(self) -> list[list[Trial]]:
        """Return the trials that are fitted together: those that learn from as many rows."""
        groups: dict[int | None, list[Trial]] = {}
        for trial in self.trials:
            groups.setdefault(trial.size, []).append(trial)
        return list(groups.values())

    def _side(self, name: str) -> Generator[None, None, Side]:
        """Judge one model's embeddings; pause after the fits of each size."""
        examples, embeddings = self.examples, self.embeddings[name]
        labels, classes = torch.tensor(examples.labels), len(examples.classes)
        answers = torch.zeros_like(labels)
        chances = torch.zeros(len(labels), classes, dtype=torch.float64)
        hits: Counter[int | None] = Counter()
        for trials in self._groups():
            parts = [trial.learned for trial in trials]
            fits = fit_regressions(embeddings, labels, classes, parts, tolerance=TRIAL_TOLERANCE)
            for trial, fitted in zip(trials, fits, strict=True):
                found = fitted.probabilities(embeddings[trial.tested])
                hits[trial.size] += int((found.argmax(dim=1) == labels[trial.tested]).sum())
                if trial.size is None:
                    chances[trial.tested] = found
                    answers[trial.tested] = found.argmax(dim=1)
            yield
        fitted = fit_regression(embeddings[self._order], labels[self._order], classes)
        yield
        counts = confusion(examples.labels, answers.tolist(), classes)
        accuracy = wilson(hits[None] / len(labels), len(labels))
        f1 = macro_f1(counts, seed=self.seed)
        curve = self._curve(hits)
        wrong = (answers != labels).nonzero()[:, 0].tolist()
        mistakes = [
            Mistake(
                row,
                answer := int(answers[row]),
                float(chances[row, answer]),
                float(chances[row, labels[row]]),
            )
            for row in wrong
        ]
        config, model = self.models[name].config, self.models[name].model
        return Side(
            name=name,
            called=self.called[name],
            accuracy=accuracy,
            macro_f1=f1,
            confusion=tuple(map(tuple, counts.tolist())),
            answers=tuple(answers.tolist()),
            mistakes=tuple(sorted(mistakes, key=lambda each: (-each.probability, each.row))),
            curve=curve,
            curve_told=curve_verdict(
                [point.rows for point in curve], [point.accuracy for point in curve]
            ),
            cut=self.cut[name],
            probe=Probe(
                classes=examples.classes,
                counts=examples.counts,
                regression=fitted,
                pooling=config.pooling,
                max_length=config.max_length,
                encoder=dict(model.sums),
                inverse_l2=INVERSE_L2,
                accuracy=accuracy,
                macro_f1=f1,
            ),
        )

    def _curve(self, hits: Mapping[int | None, int]) -> tuple[CurvePoint, ...]:
        n = len(self.examples)
        whole = [len(trial.learned) for trial in self.trials if trial.size is None]
        points = [
            CurvePoint(
                round(sum(whole) / FOLDS) if size is None else size,
                wilson(count / (n if size is None else n * REPEATS), n),
            )
            for size, count in hits.items()
        ]
        return tuple(sorted(points, key=lambda point: point.rows))

    def _compared(self, sides: list[Side]) -> Comparison:
        examples = self.examples
        n, label = len(examples), examples.counts.index(max(examples.counts))
        baseline = Baseline(label, wilson(examples.counts[label] / n, n))
        if len(sides) == 2:
            ours, theirs = right(sides[1], examples), right(sides[0], examples)
            difference = paired_difference(ours, theirs, seed=self.seed)
            names = sides[1].called, sides[0].called
            told = verdict(difference, n, *names, sides[1].accuracy.value)
        else:
            difference = None
            told = alone(sides[0].called, sides[0].accuracy, baseline.accuracy, n)
        cut = max(self.cut.values())
        notes = (f"{cut:,} of the sentences are longer than the models read, and cut.",)
        return Comparison(
            examples=examples,
            sides=tuple(sides),
            difference=difference,
            verdict=told,
            baseline=baseline,
            folds=FOLDS,
            notes=examples.notes + (notes if cut else ()),
        )


def right(side: Side, examples: LabelledTexts) -> list[bool]:
    """Say of each of N rows whether a side gets it right."""
    both = zip(side.answers, examples.labels, strict=True)
    return [answer == label for answer, label in both]


def compare_in_steps(
    examples: LabelledTexts,
    models: Mapping[str, Predictor],
    *,
    names: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Iterator[Progress | Comparison]:
    """Embed, fit and test; yield how far it is, at last the comparison.

    Closing the iterator stops the work; a step takes less than a second where nobody else asks.

    Args:
        examples: what to learn and to test.
        models: one or two predictors by name; served ones where others ask too.
        names: of their poolings, for the words; None: the configs'.
        seed: of folds, training rows and bootstrap.

    Raises:
        ValueError: another number of models.
        FitError: embeddings that no regression can be fitted to.
    """
    work = LabelWork(examples, models, names=names, seed=seed)
    tokens = sum(len(item) for chunk in work.chunks for item in chunk.inputs)
    done, read = 0, Counter[str]()
    for chunk in work.chunks:
        told = f"{read[chunk.name]:,} of {len(examples):,}"
        what = f"Reading the sentences, {work.called[chunk.name]}: {told}"
        yield Progress(what, EMBEDDING_SHARE * done / tokens)
        work.put(chunk, chunk.embed())
        read[chunk.name] += len(chunk.rows)
        done += sum(map(len, chunk.inputs))
    yield from work.judge()


def compare(
    examples: LabelledTexts,
    models: Mapping[str, Predictor],
    *,
    names: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Embed, fit and test all at once; arguments and errors are those of `compare_in_steps`."""
    for step in compare_in_steps(examples, models, names=names, seed=seed):
        if isinstance(step, Comparison):
            return step
    raise AssertionError("the last step is the comparison")
