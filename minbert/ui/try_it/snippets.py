"""The same answer elsewhere: as Python lines, and as JSON."""

from __future__ import annotations

from typing import Any

from minbert import files


def python_lines(first: str, second: str) -> str:
    """Return the Python lines that give the page's answer; texts are quoted as Python literals."""
    lines = [
        "from minbert import Predictor",
        "",
        'predictor = Predictor.from_pretrained("assets/models/mean")',
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
