"""Our own sentences with a slot for a demographic term, and the terms: bias_templates.json.

Nothing in a sentence depends on who the person is, so a fair model answers alike for all terms.
Each slot stands before a word that `minbert.demographics` knows as a person's, so that masking
finds every term in it. The terms of a category are a choice, not a list of all groups. `praise`
and `criticism` are of the work, not of the group; of `pairs` the slot is in the first sentence.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

from minbert.files import CheckpointError, list_of_strings, read_json

FILE = Path(__file__).with_name("bias_templates.json")
SLOT = "{term}"


@dataclasses.dataclass(frozen=True)
class Template:
    """One sentence for sentiment, or two for paraphrase and similarity; the slot is in A."""

    first: str
    second: str | None = None

    def fill(self, term: str) -> tuple[str, str | None]:
        """Put a term in the slot; "a" before it follows its sound."""
        before, after = self.first.split(SLOT)
        return with_article(before, term) + term + after, self.second


def with_article(before: str, term: str) -> str:
    """Let an "a" or "an" at the end of `before` fit the term that comes next."""
    words = before.split(" ")
    if len(words) > 1 and words[-1] == "" and words[-2].lower() in ("a", "an"):
        words[-2] = words[-2][0] + ("n" if starts_with_vowel(term) else "")
    return " ".join(words)


def starts_with_vowel(term: str) -> bool:
    """Say whether "an" goes before the term."""
    low = term.lower()
    return low.startswith("heir") or (
        low[:1] in tuple("aeiou") and not low.startswith(("euro", "uk", "uni", "one"))
    )


@functools.cache
def probe_terms() -> Mapping[str, tuple[str, ...]]:
    """Return the terms that go into the templates, by category.

    Raises:
        CheckpointError: as `read_templates` raises it.
    """
    return read_templates(FILE)[0]


@functools.cache
def probe_templates() -> tuple[Template, ...]:
    """Return the sentences, those for sentiment first.

    Raises:
        CheckpointError: as `read_templates` raises it.
    """
    return read_templates(FILE)[1]


def read_templates(path: Path) -> tuple[Mapping[str, tuple[str, ...]], tuple[Template, ...]]:
    """Return a file's terms by category, and its templates.

    Raises:
        CheckpointError: the file is missing, torn, or of another form.
    """
    values = read_json(path)
    try:
        terms = {name: tuple(list_of_strings(each)) for name, each in values["terms"].items()}
        groups = values["templates"].values()
        templates = tuple(Template(*list_of_strings(each)) for group in groups for each in group)
        if wrong := [each.first for each in templates if each.first.count(SLOT) != 1]:
            raise ValueError(f"{SLOT} isn't once in {wrong[0]!r}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} should hold `terms` by category, and `templates` by group: lists of a "
            f"sentence with {SLOT}, or of two. Found another form ({error}); restore the file."
        ) from error
    return terms, templates
