"""Start the page: `python app.py`. Also the entry point of a Hugging Face Space.

The address is 127.0.0.1:7860, another with GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
`--encoder FOLDER_OR_ID` adds the attention of the encoder before fine-tuning;
`--models FIRST [SECOND]` shows your own models, folders or Hugging Face ids, in place of the pair.
"""

import argparse
import os
from pathlib import Path

# Nothing leaves the machine: no usage counts, no update checks. Set before gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_UPDATE_CHECK", "1")
if "CPU_CORES" in os.environ:  # a Space tells its share of a larger machine's cores
    os.environ.setdefault("OMP_NUM_THREADS", os.environ["CPU_CORES"])

from minbert.ui.engine import Engine, ModelError
from minbert.ui.page import build_page, read_examples
from minbert.ui.theme import launch_options
from minbert.zero_gpu import zero_gpu

ASSETS = Path(__file__).resolve().parent / "assets"


def main() -> None:
    """Load both models, build the page, serve it until it is stopped."""
    parser = argparse.ArgumentParser(description="Start the page.")
    parser.add_argument("--encoder", help="encoder before fine-tuning: a folder or Hub id")
    parser.add_argument(
        "--models",
        nargs="+",
        default=(),
        metavar="MODEL",
        help="one or two models of your own in place of the shipped pair: folders or Hub ids",
    )
    options = parser.parse_args()
    with_index = (ASSETS / "index" / "index.json").is_file()  # published with the page, on request
    if with_index and not os.environ.get("MINBERT_INDEX"):
        os.environ["MINBERT_INDEX"] = str(ASSETS / "index")
    try:
        engine = Engine.load(
            ASSETS / "models", gpu=zero_gpu(), encoder=options.encoder, models=options.models
        )
    except ModelError as error:
        parser.exit(2, f"{error}\n")
    examples = read_examples(ASSETS / "examples.json")
    page = build_page(engine, examples, ASSETS)
    page.launch(**launch_options())


if __name__ == "__main__":
    main()
