"""The command export; the work is in `minbert.storage`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import tell

NAME = "export"
HELP = "write a model for other libraries"
LOADED = {
    "sentence-transformers": 'SentenceTransformer("{0}"), or transformers: '
    'AutoModel.from_pretrained("{0}")',
    "onnx": 'onnxruntime.InferenceSession("{0}/onnx/model.onnx")',
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "model", metavar="MODEL", help="a checkpoint's folder, or a Hugging Face id"
    )
    parser.add_argument("--to", choices=tuple(LOADED), required=True, help="whose format")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")


def run(options: argparse.Namespace) -> None:
    """Export a model: the folder that the trainer writes, for ONNX with onnx/model.onnx."""
    from minbert.files import write_bytes
    from minbert.multitask import MultitaskBert
    from minbert.storage.manifest import ONNX_FILE, write_manifest
    from minbert.storage.model_folder import check_pooling
    from minbert.storage.onnx_file import onnx_file

    model = MultitaskBert.from_pretrained(options.model)
    graph = None
    if options.to == "onnx":
        graph = onnx_file(model)
    else:
        check_pooling(model.config)
    model.save_pretrained(options.output, dtype=None)
    if graph is not None:
        write_bytes(options.output / ONNX_FILE, graph)
        write_manifest(options.output)
    tell(f"The model is in {options.output}. Load it: {LOADED[options.to].format(options.output)}")
