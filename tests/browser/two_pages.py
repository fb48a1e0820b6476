"""Start two pages in one process, with tiny models: `python -m tests.browser.two_pages 1111 2222`.

The first shows the made-up results of the tests, the second has no results at all.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from minbert.ui.page import build_page
from minbert.ui.theme import launch_options
from tests.minbert.ui.sample_results import write_sample
from tests.support import tiny_lesson, tiny_model

LESSONS = [tiny_lesson("the film is good", "the story is bad")]


def main() -> None:
    """Serve until the process is ended."""
    folder = Path(tempfile.mkdtemp(prefix="minbert-two-pages-"))
    models = [tiny_model(folder / pooling, pooling=pooling) for pooling in ("mean", "cls")]
    engine = Engine(*(Predictor(model, "cpu") for model in models))
    write_sample(folder / "assets" / "results")
    for port, assets in zip(sys.argv[1:], (folder / "assets", folder / "none"), strict=True):
        page = build_page(engine, LESSONS, assets)
        page.launch(**launch_options(), server_port=int(port), prevent_thread_lock=True)
    print("both pages are there", flush=True)  # noqa: T201 - what starts this waits for it
    threading.Event().wait()


if __name__ == "__main__":
    main()
