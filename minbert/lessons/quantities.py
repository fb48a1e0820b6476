"""The quantities that a lesson's claim may name: dotted names of what the models answer.

    mean.first.expected                 expected rating of A, 0 to 4; `second` for B
    cls.first.very negative             probability of a class of sentiment
    cls.first.label                     the most probable class
    mean.pair.paraphrase                probability; paraphrase_ab and paraphrase_ba: in one order
    mean.pair.score                     similarity, 0 to 5; also joint and siamese
    mean.attention.layer3.to_sep        share of the attention, a mean over heads; or a_to_b
    mean.attention.layer3.head2.to_sep  of one head
    mean_less_cls.first.expected        the mean model's number less the CLS model's

Attention is that of A and B read together, or of A where there is no B.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable

from minbert.answers import PairResult, SentimentResult
from minbert.explain.heads_summary import HeadsSummary, summarise_heads
from minbert.predictor import Predictor
from minbert.tasks import SENTIMENT

MODELS = ("mean", "cls")
DIFFERENCE = "mean_less_cls"
RATINGS, SCORES, SHARES = 4.0, 5.0, 1.0  # from the least to the most: rating, similarity, share
PAIR_SPANS = {
    **dict.fromkeys(("paraphrase", "paraphrase_ab", "paraphrase_ba"), SHARES),
    **dict.fromkeys(("score", "joint", "siamese"), SCORES),
}
SENTENCE = re.compile(rf"(first|second)\.(expected|label|{'|'.join(SENTIMENT.labels)})")
PAIR = re.compile(rf"pair\.({'|'.join(PAIR_SPANS)})")
ATTENTION = re.compile(r"attention\.layer([1-9]\d?)(?:\.head([1-9]\d?))?\.(to_sep|a_to_b)")


class LessonError(ValueError):
    """A file of lessons that can't be used; the message names the key and the rule it breaks."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What one model answers about a sentence, or about two; asked when first needed."""

    predictor: Predictor
    first: str
    second: str  # empty for A alone

    @functools.cached_property
    def answer(self) -> tuple[list[SentimentResult], PairResult | None]:
        """Return the sentiment of A, and of B, and the pair's answer where there is B."""
        if self.second:
            return self.predictor.answer(self.first, self.second)
        return self.predictor.sentiment([self.first]), None

    @functools.cached_property
    def heads(self) -> HeadsSummary:
        """Return what each head attends to."""
        return summarise_heads(self.predictor.attention(self.first, self.second or None))


Read = Callable[[Facts], float | SentimentResult]


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number of one model's answer, a sentence's class, or the difference of both numbers."""

    name: str
    model: str  # of MODELS, or DIFFERENCE
    span: float | None  # from the least to the most it can be; None: a class
    needs_second: bool  # A alone has no such quantity
    read: Read = dataclasses.field(compare=False, repr=False)


def quantity_of(name: str) -> Quantity | None:
    """Return the quantity of this name; None: there is none."""
    model, _, rest = name.partition(".")
    if model not in (*MODELS, DIFFERENCE):
        return None
    if found := SENTENCE.fullmatch(rest):
        return sentence_quantity(name, model, place=int(found[1] == "second"), field=found[2])
    if found := PAIR.fullmatch(rest):
        return pair_quantity(name, model, found[1])
    if found := ATTENTION.fullmatch(rest):
        layer, head, measure = int(found[1]), int(found[2] or 0), found[3]
        return attention_quantity(name, model, layer, head, measure)
    return None


def sentence_quantity(name: str, model: str, place: int, field: str) -> Quantity | None:
    """Return a quantity of A (place 0) or B; None: of two classes there is no difference."""
    if field == "label":
        if model == DIFFERENCE:
            return None
        return Quantity(name, model, None, bool(place), lambda facts: facts.answer[0][place])

    def read(facts: Facts) -> float:
        result = facts.answer[0][place]
        if field == "expected":
            return result.expected
        return result.probabilities[SENTIMENT.labels.index(field)]

    return Quantity(name, model, RATINGS if field == "expected" else SHARES, bool(place), read)


def pair_quantity(name: str, model: str, field: str) -> Quantity:
    """Return a quantity of A and B together."""

    def read(facts: Facts) -> float:
        _, pair = facts.answer
        return float(getattr(pair, field))

    return Quantity(name, model, PAIR_SPANS[field], needs_second=True, read=read)


def attention_quantity(name: str, model: str, layer: int, head: int, measure: str) -> Quantity:
    """Return a share of the attention; layer and head count from 1, head 0 is the mean."""

    def read(facts: Facts) -> float:
        shares = getattr(facts.heads, measure)  # (L, H)
        numbers = {"layer": layer, "head": head}
        for (kind, number), most in zip(numbers.items(), shares.shape, strict=True):
            if number > most:
                raise LessonError(
                    f"`quantity` should name a {kind} from 1 to {most}. Found {name!r}."
                )
        of_layer = shares[layer - 1]
        return float(of_layer.mean() if head == 0 else of_layer[head - 1])

    return Quantity(name, model, SHARES, needs_second=measure == "a_to_b", read=read)
