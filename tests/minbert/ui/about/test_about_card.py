"""The model card's Markdown becomes HTML of our own making."""

from __future__ import annotations

from minbert.ui.about.card import card_html


def test_the_card_becomes_html_without_links_or_images() -> None:
    markdown = (
        "---\nlicense: x\n---\n# Top\nOne\nline with **bold** and `a**b**`.\n<!-- hidden -->\n"
        "![picture](https://example.org/p.png) and [words](https://example.org)\n\n"
        "- first\n  goes on\n- second\n\n1. third\n\n### Small\n"
        "| a | b |\n|---|:-:|\n| 1 | 2 | 3 |\n| 4 |\n\n```sh\n# no heading\n- no item\n```\nEnd"
    )
    html = card_html(markdown)
    assert '<h2 class="mb-section">Top</h2><p>One line with <strong>bold</strong>' in html
    assert "<code>a**b**</code>" in html
    assert "picture and words" in html
    assert "<ul><li>first goes on</li><li>second</li></ul>" in html
    assert "<li>third</li>" in html
    assert '<h3 class="mb-group">Small</h3>' in html
    assert '<th scope="col">a</th><th scope="col">b</th>' in html
    assert '<th scope="row">1</th><td>2</td></tr><tr><th scope="row">4</th><td></td>' in html
    assert html.endswith("<pre># no heading\n- no item</pre><p>End</p>")
    for gone in ("license", "hidden", "http", "href", "src"):
        assert gone not in html
