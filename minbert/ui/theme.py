"""The theme, and what `launch` is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.route_utils import FnIndexInferError
from gradio.themes.utils.fonts import LocalFont
from starlette.middleware import Middleware
from starlette.routing import Mount

from minbert.batch import MOST_BYTES
from minbert.ui.server.blocks import Page, no_such_event
from minbert.ui.server.fetching import NoFetching
from minbert.ui.server.sessions import MOST_SESSIONS
from minbert.ui.server.upkeep import lifespan

# What gradio tells a screen reader after an event; it has no words for it.
TOLD = {"common.complete": "Done"}


def theme() -> gr.themes.Base:
    """Return the theme: ink on paper, no hue that a figure uses; fonts that gradio ships.

    The semi-bold files that gradio ships hold Cyrillic letters only, so bold stands in for them.
    """
    weights = (400, 700)
    return gr.themes.Base(
        primary_hue="slate",
        secondary_hue="slate",
        neutral_hue="slate",
        radius_size="md",
        font=[LocalFont("IBM Plex Sans", weights), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", weights), "ui-monospace", "monospace"],
    ).set(
        button_primary_background_fill="*neutral_800",
        button_primary_background_fill_hover="*neutral_700",
        button_primary_background_fill_dark="*neutral_200",
        button_primary_background_fill_hover_dark="*neutral_50",
        button_primary_text_color="white",
        button_primary_text_color_dark="*neutral_900",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
    )


def launch_options(page: Page | None = None, *, mcp: bool = False) -> dict[str, Any]:
    """Return what `launch` is given wherever the page is started.

    Args:
        page: its HTTP API is mounted at /v1, beside what gradio serves.
        mcp: agents are served at /gradio_api/mcp/; else GRADIO_MCP_SERVER, gradio's own, says so.
    """
    api = None if page is None else page.http_api
    return {
        "theme": theme(),
        "i18n": gr.I18n(en=TOLD),
        "css_paths": [Path(__file__).with_name("style.css")],
        "footer_links": ["api"],
        "run_history": False,
        "show_error": True,
        "ssr_mode": False,
        "mcp_server": mcp or None,
        "max_file_size": MOST_BYTES + 100_000,  # what is just too large gets its reason in words
        "_frontend": False,  # else launch gives up when its page takes 3 s on a busy machine
        "max_threads": 64,
        "state_session_capacity": MOST_SESSIONS,
        "app_kwargs": {
            "lifespan": lifespan,
            "middleware": [Middleware(NoFetching)],
            "routes": [] if api is None else [Mount("/v1", api)],
            "exception_handlers": {FnIndexInferError: no_such_event, KeyError: no_such_event},
        },
    }
