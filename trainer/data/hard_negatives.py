"""Hard negatives for paraphrase: questions near each other that no duplicate label connects.

A file of duplicates alone teaches "always duplicate"; it needs as many pairs that are none, and
random ones are too easy. The questions of the training files are embedded with the encoder before
fine-tuning, and each takes a partner among its nearest ones that are neither known duplicates of
it, through any chain of labels, nor so near that an unknown duplicate is likely.

Paper: Xiong et al. 2021, "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text
Retrieval", section 4 (negatives from the nearest). Differs from the paper: exact search, one
static encoder, a ceiling on the cosine because unlabelled duplicates are common here, and the
negatives serve a classifier of pairs.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from minbert.device import choose_device
from minbert.files import write_bytes
from minbert.tables import Example, read_table
from minbert.tasks import PARAPHRASE
from trainer.data.course import on_scale, pair_hash, read_split
from trainer.data.further_pairs import EXTRA_PAIRS
from trainer.data.run_data import held_out
from trainer.data.treebank import text_key
from trainer.seeding import mix_seed
from trainer.techniques.precision import lowered

ORDER_SEED, PARTNER_SEED = 31, 32
SEARCH_CHUNK = 500  # questions whose cosines to all others are held at once
POOL = 60  # nearest questions that are looked at
MINED, DUPLICATES = "quora-mined", "quora-duplicates"
COLUMNS = ("", "id", "sentence1", "sentence2", "is_duplicate")
EMBED_CHUNK = 4096  # questions embedded between two reports


@dataclasses.dataclass(frozen=True)
class Questions:
    """Distinct questions, and which of them labels say are the same."""

    texts: list[str]  # Q, the first spelling of each
    groups: Tensor  # (Q,) equal numbers: duplicates, directly or through others


def group_questions(pairs: Iterable[Example]) -> Questions:
    """Collect the distinct questions of labelled pairs, and join duplicates into groups."""
    parents: dict[str, str] = {}
    spelled: dict[str, str] = {}

    def root(key: str) -> str:
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for pair in pairs:
        first, second = (text_key(text) for text in pair.texts)
        for key, text in zip((first, second), pair.texts, strict=True):
            parents.setdefault(key, key)
            spelled.setdefault(key, text)
        if pair.label == 1:
            parents[root(first)] = root(second)
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(root(key), len(numbers)) for key in spelled]
    return Questions(list(spelled.values()), torch.tensor(groups))


def mine(
    questions: Questions,
    embeddings: Tensor,
    forbidden: set[int],
    *,
    size: int,
    nearest: int,
    ceiling: float,
    seed: int,
) -> Iterator[tuple[str, str]]:
    """Yield up to `size` pairs of near questions that no chain of labels connects, each once.

    Args:
        questions: Q of them.
        embeddings: (Q, D), of length 1 each.
        forbidden: `pair_hash` of pairs that may not come out: all dev, test and training pairs.
        size: most pairs.
        nearest: a partner is drawn from so many of the nearest that qualify, at most `POOL`.
        ceiling: cosine from which on a pair is too likely a duplicate nobody labelled.
        seed: of the questions' order and the draws.
    """
    order = seeded_order(len(questions.texts), seed)
    generator = torch.Generator().manual_seed(mix_seed(seed, PARTNER_SEED))
    seen = set(forbidden)
    found = 0
    for start in range(0, len(order), SEARCH_CHUNK):
        rows = order[start : start + SEARCH_CHUNK]
        cosines, others = (embeddings[rows] @ embeddings.T).topk(min(POOL, len(order)), dim=1)
        fits = (cosines < ceiling) & (questions.groups[others] != questions.groups[rows, None])
        for row, partners, allowed in zip(rows.tolist(), others, fits, strict=True):
            candidates = partners[allowed][:nearest]
            if found == size:
                return
            if not len(candidates):
                continue
            drawn = int(torch.randint(len(candidates), (), generator=generator))
            pair = (questions.texts[row], questions.texts[int(candidates[drawn])])
            if pair_hash(pair) not in seen:
                seen.add(pair_hash(pair))
                found += 1
                yield pair


def seeded_order(count: int, seed: int) -> Tensor:
    """Return the numbers 0 to `count` - 1 in a seeded order."""
    generator = torch.Generator().manual_seed(mix_seed(seed, ORDER_SEED))
    return torch.randperm(count, generator=generator)


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
        labelled += on_scale(read_table(duplicates, PARAPHRASE, labelled=True)).examples
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
    types = bert.config.type_vocab_size > 1
    shape = MultitaskConfig(
        encoder=bert.config, pooling="mean", max_length=length, pair_token_types=types
    )
    low = lowered(precision, choose_device(device))
    predictor = Predictor(MultitaskBert(shape, tokenizer, bert), device, autocast=low)
    parts: list[Tensor] = []
    for start in range(0, len(texts), EMBED_CHUNK):
        if len(parts) % 10 == 0:
            report(f"{start:,} of {len(texts):,} questions embedded")
        parts.append(predictor.embed(texts[start : start + EMBED_CHUNK]))
    return F.normalize(torch.cat(parts), dim=1)


def table_bytes(rows: list[Example]) -> bytes:
    """Write labelled pairs in the course's format."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows):
        writer.writerow([number, row.id, *row.texts, row.label])
    return buffer.getvalue().encode()
