"""The command mine: a file of hard negatives for paraphrase, made from the training files."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from minbert.device import choose_device
from minbert.files import write_bytes
from minbert.tables import Example, read_table
from minbert.tasks import PARAPHRASE
from trainer.data.course import pair_hash, read_split
from trainer.data.further_pairs import EXTRA_PAIRS
from trainer.data.hard_negatives import group_questions, mine
from trainer.data.run_data import held_out
from trainer.techniques.precision import PRECISIONS, lowered

MINED, DUPLICATES = "quora-mined", "quora-duplicates"
COLUMNS = ("", "id", "sentence1", "sentence2", "is_duplicate")
CHUNK = 4096  # questions between two steps of the progress bar


def add_mine_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> argparse.ArgumentParser:
    """Add the command, and return its parser for the options that all commands share."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "mine", help="make hard negatives for paraphrase from the training files"
    )
    parser.add_argument("--data", type=Path, default=data_default, help=data_help)
    parser.add_argument(
        "--encoder",
        default="sentence-transformers/all-MiniLM-L6-v2",
        help="Hugging Face id or folder of the BERT that tells near from far",
    )
    parser.add_argument("--size", type=int, default=60_000, help="most pairs (default: 60000)")
    parser.add_argument(
        "--nearest", type=int, default=20, help="a partner comes from so many (default: 20)"
    )
    parser.add_argument(
        "--ceiling", type=float, default=0.85, help="least cosine that is too near (default: .85)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the embeddings (default: auto: bf16 on CUDA, else fp32)",
    )
    parser.set_defaults(command=run_mine)
    return parser


def run_mine(options: argparse.Namespace) -> None:
    """Write the file of mined pairs."""
    from trainer.cli import tell, use_threads

    use_threads(options.threads)
    write_mined(
        options.data,
        options.encoder,
        size=options.size,
        nearest=options.nearest,
        ceiling=options.ceiling,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        report=tell,
    )


def write_mined(
    data: Path,
    encoder: str,
    *,
    size: int,
    nearest: int,
    ceiling: float,
    seed: int,
    device: str,
    precision: str = "auto",
    report: Callable[[str], None],
) -> Path:
    """Mine the questions of the training files, write `extra/quora-mined.csv`, return its path.

    Args:
        data: folder of the course's files; where the file of duplicates lies in it, its
            questions are mined too.
        encoder: Hugging Face id or folder.
        size: see `trainer.data.hard_negatives.mine`, also for `nearest`, `ceiling`, `seed`.
        nearest: see `size`.
        ceiling: see `size`.
        seed: see `size`.
        device: where to embed.
        precision: one of `trainer.techniques.precision.PRECISIONS`.
        report: told what was read and written.

    Raises:
        ValueError: `size` or `nearest` below 1, or `ceiling` outside (0, 1].
        DataError: a file that is missing or has no readable row.
        CheckpointError: the encoder can't be loaded.
    """
    for name, value in (("--size", size), ("--nearest", nearest)):
        if value < 1:
            raise ValueError(f"`{name}` should be at least 1. Found {value}.")
    if not 0 < ceiling <= 1:
        raise ValueError(f"`--ceiling` should lie in (0, 1]. Found {ceiling}.")
    labelled = list(read_split(data, PARAPHRASE.name, "train").examples)
    duplicates = data / EXTRA_PAIRS[DUPLICATES].file
    if duplicates.is_file():
        labelled += read_table(duplicates, PARAPHRASE, labelled=True).examples
    questions = group_questions(labelled)
    report(f"{len(questions.texts):,} distinct questions in {len(labelled):,} training pairs")
    forbidden = {pair_hash(row.texts) for row in [*labelled, *held_out(data, PARAPHRASE.name)]}
    embeddings = embed_questions(questions.texts, encoder, device, precision, report)
    pairs = mine(
        questions,
        embeddings,
        forbidden,
        size=size,
        nearest=nearest,
        ceiling=ceiling,
        seed=seed,
    )
    rows = [
        Example(f"mined-{number}", texts, 0.0)
        for number, texts in enumerate(tqdm(pairs, total=size, unit="pair", disable=None))
    ]
    target = data / EXTRA_PAIRS[MINED].file
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, table_bytes(rows))
    report(f"{target}: {len(rows):,} pairs that no label calls duplicates")
    return target


def embed_questions(
    texts: list[str],
    encoder: str,
    device: str,
    precision: str = "auto",
    report: Callable[[str], None] = lambda _: None,
) -> Tensor:
    """Embed texts by the mean of an encoder's last hidden states: (N, D), of length 1 each."""
    from minbert.checkpoint import load_encoder
    from minbert.config import MultitaskConfig
    from minbert.multitask import MultitaskBert
    from minbert.predictor import Predictor

    bert, tokenizer, _ = load_encoder(encoder)
    length = min(128, bert.config.max_position_embeddings)
    shape = MultitaskConfig(encoder=bert.config, pooling="mean", max_length=length)
    low = lowered(precision, choose_device(device))
    predictor = Predictor(MultitaskBert(shape, tokenizer, bert), device, autocast=low)
    parts: list[Tensor] = []
    for start in range(0, len(texts), CHUNK):
        if len(parts) % 10 == 0:
            report(f"{start:,} of {len(texts):,} questions embedded")
        parts.append(predictor.embed(texts[start : start + CHUNK]))
    return F.normalize(torch.cat(parts), dim=1)


def table_bytes(rows: list[Example]) -> bytes:
    """Write labelled pairs in the course's format."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows):
        writer.writerow([number, row.id, *row.texts, row.label])
    return buffer.getvalue().encode()
