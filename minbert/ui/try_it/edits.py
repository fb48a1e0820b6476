"""Quick edits: choose a word of A or B, put another in its place or hide it, and see what changes.

The answer before the first edit is pinned where nothing is, so that the change panel compares with
it. A hidden word is one `[MASK]` in the text, which the tokenizer reads as the model's mask token;
so a link, the Python lines and a file of sentences give the same answer as the page.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import unicodedata
from typing import Any

import gradio as gr
from gradio.events import Dependency

from minbert.text import MASK
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import notice_line
from minbert.ui.parts.events import QUIET
from minbert.ui.parts.refusal import refusal
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Asked, InputError

TEXTS = texts_of(__package__)
MOST_WORDS = 64  # of a sentence, that are offered
MOST_STEPS = 50  # that can be undone
# A run of letters, with marks within a number ("3:30", "1,000") kept; ends are trimmed below.
_WORD = re.compile(r"\[MASK\]|(?:[^\s,;:!?\"“”„«»()\[\]{}<>…—–`/\\|]|(?<=\d)[,:/](?=\d))+")


@dataclasses.dataclass(frozen=True)
class Span:
    """A word of a text, and where it stands."""

    word: str
    start: int  # in characters
    end: int


@dataclasses.dataclass(frozen=True)
class Step:
    """Both texts at one time, the word chosen there, and the pin that the edit before it set."""

    first: str
    second: str
    choice: str | None = None
    set_pin: Asked | None = None

    @property
    def texts(self) -> tuple[str, str]:
        """Return A and B."""
        return self.first, self.second


Steps = tuple[Step, ...]  # the last one is on the page now


@dataclasses.dataclass(frozen=True)
class EditRow:
    """What the row of quick edits holds."""

    in_first: gr.Radio
    in_second: gr.Radio
    wanted: gr.Textbox
    replace: gr.Button
    mask: gr.Button
    undo: gr.Button
    steps: gr.State

    @property
    def offered(self) -> list[gr.components.Component]:
        """List what `Edits.offer` fills."""
        return [self.in_first, self.in_second, self.undo, self.steps]


def spans_of(text: str) -> list[Span]:
    """Return the words of a text in their order, without the punctuation around them.

    Apostrophes and hyphens inside a word stay; `[MASK]` is one word.
    """
    found = []
    for match in _WORD.finditer(text):
        word = match[0]
        start, end = match.span()
        if word != MASK:
            kept = "".join("." if is_mark(letter) else letter for letter in word)
            start += len(kept) - len(kept.lstrip("."))
            end -= len(kept) - len(kept.rstrip("."))
        if start < end:
            found.append(Span(text[start:end], start, end))
    return found


def is_mark(letter: str) -> bool:
    """Say whether a character is punctuation, or one that can't be seen."""
    return unicodedata.category(letter)[0] in "PC"


def choices_of(name: str, text: str) -> list[tuple[str, str]]:
    """Return the words of sentence A or B to choose from, each with its value, as `A1 film`.

    The value holds the word: what is chosen may have become another word's place meanwhile.
    """
    spans = itertools.islice(spans_of(text), MOST_WORDS)
    return [(span.word, f"{name}{place} {span.word}") for place, span in enumerate(spans)]


def edited(first: str, second: str, choice: str | None, wanted: str) -> tuple[str, str]:
    """Return both texts with `wanted` in place of the chosen word.

    Args:
        first: sentence A as it is in its box.
        second: sentence B.
        choice: a value of `choices_of`; None: nothing is chosen.
        wanted: what to write there; white space collapses.

    Raises:
        InputError: nothing is chosen, nothing would change, or the text is another by now.
    """
    if choice is None:
        raise InputError("No word is chosen. Choose a word of A or B first.")
    text = first if choice[0] == "A" else second
    whose, _, was = choice.partition(" ")
    spans, place = spans_of(text), int(whose[1:])
    if place >= len(spans) or spans[place].word != was:
        raise InputError(
            f"Sentence {choice[0]} has changed since it was answered. "
            "Press Answer, then choose the word again."
        )
    wanted = " ".join(wanted.split())
    if not wanted:
        raise InputError("The replacement is empty. Type a word to put there, or press Mask.")
    if wanted == was:
        raise InputError(same_word(was))
    span = spans[place]
    changed = text[: span.start] + wanted + text[span.end :]
    return (changed, second) if choice[0] == "A" else (first, changed)


class Edits:
    """The row's events, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Check edited texts with this engine; it is asked nothing else here."""
        self.engine = engine

    def offer(
        self, asked: Asked, steps: Steps
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Steps]:
        """Offer the words of what was answered; after a quick edit its word stays chosen.

        Returns:
            updates of both choices and of the button that undoes, and the steps.
        """
        if not steps or steps[-1].texts != (asked.first, asked.second):
            steps = (Step(asked.first, asked.second),)
        offered = []
        for name, text in (("A", asked.first), ("B", asked.second)):
            choices = choices_of(name, text)
            values = [value for _, value in choices]
            place = (steps[-1].choice or "none").split()[0]
            kept = next((value for value in values if value.split()[0] == place), None)
            label = offered_words(name, len(choices))
            offered.append(gr.update(choices=choices, value=kept, label=label, visible=bool(text)))
        return offered[0], offered[1], gr.update(interactive=len(steps) > 1), steps

    def replace(
        self,
        first: str,
        second: str,
        in_first: str | None,
        in_second: str | None,
        wanted: str,
        asked: Asked | None,
        pinned: Asked | None,
        steps: Steps,
    ) -> tuple[str, str, Asked | None, Steps]:
        """Put `wanted` in place of the chosen word, and pin what was answered where nothing is."""
        first, second, choice = first.strip(), second.strip(), in_first or in_second
        try:
            after = edited(first, second, choice, wanted)
            self.engine.ask(*after)
        except InputError as error:
            raise refusal(str(error), title="Can't change this") from error
        set_pin = asked.pin if asked and pinned is None else None
        before = Step(first, second, choice, steps[-1].set_pin if steps else None)
        steps = (*steps[:-1], before, Step(*after, choice, set_pin))[-MOST_STEPS - 1 :]
        return *after, pinned or set_pin, steps

    def mask(
        self,
        first: str,
        second: str,
        in_first: str | None,
        in_second: str | None,
        asked: Asked | None,
        pinned: Asked | None,
        steps: Steps,
    ) -> tuple[str, str, Asked | None, Steps]:
        """Put one `[MASK]` in place of the chosen word, however many pieces the word has."""
        return self.replace(first, second, in_first, in_second, MASK, asked, pinned, steps)

    def undo(self, pinned: Asked | None, steps: Steps) -> tuple[str, str, Asked | None, Steps]:
        """Return to the texts before the last edit; a pin that the edit itself set goes too."""
        if len(steps) < 2:
            raise refusal("There is no quick edit to undo.", title="Can't undo")
        last = steps[-1]
        kept = None if last.set_pin is not None and pinned == last.set_pin else pinned
        return *steps[-2].texts, kept, steps[:-1]


def build_edits() -> EditRow:
    """Build the row, folded away; its words come with the first answer."""
    with gr.Accordion("Change one word", open=False, elem_id="edits"):
        gr.HTML(notice_line([TEXTS["edits.note"]]))
        in_first, in_second = (
            gr.Radio([], label=offered_words(name, 0), elem_id=elem_id)
            for name, elem_id in (("A", "edit-first"), ("B", "edit-second"))
        )
        with gr.Row():
            wanted = gr.Textbox(
                label="Put in its place", elem_id="edit-word", max_lines=1, scale=3, min_width=200
            )
            replace = gr.Button("Replace", elem_id="edit-replace", min_width=90)
            mask = gr.Button("Mask", elem_id="edit-mask", min_width=90)
            undo = gr.Button("Undo", elem_id="edit-undo", min_width=90, interactive=False)
        steps = gr.State(())
    return EditRow(in_first, in_second, wanted, replace, mask, undo, steps)


def edit_events(
    row: EditRow, texts: list[gr.Textbox], current: gr.State, pinned: gr.State, edits: Edits
) -> list[Dependency]:
    """Wire the row; return the events after which the new texts are to be answered.

    Args:
        row: what was built.
        texts: the boxes of A and B.
        current: the present answer.
        pinned: the pinned one.
        edits: what the row does.
    """
    picks = [row.in_first, row.in_second]
    for chosen, other in (picks, picks[::-1]):
        chosen.input(None, None, other, js="() => null", **QUIET)
    kept = [current, pinned, row.steps]
    after = [*texts, pinned, row.steps]
    asked = [*texts, *picks, row.wanted, *kept]
    begun = [row.replace.click, row.wanted.submit]
    return [
        gr.on(begun, edits.replace, asked, after, **QUIET),
        row.mask.click(edits.mask, [*texts, *picks, *kept], after, **QUIET),
        row.undo.click(edits.undo, [pinned, row.steps], after, **QUIET),
    ]


def offered_words(name: str, count: int) -> str:
    """Name the words of a sentence that are offered for a quick edit."""
    if not count:
        return f"Words of {name}: none"
    return f"Words of {name}" + (f" (the first {MOST_WORDS})" if count >= MOST_WORDS else "")


def same_word(word: str) -> str:
    """Say that an edit would change nothing, and what to do."""
    if word == MASK:
        return "That word is hidden already. Choose another, or type a word to put there."
    return f"“{word}” stands there already. Type another word."
