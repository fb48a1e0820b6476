"""What the tests of every package share: tiny models, batches, and asserts of properties.

Nothing here touches the global random state: builders draw inside `seeded`, batches from their
own generator. Property asserts take plain functions, so they serve encoders, poolings, losses
and whole models alike; `tests/minbert/test_support.py` shows each of them failing.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import string
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from minbert.backends.unpadded import Unpadded, UnpaddedEncoder
from minbert.config import BertConfig, MultitaskConfig
from minbert.lessons import Lesson
from minbert.multitask import MultitaskBert
from minbert.text import Batch, Encoded, Tokenizer

Result = TypeVar("Result")
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *("a", "an", "the", "this", "that", "it", "is", "was", "not", "and", "of", "to", "in"),
    *("film", "story", "actor", "plot", "good", "bad", "great", "dull", "funny", "slow"),
    *("how", "do", "does", "what", "learn", "python", "language", "quickly", "fast"),
    *("cat", "dog", "sleeps", "sits", "sofa", "park", "garden", "plays", "runs", "red"),
)
PUNCTUATION = tuple(".,!?'\"()[]{}/-*:;`")
WORD_PARTS = ("##s", "##ed", "##ing", "##ly")
HEAD_FIELDS = {field.name for field in dataclasses.fields(MultitaskConfig)} - {"encoder"}


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global generator for a block, and put its state back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def tiny_vocabulary() -> list[str]:
    """List the tiny tokenizer's pieces: any lowercase ASCII word can be spelt with them."""
    letters = [*string.ascii_lowercase, *string.digits]
    parts = [f"##{letter}" for letter in letters]
    return list(
        dict.fromkeys([*SPECIAL_TOKENS, *letters, *parts, *WORD_PARTS, *PUNCTUATION, *WORDS])
    )


def tiny_tokenizer(folder: Path) -> Tokenizer:
    """Write a small vocab.txt of our own into `folder` (made if need be) and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tiny_vocabulary()) + "\n", encoding="utf-8")
    return Tokenizer.from_folder(folder)


def tiny_config(**changes: Any) -> BertConfig:  # noqa: ANN401 - any field's value
    """Return a config of 2 layers, D 16, 4 heads and dropout 0.1, with `changes` to its fields."""
    values = {
        "vocab_size": len(tiny_vocabulary()),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
    }
    return BertConfig(**{**values, **changes})


def tiny_model(folder: Path, **changes: Any) -> MultitaskBert:  # noqa: ANN401 - any field's value
    """Build a freshly initialised multitask model with the tiny tokenizer, in training mode.

    Args:
        folder: where the tokenizer's vocab.txt is written.
        changes: fields of `MultitaskConfig` (`pooling="cls"`) or of its encoder's `BertConfig`
            (`hidden_size=32`); inputs have at most 48 tokens unless `max_length` says otherwise.
    """
    tokenizer = tiny_tokenizer(folder)
    heads = {name: changes.pop(name) for name in HEAD_FIELDS & set(changes)}
    encoder = tiny_config(**{"vocab_size": len(tokenizer), **changes})
    config = MultitaskConfig(**{"encoder": encoder, "max_length": 48, **heads})
    with seeded(0):
        return MultitaskBert(config, tokenizer)


def tiny_lesson(first: str, second: str = "", title: str = "tiny", slug: str = "tiny") -> Lesson:
    """Return a lesson of these sentences, without a claim."""
    return Lesson(slug, title, first, second, "try", "Look at the answers.", ())


@torch.no_grad()
def redraw(module: nn.Module, seed: int, std: float = 0.5) -> None:
    """Redraw every parameter from a normal of `std`; layer norms' weights lie around 1.

    The usual initialisation (std .02, zero biases, layer norms 1 and 0) would hide a missing
    bias; after this nothing in the module is negligible.
    """
    generator = torch.Generator().manual_seed(seed)
    norms = {id(part.weight) for part in module.modules() if isinstance(part, nn.LayerNorm)}
    for parameter in module.parameters():
        noise = torch.empty(parameter.shape).normal_(0.0, std, generator=generator)
        parameter.copy_(noise + (1.0 if id(parameter) in norms else 0.0))


def spoil(model: MultitaskBert, name: str, value: float) -> None:
    """Put a value into one number of a parameter."""
    with torch.no_grad():
        model.get_parameter(name).view(-1)[3] = value


def random_batch(
    lengths: Sequence[int] = (9, 4, 7, 2),
    *,
    vocab_size: int | None = None,
    seed: int = 0,
    pad_id: int = 0,
) -> Batch:
    """Draw a padded batch with a row for each of `lengths`, in both token types.

    Args:
        lengths: real tokens of each row; unequal ones make padding.
        vocab_size: ids are drawn below it, special tokens left out; the tiny vocabulary's by
            default.
        seed: of the draw.
        pad_id: id under the padding; another than 0 shows that only the mask hides it.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    limit = len(tiny_vocabulary()) if vocab_size is None else vocab_size
    ids = torch.randint(len(SPECIAL_TOKENS), limit, shape, generator=generator)
    position = torch.arange(shape[1])
    real = position < torch.tensor(lengths)[:, None]  # (B, T)
    second = position >= (torch.tensor(lengths)[:, None] + 1) // 2  # (B, T), B's half of the row
    return Batch(ids.where(real, pad_id), real.long(), (real & second).long())


def row_alone(batch: Batch, row: int) -> Batch:
    """Return one row of the batch as a batch of its own, without padding."""
    length = int(batch.attention_mask[row].sum())
    kept = (slice(row, row + 1), slice(0, length))
    return Batch(batch.input_ids[kept], batch.attention_mask[kept], batch.token_type_ids[kept])


def reordered(batch: Batch, order: Sequence[int]) -> Batch:
    """Return the batch with its rows in another order."""
    rows = list(order)
    return Batch(batch.input_ids[rows], batch.attention_mask[rows], batch.token_type_ids[rows])


def assert_close(found: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> None:
    """Assert that two tensors have one shape, no NaN, and differ by `tolerance` at most."""
    assert found.shape == wanted.shape
    assert torch.isfinite(found).all()
    difference = (found - wanted).abs().max().item() if found.numel() else 0.0
    assert difference <= tolerance


def assert_padding_invariant(
    function: Callable[[Batch], Tensor], batch: Batch, tolerance: float = 1e-5
) -> None:
    """Assert that each row's result, (B, ...) by row, is what the row gives alone, unpadded."""
    assert (batch.attention_mask == 0).any(), "the batch has no padding to be invariant to"
    together = function(batch)
    assert len(together) == len(batch.input_ids)
    for row in range(len(batch.input_ids)):
        assert_close(together[row], function(row_alone(batch, row))[0], tolerance)


def assert_follows_order(
    function: Callable[[Batch], Tensor], batch: Batch, tolerance: float = 1e-5
) -> None:
    """Assert that reordering a batch's rows reorders the results, (B, ...), and nothing else."""
    order = list(reversed(range(len(batch.input_ids))))
    assert_close(function(reordered(batch, order)), function(batch)[order], tolerance)


def assert_permutation_invariant(
    function: Callable[..., Tensor], *tensors: Tensor, tolerance: float = 1e-5
) -> None:
    """Assert that a value of whole batches (a loss, say) ignores the order of their rows."""
    order = list(reversed(range(len(tensors[0]))))
    shuffled = [tensor[order] for tensor in tensors]
    assert_close(function(*shuffled), function(*tensors), tolerance)


def assert_leaves_inputs_alone(function: Callable[..., Any], *tensors: Tensor) -> None:
    """Assert that calling the function changes none of its input tensors."""
    before = [tensor.clone() for tensor in tensors]
    function(*tensors)
    for tensor, kept in zip(tensors, before, strict=True):
        assert torch.equal(tensor, kept)


def assert_attention_rows(maps: Tensor, mask: Tensor, tolerance: float = 1e-5) -> None:
    """Assert that every row of maps (B, H, T, T) sums to 1 over real tokens, with 0 on padding."""
    assert (maps >= 0).all()
    real = mask[:, None, None, :].to(maps.dtype)  # (B, 1, 1, T)
    sums = (maps * real).sum(dim=-1)  # (B, H, T)
    assert_close(sums, torch.ones_like(sums), tolerance)
    assert ((maps * (1 - real)) == 0).all()


def assert_seed_decides(draw: Callable[[int], Any]) -> None:
    """Assert that one seed always gives one draw, and that another seed gives another."""
    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


Parts = str | Sequence[str]  # of a message: one, or several


def assert_says(
    error: BaseException | str,
    *,
    parameter: Parts = (),
    rule: Parts = (),
    found: Parts = (),
    step: Parts = (),
    never: Parts = (),
) -> None:
    """Assert that an error names what it has to; how it puts it is its own affair.

    Args:
        error: an error, or its message.
        parameter: the option, file or repository that is wrong.
        rule: what it should be: a limit, the values that will do.
        found: what it was.
        step: what to do next: a command, an option, an address.
        never: what must not stand there: a secret, another repository, a way that is closed.
    """
    message = str(error)
    parts = {"parameter": parameter, "rule": rule, "found": found, "step": step, "never": never}
    wrong = [
        (kind, part)
        for kind, asked in parts.items()
        for part in ([asked] if isinstance(asked, str) else asked)
        if (part in message) is (kind == "never")
    ]
    assert wrong == [], message


def markdown_tables(text: str) -> list[list[dict[str, str]]]:
    """Return the tables of a Markdown text: of each, its rows, and of each row, cells by column."""
    tables: list[list[dict[str, str]]] = []
    columns: list[str] | None = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = cells
            tables.append([])
        elif set("".join(cells)) - set("-:"):
            tables[-1].append(dict(zip(columns, cells, strict=True)))
    return tables


def run_async(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, on its own thread: a browser test leaves a loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def watch_encoder(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None] = lambda: None
) -> list[list[Encoded]]:
    """Return a list that grows with every batch of the encoder without padding, as it begins.

    `fault` runs before each, and may raise.
    """
    batches: list[list[Encoded]] = []
    encode = UnpaddedEncoder.__call__

    def watched(
        encoder: UnpaddedEncoder,
        inputs: Sequence[Encoded],
        maps_of: Collection[int] = (),
        *,
        keep_layer_states: bool = False,
    ) -> Unpadded:
        batches.append(list(inputs))
        fault()
        return encode(encoder, inputs, maps_of, keep_layer_states=keep_layer_states)

    monkeypatch.setattr(UnpaddedEncoder, "__call__", watched)
    return batches
