"""Words to try in another's place: our own groups, in replacements.json, to be edited freely.

A word is replaced by the other words of every group it is in. Within a group all words fit the
same place in a sentence, most of the time. In lower case; a capital or capitals are put back.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from minbert.demographics.terms_in_text import in_case_of
from minbert.files import CheckpointError, list_of_strings, read_json

FILE = Path(__file__).with_name("replacements.json")


@functools.cache
def word_groups(path: Path = FILE) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return a file's groups by kind, read once; without a path our own.

    Raises:
        CheckpointError: the file is missing, torn, or of another form.
    """
    try:
        return {
            kind: tuple(tuple(list_of_strings(group)) for group in groups)
            for kind, groups in read_json(path).items()
        }
    except TypeError as error:
        raise CheckpointError(
            f"{path} should hold lists of groups by kind, each group a list of words. "
            f"Found another form ({error}); restore the file."
        ) from error


def replacements_for(word: str) -> list[tuple[str, str]]:
    """Return (kind, replacement) for a word in any case, in its case; none for an unknown word."""
    plain = word.replace("’", "'").lower()
    found = {
        other: kind
        for kind, groups in word_groups().items()
        for group in groups
        if plain in group
        for other in group
        if other != plain
    }
    return [(kind, in_case_of(other, word)) for other, kind in found.items()]
