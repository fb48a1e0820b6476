"""Our own lists of demographic terms, by category, for `minbert.demographics.terms_in_text`.

They are in terms.json, in three parts:

- `listed`, in lower case: rule -> category -> placeholder -> terms. The rules: `any` terms are
  masked in any case; `people` terms are everyday words too, masked before a word of `person_nouns`,
  after "the" without a noun ("the blind") and after "I am" without one; `lower` terms are masked in
  lower case only, for with a capital they are mostly names (a band, a firm, a river).
- `exact`, likewise, of terms that are masked with exactly these capitals: "polish" is a verb and a
  swede is a vegetable. The rule `name` asks for a capitalised word after the term.
- `words`: `kept` phrases stay as they are, because their words name no group of people there.
  `languages` stay after `speaking`, before `language_words`, and after "in", "into", "to", "from"
  where no noun follows. `function_words` don't continue a noun phrase: before one, "her" is "them"
  and "a Muslim" a believer.

A space in a term stands for spaces or hyphens. A placeholder `x/y` means `x` before a noun and `y`
elsewhere: "her book" and "saw her". Every placeholder is a plain word of BERT's vocabulary and no
listed term. "Child", "kid" and "adult" are no terms: they say a role as often as an age, and
"daughter" becomes one of them. "He" and "she" are in terms_in_text.py: their verbs change too.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

from minbert.files import CheckpointError, list_of_strings, read_json

FILE = Path(__file__).with_name("terms.json")
Table = Mapping[str, Mapping[str, Mapping[str, object]]]  # rule -> category -> placeholder -> terms


@dataclasses.dataclass(frozen=True)
class Term:
    """One listed term's category, its placeholders, and the rule that says when to mask it."""

    category: str
    before_noun: str
    alone: str
    rule: str


@dataclasses.dataclass(frozen=True)
class Lists:
    """The terms and words of terms.json; the module's docstring says what each is for."""

    listed: Mapping[str, Term]
    exact: Mapping[str, Term]  # looked up before `listed`
    kept: frozenset[str]
    person_nouns: frozenset[str]
    languages: frozenset[str]
    speaking: frozenset[str]
    language_words: frozenset[str]
    function_words: frozenset[str]
    openers: frozenset[str]
    determiners: frozenset[str]


@functools.cache
def term_lists() -> Lists:
    """Return the lists, read from terms.json once.

    Raises:
        CheckpointError: the file is missing, torn, or of another form.
    """
    return read_lists(FILE)


def read_lists(path: Path) -> Lists:
    """Return the lists of a file.

    Raises:
        CheckpointError: the file is missing, torn, or of another form.
    """
    values = read_json(path)
    try:
        words = {name: frozenset(list_of_strings(each)) for name, each in values["words"].items()}
        return Lists(_terms(values["listed"]), _terms(values["exact"]), **words)
    except (AttributeError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} should hold `listed` and `exact` terms by rule, category and placeholder, and "
            f"lists of `words` by name. Found another form ({error}); restore the file."
        ) from error


def _terms(table: Table) -> dict[str, Term]:
    return {
        word: Term(category, placeholder.split("/")[0], placeholder.split("/")[-1], rule)
        for rule, categories in table.items()
        for category, placeholders in categories.items()
        for placeholder, words in placeholders.items()
        for word in list_of_strings(words)
    }
