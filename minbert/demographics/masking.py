"""The masking switch: a predictor that reads [MASK] in place of each demographic term.

Report section 8 proposes to "mask or abstract away demographic information". Abstracting is
`mask_demographics` (terms_in_text.py); masking is this: after the switch every answer and every
explanation is of the masked text. Differs from the report: it only proposes, for training; the
model here was trained on unmasked text, so that [MASK] is new to its heads.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from minbert.demographics.terms_in_text import find_terms
from minbert.predictor import Predictor
from minbert.text import Tokenizer, normalise

_AN = re.compile(r"\b(a)n(\s+)$", re.IGNORECASE)


class MaskingTokenizer(Tokenizer):
    """A tokenizer that turns each demographic term into one [MASK], however many pieces it has."""

    def __init__(self, plain: Tokenizer) -> None:
        """Share all that `plain` has; `plain` itself stays as it is."""
        self.__dict__.update(plain.__dict__)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Normalise and split texts into word-piece ids, without special tokens but [MASK]."""
        parts = [parts_of(normalise(text)) for text in texts]
        known = iter(super().pieces([part for split in parts for part in split]))
        found = []
        for split in parts:
            ids = list(next(known))
            for _ in split[1:]:
                ids += [self.mask_id, *next(known)]
            found.append(ids)
        return found


def parts_of(text: str) -> list[str]:
    """Return what stands around a text's demographic terms: one part more than terms.

    "An" before a term becomes "a": it would tell how the hidden word begins.
    """
    parts, end = [], 0
    for term in find_terms(text):
        parts.append(_AN.sub(r"\1\2", text[end : term.start]))
        end = term.end
    return [*parts, text[end:]]


def masking(predictor: Predictor) -> Predictor:
    """Return a predictor of the same model, on the same queue, that masks before it reads."""
    found = copy.copy(predictor)
    found.tokenizer = MaskingTokenizer(predictor.tokenizer)
    return found
