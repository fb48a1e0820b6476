"""The same answer elsewhere: as Python lines, and as JSON."""

from __future__ import annotations

from typing import Any

from minbert import files

SHIPPED = "assets/models/mean"


def python_lines(first: str, second: str, model: str = SHIPPED) -> str:
    """Return the Python lines that give the page's answer; texts are quoted as Python literals.

    `model` is the folder or Hugging Face id of the model that answers.
    """
    quoted = files.json_text(model)  # as Python writes it too, in double quotes
    lines = [
        "from minbert import Predictor",
        "",
        f"predictor = Predictor.from_pretrained({quoted})",
    ]
    if not second:
        return "\n".join([*lines, f"(mood,) = predictor.sentiment([{first!r}])"])
    return "\n".join(
        [*lines, "moods, pair = predictor.answer(", f"    {first!r},", f"    {second!r},", ")"]
    )


def json_text(first: str, second: str, answer: dict[str, Any]) -> str:
    """Return the typed texts and the answer as JSON, numbers to four decimals."""
    told = {"first": first, "second": second, **answer}
    return files.json_text(shortened(told), indent=2)


def shortened(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a JSON value with its numbers rounded to four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return [shortened(item) for item in value] if isinstance(value, list) else value
