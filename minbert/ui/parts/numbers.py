"""Numbers as text: shares, scores, differences, spreads."""

from __future__ import annotations

from minbert.tasks import clamped


def percent(share: float) -> str:
    """Write a share as whole percent, never `100 %` or `0 %` when it is not quite that."""
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    if share > 0.995:
        return "> 99 %"
    return "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def shown(score: float) -> str:
    """Write a similarity for display, clamped to 0-5."""
    return f"{clamped(score):.1f}"


def fixed(value: float | None) -> str:
    """Write a score with three decimals and a real minus sign."""
    return "undefined" if value is None else f"{value:.3f}".replace("-", "−")


def signed(value: float | None, decimals: int = 3) -> str:
    """Write a difference with its sign, never a minus before zero."""
    return "?" if value is None else f"{value:+z.{decimals}f}".replace("-", "−")
