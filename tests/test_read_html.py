"""What the tests read pages with reads what is there, and refuses what shouldn't be."""

from __future__ import annotations

import pytest

from tests.read_html import direction, named_in, numbers_in, quoted_in, read


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.511 ± 0.011 of 1,234 (85 %), −.05", ["0.511", "0.011", "1,234", "85", "-.05"]),
        ("from +0.1 to -2, 0–5; a33f8 SST-5.", ["+0.1", "-2", "0", "5", "5"]),
    ],
)
def test_numbers_are_read_as_written(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == numbers


def test_names_and_quotes_are_read_in_their_order() -> None:
    text = "Mean puts “good film” before “bad”; CLS is very negative, mean negative"
    assert quoted_in(text) == ["good film", "bad"]
    assert named_in(text, ("CLS", "mean")) == ["mean", "CLS", "mean"]
    assert named_in(text, ("negative", "very negative")) == ["very negative", "negative"]
    assert named_in("meaning", ("mean",)) == []


@pytest.mark.parametrize(("text", "sign"), [("it rises", 1), ("less sure", -1), ("as sure", 0)])
def test_a_direction_is_a_sign(text: str, sign: int) -> None:
    assert direction(text) == sign
    with pytest.raises(ValueError, match="should say one direction"):
        direction("above or below")


def test_tables_findings_and_attributes_are_read() -> None:
    page = read(
        '<div class="mb-findings a"><h3>T &amp; t</h3><ul><li>one<br>two</li></ul></div><table>'
        "<caption>c</caption><thead><tr><th>x</th><th>y</th></tr></thead><tbody>"
        '<tr><th>r</th><td>1</td></tr></tbody></table><a href="#b">b</a><script>1 < 2</script>'
    )
    assert (page.finding.title, page.finding.lines) == ("T & t", ["one\ntwo"])
    (table,) = page.tables
    assert (table.caption, table.heads, table.rows) == ("c", [["x", "y"]], [["r", "1"]])
    assert page.outside == ["#b"]
    assert page.one(css="a").tag == "div"
    assert "<" not in page.text, "scripts aren't shown"


@pytest.mark.parametrize(
    "html",
    [
        *("<p><b>x</p></b>", "<div>", "</p>", '<p id="a" id="b"></p>'),
        "<table><thead></thead><tbody><tr><td>nan</td></tr></tbody></table>",
    ],
)
def test_what_is_not_well_formed_or_defined_is_refused(html: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        read(html)
