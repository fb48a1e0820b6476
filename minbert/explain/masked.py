"""One word hidden from the model: what it answers, and where it looks, with [MASK] in its place.

[MASK] is what BERT was pretrained to fill (Devlin et al. 2019, section 3.1), so an input with one
is closer to what the encoder knows than one with a word missing; fine-tuning never showed it one.
"""

from __future__ import annotations

import torch

from minbert.answers import PairResult, SentimentResult
from minbert.explain.occlusion import leave_out
from minbert.explain.words import words_of
from minbert.predictor import Predictor, TaskEmbeddings
from minbert.text import Encoded


def mask_word(predictor: Predictor, item: Encoded, place: int, entry: int) -> Encoded:
    """Return an input with [MASK] in place of each piece of one word.

    Args:
        predictor: for its tokenizer.
        item: one sentence, or a joint pair.
        place: the sentence within the input, 0 in front.
        entry: the word's number in that sentence, from 0; one that truncation dropped changes
            nothing.
    """
    words = words_of(item, predictor.tokenizer)
    entries = words.sentences[place]
    if entry >= len(entries):
        return item
    return leave_out(item, words.groups[entries[entry]], predictor.tokenizer.mask_id)


@torch.inference_mode()
def answer_masked(
    predictor: Predictor, first: str, second: str, sentence: int, entry: int
) -> tuple[list[SentimentResult], PairResult | None]:
    """Answer all tasks with one word masked wherever the model reads it.

    Args:
        predictor: that answers.
        first: A.
        second: B; empty for A alone, which has no pair to answer.
        sentence: that holds the word, 0 for A and 1 for B.
        entry: as in `mask_word`.

    Raises:
        ValueError: a word of B without a B.
    """
    if sentence not in ((0, 1) if second else (0,)):
        raise ValueError(f"`sentence` should be 0, or 1 where there is a B. Found {sentence}.")
    singles = predictor.encode_single([first, second] if second else [first])
    singles[sentence] = mask_word(predictor, singles[sentence], 0, entry)
    alone = TaskEmbeddings(predictor, lambda: singles)
    sentiments = predictor.sentiment_of(alone.of("sentiment"), alone.left_out)
    if not second:
        return sentiments, None
    there, back = predictor.encode_joint([(first, second), (second, first)])
    orders = [
        mask_word(predictor, there, sentence, entry),
        mask_word(predictor, back, 1 - sentence, entry),
    ]
    (pair,) = predictor.pairs_of(TaskEmbeddings(predictor, lambda: orders), alone)
    return sentiments, pair
