"""Tabs, and the sub-views of a tab: tabs inside it, one open at a time.

A view's name is its id on the page and in a link: "try" is a tab, "try-phrases" one of its
sub-views.
"""

from __future__ import annotations

import gradio as gr

SEPARATOR = "-"


def tabs() -> gr.Tabs:
    """Return the frame of some tabs; on a phone they stand in several rows."""
    return gr.Tabs(overflow_behavior="wrap")


def sub_views() -> gr.Tabs:
    """Return the frame of a tab's sub-views."""
    return gr.Tabs(overflow_behavior="wrap", elem_classes="mb-views")


def view(title: str, name: str) -> gr.Tab:
    """Return a tab, or a sub-view, to be filled within a `with`."""
    return gr.Tab(title, id=name, elem_id=f"view-{name}")


def tab_of(name: str) -> str:
    """Return the tab that a view is, or stands in."""
    return name.partition(SEPARATOR)[0]


def views_of(page: gr.Blocks) -> list[gr.Tab]:
    """List all tabs and sub-views of a page."""
    return [block for block in page.blocks.values() if isinstance(block, gr.Tab)]
