"""From text to padded batches: one preprocessing, one tokenizer, used by trainer and page alike.

Joint input is `[CLS] A [SEP] B [SEP]` (Devlin et al. 2019, section 3), built for each example
before padding, truncated longest-first, both [SEP] kept: what else is in its batch moves a
prediction by rounding alone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from minbert.files import CheckpointError, damage_of
from minbert.tokenizer_files import TokenizerFiles, read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

TEXTS_PER_BATCH = 64
TOKENS_PER_BATCH = 4096
BUSY = 256  # tokens of a batch above which a larger one is no faster for each
TextTransform = Callable[[str], str]
MASK = "[MASK]"  # what a person types to hide a word from the model
BRACKETS = {"LRB": "(", "RRB": ")", "LSB": "[", "RSB": "]", "LCB": "{", "RCB": "}"}
_BRACKET = re.compile(r"-([LR][RSC]B)-")
_QUOTES = re.compile(r"``|''")
_ESCAPED = re.compile(r"\\([/*])")
_NEGATION = re.compile(r"(?<=\w) (n't)\b", re.IGNORECASE)


def normalise(text: str) -> str:
    r"""Undo the treebank's escapes and collapse white space.

    `-LRB-` becomes `(`, two backticks or apostrophes become `"`, `\/` becomes `/`, and
    `does n't` becomes `doesn't`: what a person types and what the treebank holds meet here. A
    lone surrogate, which no tokenizer takes, becomes the replacement character.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # half of an emoji, say
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = _BRACKET.sub(lambda match: BRACKETS[match[1]], text)
    text = _ESCAPED.sub(r"\1", _QUOTES.sub('"', text))
    return _NEGATION.sub(r"\1", " ".join(text.split()))


@dataclasses.dataclass(frozen=True)
class Encoded:
    """One encoder input, special tokens included, not yet padded."""

    ids: list[int]  # T word-piece ids
    token_types: list[int]  # T zeros and ones
    left_out: int = 0  # word pieces that truncation dropped

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


@dataclasses.dataclass(frozen=True)
class Batch:
    """A padded batch; every tensor is (B, T)."""

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on `device`."""
        return Batch(
            self.input_ids.to(device),
            self.attention_mask.to(device),
            self.token_type_ids.to(device),
        )

    @property
    def tokens(self) -> int:
        """Count the real tokens."""
        return int(self.attention_mask.sum())


def pad(inputs: Sequence[Encoded], pad_id: int = 0) -> Batch:
    """Pad encoded inputs to the longest of them.

    Raises:
        ValueError: no inputs at all.
    """
    if not inputs:
        raise ValueError("`inputs` should hold at least one encoded text. Found none.")
    longest = max(len(item) for item in inputs)
    spare = [(item, longest - len(item)) for item in inputs]
    return Batch(
        torch.tensor([[*item.ids, *[pad_id] * left] for item, left in spare]),
        torch.tensor([[*[1] * len(item), *[0] * left] for item, left in spare]),
        torch.tensor([[*item.token_types, *[0] * left] for item, left in spare]),
    )


def length_batches(
    inputs: Sequence[Encoded], texts: int = TEXTS_PER_BATCH, tokens: int = TOKENS_PER_BATCH
) -> Iterator[list[int]]:
    """Yield rows of similar length, at most so many texts and tokens (padding counted) a batch.

    A text longer than `tokens` makes a batch of its own. Where a batch is large enough to keep the
    processor busy, it ends before padding takes an eighth of it.
    """
    order = sorted(range(len(inputs)), key=lambda row: len(inputs[row]))
    start = 0
    while start < len(order):
        size, filled = 1, len(inputs[order[start]])  # filled: tokens without padding
        while start + size < len(order) and size < texts:
            longest = len(inputs[order[start + size]])
            padded = (size + 1) * longest
            wasteful = filled >= BUSY and 7 * padded > 8 * (filled + longest)
            if padded > tokens or wasteful:
                break
            size, filled = size + 1, filled + longest
        yield order[start : start + size]
        start += size


def truncate_longest_first(first: int, second: int, budget: int) -> tuple[int, int]:
    """Return how many of `first` and `second` pieces to keep so that they fit `budget`."""
    if first + second <= budget:
        return first, second
    if second <= budget // 2:
        return budget - second, second
    if first <= budget - budget // 2:
        return first, budget - first
    return budget - budget // 2, budget // 2


class Tokenizer:
    """BERT's WordPiece tokenizer behind our preprocessing.

    A typed `[MASK]`, in capitals, is the vocabulary's mask token: a word hidden from the model. It
    marks no place in an input, so it can do no harm there. All other special tokens that a person
    types (`[SEP]`, `[CLS]`) are read as the text they are.
    """

    def __init__(self, files: TokenizerFiles, transform: TextTransform | None = None) -> None:
        """Take loaded files; `transform` changes each normalised text before it is split.

        Raises:
            CheckpointError: the vocabulary lacks a special token.
        """
        self._files, self._transform = files, transform
        self._backend = files.backend
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = True
        self.cls_id = files.special_id("cls_token")
        self.sep_id = files.special_id("sep_token")
        self.pad_id = files.special_id("pad_token")
        self.unknown_id = files.special_id("unk_token")
        self.mask_id = files.special_id("mask_token")

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Load the tokenizer files of `folder` (tokenizer.json or vocab.txt).

        Raises:
            CheckpointError: the folder has neither file, or they are damaged or another kind's.
        """
        try:
            tokenizer = cls(read_tokenizer(folder))
            tokenizer.pieces(["a [MASK]"])
        except CheckpointError:
            raise
        except Exception as error:  # damaged files fail in any way there is
            path = folder / "tokenizer.json"
            path = path if path.is_file() else path.with_name("vocab.txt")
            raise CheckpointError(
                f"{path} and the tokenizer files beside it should be a whole WordPiece tokenizer. "
                f"{damage_of(path)} ({type(error).__name__}: {error!s:.200}); "
                "copy or download them again."
            ) from error
        return tokenizer

    def with_transform(self, transform: TextTransform) -> Tokenizer:
        """Return a tokenizer that reads `transform` of each normalised text."""
        return Tokenizer(self._files, transform)

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json into `folder`."""
        self._files.save(folder)

    def __len__(self) -> int:
        """Return the size of the vocabulary."""
        return self._backend.get_vocab_size()

    @property
    def largest_id(self) -> int:
        """Return the largest id of a word piece: the size less 1, unless ids are left out."""
        return max(self._backend.get_vocab().values())

    @property
    def backend(self) -> Backend:
        """Return the tokenizers library's own object, for what has no method here."""
        return self._backend

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Normalise and split texts into word-piece ids; of special tokens only typed `[MASK]`s."""
        transform = self._transform or str
        parts = [transform(normalise(text)).split(MASK) for text in texts]
        flat = [part for of_text in parts for part in of_text]
        found = (code.ids for code in self._backend.encode_batch(flat, add_special_tokens=False))
        pieces = []
        for of_text in parts:
            ids = list(next(found))
            for _ in of_text[1:]:
                ids += [self.mask_id, *next(found)]
            pieces.append(ids)
        return pieces

    def single(self, pieces: Sequence[int], max_length: int) -> Encoded:
        """Build `[CLS] A [SEP]` from word pieces, truncated to `max_length` tokens."""
        kept = list(pieces[: max_length - 2])
        ids = [self.cls_id, *kept, self.sep_id]
        return Encoded(ids, [0] * len(ids), len(pieces) - len(kept))

    def joint(
        self, first: Sequence[int], second: Sequence[int], max_length: int, *, token_types: bool
    ) -> Encoded:
        """Build `[CLS] A [SEP] B [SEP]`, truncated longest-first to `max_length` tokens.

        With `token_types` A's segment is 0 and B's is 1; without, all ids are the course
        starter's zeros.
        """
        kept_first, kept_second = truncate_longest_first(len(first), len(second), max_length - 3)
        head = [self.cls_id, *first[:kept_first], self.sep_id]
        tail = [*second[:kept_second], self.sep_id]
        return Encoded(
            head + tail,
            [0] * len(head) + [int(token_types)] * len(tail),
            len(first) - kept_first + len(second) - kept_second,
        )

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Return the pieces' spellings, `##` for a word's later pieces."""
        return [self._backend.id_to_token(int(index)) or "[UNK]" for index in ids]
