"""What is explained: one number that the model makes of its inputs' embeddings.

All explanations that follow a number (gradients, words left out, words replaced) take it from
here, so that they explain the same thing. The numbers have no ceiling where that can be helped: a
probability of .99 hardly moves whatever happens to the text, its log-odds do. Their signs say what
the page says, because both orders of a pair are averaged as `Predictor.pairs` does:

- sentiment: the log-odds of one class against all others; or the expected rating, 0 to 4;
- paraphrase: the log-odds of "yes", whose probability is the mean of both orders';
- similarity: 0 to 5, not clamped: 'joint' (mean of both orders), 'siamese', or their 'mean'.

Log-odds and ratings are those of the calibrated probabilities, the page's own. The temperature and
the offset are part of the number, so what must add up to it still does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.answers import SentimentResult
from minbert.checks import check_text
from minbert.config import SIMILARITY_SCORES
from minbert.explain.occlusion import embedder
from minbert.explain.words import merge_sum, words_of
from minbert.metrics import THRESHOLD
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import similarity_band, task_named
from minbert.text import Encoded

EXPECTED = "expected"  # sentiment's target beside the class numbers
YES = "yes"  # paraphrase's only target


@dataclasses.dataclass(frozen=True)
class Reading:
    """One encoder input, and where the sentences A and B are in it."""

    item: Encoded
    places: tuple[int | None, int | None]  # of A and of B, 0 in front; None: not in there


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the page says: a label, and the number behind it."""

    label: str  # class, yes or no, or similarity band
    value: float  # expected rating 0-4, probability of yes, or similarity 0-5, not clamped


@dataclasses.dataclass(frozen=True)
class WordScores:
    """A sentence's words, or its pieces, with a number each; [CLS] and [SEP] are not there."""

    words: tuple[str, ...] = ()
    values: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class Target:
    """One number of one task; made by `target_for`."""

    task: str
    score: int | str  # class number or 'expected'; 'yes'; 'joint', 'siamese' or 'mean'

    def readings(
        self, predictor: Predictor, first: str, second: str | None = None
    ) -> list[Reading]:
        """Return the R encoder inputs that the number is made of."""
        if second is None:
            (item,) = predictor.encode_single([first])
            return [Reading(item, (0, None))]
        towers = self.task == "paraphrase" and predictor.config.paraphrase_head == "two_tower"
        joint = not towers and self.score != "siamese"
        single = towers or self.score in ("siamese", "mean")
        found = []
        if joint:
            there, back = predictor.encode_joint([(first, second), (second, first)])
            found += [Reading(there, (0, 1)), Reading(back, (1, 0))]
        if single:
            a, b = predictor.encode_single([first, second])
            found += [Reading(a, (0, None)), Reading(b, (None, 0))]
        return found

    def left_out(self, predictor: Predictor, first: str, second: str | None = None) -> int:
        """Count the word pieces of A and B that truncation dropped from what the number reads."""
        readings = self.readings(predictor, first, second)
        joint = [each.item.left_out for each in readings if None not in each.places]
        return max(sum(each.item.left_out for each in readings if None in each.places), *joint, 0)

    def of(self, model: MultitaskBert, embeddings: Sequence[Tensor]) -> Tensor:
        """Compute the number, (E,) on the model's device, with gradients where they are on.

        Args:
            model: whose heads are asked.
            embeddings: of the R readings, each (E, D).
        """
        device = model.encoder.embeddings.word.weight.device
        inputs = [embedding.to(device) for embedding in embeddings]
        if self.task == "sentiment":
            return self._sentiment(model.calibrated_sentiment(inputs[0]))
        if self.task == "paraphrase":
            return mean_log_odds(*_calibrated_paraphrase(model, inputs))
        scores = []
        if self.score != "siamese":
            scores.append(
                (model.joint_similarity(inputs[0]) + model.joint_similarity(inputs[1])) / 2
            )
        if self.score != "joint":
            scores.append(model.siamese_similarity(inputs[-2], inputs[-1]))
        return torch.stack(scores).float().mean(dim=0)

    def _sentiment(self, logits: Tensor) -> Tensor:
        if self.score == EXPECTED:
            return logits.softmax(dim=-1) @ torch.arange(logits.shape[-1]).to(logits)
        others = [place for place in range(logits.shape[-1]) if place != self.score]
        return logits[:, int(self.score)] - logits[:, others].logsumexp(dim=-1)

    def answers(self, model: MultitaskBert, embeddings: Sequence[Tensor]) -> list[Answer]:
        """Return what the page would say, for each of E embeddings of the R readings (E, D)."""
        if self.task == "sentiment":
            logits = model.calibrated_sentiment(embeddings[0].to(next(model.parameters()).device))
            results = [SentimentResult(tuple(row)) for row in logits.softmax(-1).tolist()]
            return [Answer(result.label, result.expected) for result in results]
        values = self.of(model, embeddings)
        if self.task == "paraphrase":
            chances = values.sigmoid().tolist()
            return [Answer("yes" if chance > THRESHOLD else "no", chance) for chance in chances]
        return [Answer(similarity_band(value), value) for value in values.tolist()]


def _calibrated_paraphrase(model: MultitaskBert, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the log-odds of "yes", each (E,), for A before B and for B before A."""
    there, back = inputs
    if model.config.paraphrase_head == "two_tower":
        there, back = (model.paraphrase_features(u, v) for u, v in (inputs, inputs[::-1]))
    return model.calibrated_paraphrase(there), model.calibrated_paraphrase(back)


def mean_log_odds(first: Tensor, second: Tensor) -> Tensor:
    """Return the log-odds of the mean of two probabilities that are given by their logits."""
    yes = torch.logaddexp(F.logsigmoid(first), F.logsigmoid(second))
    return yes - torch.logaddexp(F.logsigmoid(-first), F.logsigmoid(-second))


def target_for(
    predictor: Predictor,
    task: str,
    target: int | str | None,
    first: str,
    second: str | None,
) -> Target:
    """Check what is asked for, and fill in what `None` stands for.

    Args:
        predictor: whose answer is explained.
        task: 'sentiment' of `first`, or 'paraphrase' or 'similarity' of both sentences.
        target: see the module; None: the predicted class, 'yes', or the checkpoint's own
            `similarity_score`.
        first: A.
        second: B, or None for sentiment.

    Raises:
        ValueError: an unknown task or target, a sentence too few or too many, or one that is
            missing or blank.
    """
    check_text(first, "first")
    if second is not None:
        check_text(second, "second")
    pair = task_named(task).pair
    if pair != (second is not None):
        needed = "both sentences" if pair else "one sentence, explained by itself"
        raise ValueError(f"`second` should fit {task!r}, which takes {needed}. Found {second!r}.")
    if task == "sentiment":
        if target is None:
            probabilities = predictor.sentiment([first])[0].probabilities
            target = probabilities.index(max(probabilities))
        known: tuple[int | str, ...] = (*range(predictor.config.sentiment_classes), EXPECTED)
    elif task == "paraphrase":
        target, known = target or YES, (YES,)
    else:
        target, known = target or predictor.config.similarity_score, SIMILARITY_SCORES
    if target not in known or isinstance(target, bool):
        raise ValueError(
            f"`target` of {task!r} should be one of {', '.join(map(repr, known))}. "
            f"Found {target!r}."
        )
    return Target(task, target)


@torch.inference_mode()
def embeddings_of(
    predictor: Predictor, target: Target, variants: Sequence[Sequence[Encoded]]
) -> list[Tensor]:
    """Embed E variants of the R readings, in batches, equal inputs once: R tensors (E, D)."""
    rows = embedder(predictor, [item for variant in variants for item in variant])(target.task)
    by_reading = rows.reshape(len(variants), -1, rows.shape[-1])  # (E, R, D)
    return list(by_reading.unbind(dim=1))


def gather(
    predictor: Predictor,
    readings: Sequence[Reading],
    values: Sequence[Tensor],
    *,
    pieces: bool = False,
) -> tuple[WordScores, WordScores]:
    """Sum the tokens' values into A's words and B's words, over all readings.

    Truncation may cut more of a sentence in one reading than in another; a word counts where it
    is read.

    Args:
        predictor: for its tokenizer.
        readings: R encoder inputs.
        values: R tensors (T,), a number for each token.
        pieces: an entry for each word piece, not for each word.
    """
    labels: tuple[list[str], list[str]] = ([], [])
    sums: tuple[list[float], list[float]] = ([], [])
    for reading, found in zip(readings, values, strict=True):
        words = words_of(reading.item, predictor.tokenizer, pieces=pieces)
        merged = merge_sum(found, words.groups).tolist()
        for side, place in enumerate(reading.places):
            entries = () if place is None else words.sentences[place]
            for number, entry in enumerate(entries):
                if number == len(labels[side]):
                    labels[side].append(words.labels[entry])
                    sums[side].append(0.0)
                sums[side][number] += merged[entry]
    a, b = (WordScores(tuple(labels[side]), tuple(sums[side])) for side in (0, 1))
    return a, b
