"""The model card's Markdown becomes HTML of our own making."""

from __future__ import annotations

from minbert.ui.about.card import card_html
from tests.read_html import read


def test_the_card_becomes_html_without_links_or_images() -> None:
    markdown = (
        "---\nlicense: x\n---\n# Top\nOne\nline with **bold** and `a**b**`.\n<!-- hidden -->\n"
        "![picture](https://example.org/p.png) and [words](https://example.org)\n\n"
        "- first\n  goes on\n- second\n\n1. third\n\n### Small\n"
        "| a | b |\n|---|:-:|\n| 1 | 2 | 3 |\n| 4 |\n\n```sh\n# no heading\n- no item\n```\nEnd"
    )
    card = read(card_html(markdown))
    assert card.texts("summary") == ["Top"]
    assert card.texts("p") == ["One line with bold and a**b**.", "picture and words", "End"]
    assert card.texts("strong") == ["bold"]
    assert card.texts("code") == ["a**b**"]
    assert [items.texts("li") for items in card.find("ul")] == [
        *(["first goes on", "second"], ["third"])
    ]
    assert card.texts("h4") == ["Small"]
    (table,) = card.tables
    assert table.heads == [["a", "b"]]
    assert table.rows == [["1", "2"], ["4", ""]]
    assert card.texts("pre") == ["# no heading\n- no item"]
    assert card.outside == []
