"""Start a page with tiny models that deletes files eight seconds old: `... short_lived 1111`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from minbert.ui import theme

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from minbert.predictor import Predictor
from minbert.ui import page as pages
from minbert.ui.engine import Engine
from tests.support import tiny_lesson, tiny_model

LESSONS = [tiny_lesson("the film is good", "the story is bad")]


def main() -> None:
    """Serve until the process is ended."""
    folder = Path(tempfile.mkdtemp(prefix="minbert-short-lived-"))
    models = [tiny_model(folder / pooling, pooling=pooling) for pooling in ("mean", "cls")]
    engine = Engine(*(Predictor(model, "cpu") for model in models))
    pages.FILES_CHECKED, pages.FILES_KEPT = 1, 8  # seconds
    page = pages.build_page(engine, LESSONS, folder)
    page.launch(**theme.launch_options(), server_port=int(sys.argv[1]))


if __name__ == "__main__":
    main()
