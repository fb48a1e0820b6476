"""The masking switch: a predictor that reads [MASK] in place of each demographic term.

Report section 8 proposes to "mask or abstract away demographic information". Abstracting is
`mask_demographics` (terms_in_text.py); masking is this: after the switch every answer and every
explanation is of the masked text. Differs from the report: it only proposes, for training; the
model here was trained on unmasked text, so that [MASK] is new to its heads.
"""

from __future__ import annotations

import re

from minbert.demographics.terms_in_text import find_terms
from minbert.predictor import Predictor
from minbert.text import MASK

_AN = re.compile(r"\b(a)n(\s+)$", re.IGNORECASE)


def parts_of(text: str) -> list[str]:
    """Return what stands around a text's demographic terms: one part more than terms.

    "An" before a term becomes "a": it would show how the hidden word begins.
    """
    parts, end = [], 0
    for term in find_terms(text):
        parts.append(_AN.sub(r"\1\2", text[end : term.start]))
        end = term.end
    return [*parts, text[end:]]


def mask_terms(text: str) -> str:
    """Return a normalised text with [MASK] in place of each demographic term."""
    return MASK.join(parts_of(text))


def masking(predictor: Predictor) -> Predictor:
    """Return a predictor of the same model, at the same place, that masks before it reads."""
    return predictor.with_transform(mask_terms)
