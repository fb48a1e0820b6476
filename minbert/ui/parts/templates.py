"""HTML from templates: jinja2 files below minbert/ui/, each value escaped."""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

UI = Path(__file__).resolve().parents[1]


@functools.cache
def environment() -> Environment:
    """Return what reads the page's templates, by their path below minbert/ui/."""
    return Environment(
        loader=FileSystemLoader(UI),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(name: str, **values: object) -> str:
    """Return a template filled with values.

    Args:
        name: of the file below minbert/ui/, such as `parts/html/coloured_words.html`.
        values: what it names; HTML made here as `markupsafe.Markup`, all else is escaped.

    Raises:
        jinja2.TemplateNotFound: there is no such file.
        jinja2.UndefinedError: the template names a value that isn't given.
    """
    return environment().get_template(name).render(**values)
