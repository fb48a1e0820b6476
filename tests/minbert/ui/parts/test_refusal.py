"""What a visitor did wrong is told to them, and is not printed."""

from __future__ import annotations

import ast
from pathlib import Path

import minbert
from minbert.ui.parts.refusal import refusal


def test_a_refusal_is_told_and_not_printed() -> None:
    error = refusal("Sentence A is empty.", "Can't answer this")
    assert (error.message, error.title, error.visible) == (
        "Sentence A is empty.",
        "Can't answer this",
        True,
    )
    assert error.print_exception is False
    assert refusal("Nothing.", visible=False).visible is False


def test_no_event_raises_an_error_that_gradio_prints() -> None:
    folder = Path(minbert.__file__).parent
    makers = {
        path.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "gr.Error"
    }
    assert makers == {"refusal.py"}
