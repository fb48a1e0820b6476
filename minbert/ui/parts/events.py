"""How events that ask a model are set up."""

from __future__ import annotations

from typing import Any

# Events wait for the model in its own queue, where those that wait together are answered together.
MODEL_EVENTS: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 32}
VISIBLE: dict[str, Any] = {"show_progress": "minimal", **MODEL_EVENTS}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
KEPT_SECONDS = 3600  # so long a visitor's answer and pin are kept after the last click
FILES_CHECKED, FILES_KEPT = (
    600,
    3600,
)  # seconds: how often old files are looked for, how old they get
