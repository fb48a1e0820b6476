"""Reading and writing weights: one key table, both ways, and nothing silent.

An encoder comes from any Hugging Face folder of `model_type: bert`; our own multitask folders
have the same shape (config.json, model.safetensors, tokenizer files). Pickles are never written; a
downloaded `pytorch_model.bin` is read with `weights_only=True`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from minbert.bert import BertModel
from minbert.config import BertConfig
from minbert.files import CheckpointError, read_json, read_tensors, write_json, write_tensors
from minbert.text import Tokenizer

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PICKLED_WEIGHTS_FILE = "pytorch_model.bin"
TRAINED_ON_FILE = "trained_on.safetensors"  # the trainer's record of what made the weights
# A checkpoint is all of its folder's files of these kinds: text and tensors, which can't run code.
SAFE_KINDS = (".csv", ".json", ".md", ".safetensors", ".toml", ".tsv", ".txt", ".yaml")

# Hugging Face's name -> ours. A module's name stands for its weight and its bias.
EMBEDDING_KEYS = {
    "embeddings.word_embeddings.weight": "embeddings.word.weight",
    "embeddings.position_embeddings.weight": "embeddings.position.weight",
    "embeddings.token_type_embeddings.weight": "embeddings.token_type.weight",
    "embeddings.LayerNorm.weight": "embeddings.norm.weight",
    "embeddings.LayerNorm.bias": "embeddings.norm.bias",
}
LAYER_KEYS = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention_output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "output",
    "output.LayerNorm": "output_norm",
}
POOLER_KEYS = {
    "pooler.dense.weight": "pooler.dense.weight",
    "pooler.dense.bias": "pooler.dense.bias",
}
# Heads and buffers of pre-training and of other tasks: known, not ours, listed when met.
IGNORED_PREFIXES = (
    "cls.",
    "classifier.",
    "qa_outputs.",
    "embeddings.position_ids",
    "embeddings.token_type_ids",
)


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What loading an encoder left out or made fresh."""

    ignored: tuple[str, ...]  # names in the file that the encoder doesn't have
    fresh_pooler: bool  # the file had no pooler; ours keeps its random start


def key_table(layers: int) -> dict[str, str]:
    """Return Hugging Face's name -> our name, for an encoder of that many layers."""
    table = {**EMBEDDING_KEYS, **POOLER_KEYS}
    for index in range(layers):
        for theirs, ours in LAYER_KEYS.items():
            for kind in ("weight", "bias"):
                table[f"encoder.layer.{index}.{theirs}.{kind}"] = f"layers.{index}.{ours}.{kind}"
    return table


def modern_name(name: str) -> str:
    """Spell an older file's key as today's files do (`bert.` prefix, LayerNorm gamma/beta)."""
    name = name.removeprefix("bert.")
    if name.endswith("LayerNorm.gamma"):
        return name.removesuffix("gamma") + "weight"
    if name.endswith("LayerNorm.beta"):
        return name.removesuffix("beta") + "bias"
    return name


def encoder_state_from_hf(
    weights: Mapping[str, Tensor], config: BertConfig
) -> tuple[dict[str, Tensor], LoadReport]:
    """Rename Hugging Face weights to ours.

    Returns:
        our state dictionary (without the pooler where the file has none), and what was left out.

    Raises:
        CheckpointError: a name that is neither ours nor known to be ignorable, or one missing.
    """
    table = key_table(config.num_hidden_layers)
    state: dict[str, Tensor] = {}
    ignored, unknown = [], []
    for name, tensor in weights.items():
        modern = modern_name(name)
        if modern in table:
            state[table[modern]] = tensor
        elif modern.startswith(IGNORED_PREFIXES):
            ignored.append(name)
        else:
            unknown.append(name)
    pooler = set(POOLER_KEYS.values())
    fresh_pooler = not pooler & set(state)
    missing = set(table.values()) - set(state) - (pooler if fresh_pooler else set())
    if unknown or missing:
        raise CheckpointError(
            f"The weights should fit a {config.num_hidden_layers}-layer BERT. "
            f"Missing: {_listed(missing)}. Unknown: {_listed(unknown)}. "
            "Check that config.json and the weights belong together."
        )
    return state, LoadReport(tuple(sorted(ignored)), fresh_pooler)


def encoder_state_to_hf(encoder: BertModel) -> dict[str, Tensor]:
    """Return the encoder's weights under Hugging Face's names."""
    state = encoder.state_dict()
    table = key_table(encoder.config.num_hidden_layers)
    return {theirs: state[ours].contiguous() for theirs, ours in table.items()}


class _Untouched(TorchFunctionMode):
    """Let the functions of `torch.nn.init` leave their tensor as it is."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 - torch's signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - what `func` returns
        """Return the tensor of an initialiser, and what any other function returns."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == torch.nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Build modules that have shapes but no weights yet, on the meta device.

    Random numbers are left out too: on that device torch draws them in Python, and imports its
    compiler for it, which takes longer than the weights do.
    """
    with torch.device("meta"), _Untouched():
        yield


def load_encoder(
    name_or_dir: str | Path, *, revision: str | None = None, **changes: float
) -> tuple[BertModel, Tokenizer, LoadReport]:
    """Load a BERT encoder and its tokenizer from a folder or a Hugging Face id, in float32.

    Args:
        name_or_dir: a folder or a Hugging Face id.
        revision: branch, tag or commit on the Hub.
        changes: fields of `BertConfig` to set differently, such as `hidden_dropout_prob`.

    Raises:
        CheckpointError: files missing or torn, a name or shape that doesn't fit, a vocabulary
            that the tokenizer doesn't have.
        FileNotFoundError: no tokenizer files.
        ValueError: a config.json that describes something other than a plain BERT.
    """
    folder = resolve_folder(name_or_dir, revision=revision)
    stored = BertConfig.from_hf(read_json(folder / CONFIG_FILE))
    config = dataclasses.replace(stored, **changes)  # type: ignore[arg-type]  # checked when built
    tokenizer = Tokenizer.from_folder(folder)
    if len(tokenizer) != config.vocab_size:
        raise CheckpointError(
            f"`vocab_size` in {folder / CONFIG_FILE} should be the tokenizer's {len(tokenizer)}. "
            f"Found {config.vocab_size}; the two files don't belong together."
        )
    state, report = encoder_state_from_hf(read_weights(folder), config)
    encoder = BertModel(config)
    for name, tensor in encoder.pooler.state_dict(prefix="pooler.").items():
        state.setdefault(name, tensor)
    load_strictly(encoder, state, folder)
    return encoder, tokenizer, report


def export_encoder(encoder: BertModel, tokenizer: Tokenizer, folder: str | Path) -> None:
    """Write the encoder as a folder that `transformers.BertModel.from_pretrained` loads."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG_FILE, encoder.config.to_hf())
    write_tensors(folder / WEIGHTS_FILE, encoder_state_to_hf(encoder))
    tokenizer.save(folder)


def load_strictly(module: torch.nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Put `state` into `module` in float32: every name there, every shape right.

    Raises:
        CheckpointError: a missing, unknown or misshapen weight; all of them are listed.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    problems = [f"{name} is missing" for name in sorted(set(wanted) - set(found))]
    problems += [f"{name} is unknown" for name in sorted(set(found) - set(wanted))]
    problems += [
        f"{name} should be {wanted[name]}, found {found[name]}"
        for name in sorted(set(wanted) & set(found))
        if wanted[name] != found[name]
    ]
    if problems:
        raise CheckpointError(
            f"The weights in {source} don't fit its config.json: {_listed(problems, '; ')}."
        )
    module.load_state_dict({name: t.to(torch.float32) for name, t in state.items()}, assign=True)


def resolve_folder(name_or_dir: str | Path, *, revision: str | None = None) -> Path:
    """Return a local folder for a folder's path or a Hugging Face id (downloaded once, cached).

    Raises:
        CheckpointError: neither a folder nor an id that the Hub answers for.
    """
    folder = Path(name_or_dir)
    if folder.is_dir():
        return folder
    if len(folder.parts) > 2 or str(name_or_dir).startswith((".", "/", "~")):
        raise CheckpointError(
            f"{name_or_dir} should be a folder with {CONFIG_FILE} and {WEIGHTS_FILE}, or a "
            "Hugging Face id such as 'google-bert/bert-base-uncased'. Found no such folder."
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        fetched = Path(
            snapshot_download(
                str(name_or_dir),
                revision=revision,
                allow_patterns=[f"*{kind}" for kind in SAFE_KINDS],
                ignore_patterns=["*/*"],  # folders hold the weights in other programs' formats
            )
        )
        if not (fetched / WEIGHTS_FILE).is_file():
            snapshot_download(
                str(name_or_dir), revision=revision, allow_patterns=[PICKLED_WEIGHTS_FILE]
            )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise CheckpointError(
            f"{name_or_dir!r} should be a folder or a Hugging Face id. Found no such folder, and "
            f"the Hub says: {error}"
        ) from error
    return fetched


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read a folder's weights: model.safetensors, else pytorch_model.bin (tensors only).

    Raises:
        CheckpointError: neither file, or a torn one.
    """
    path = weights_file(folder)
    if path.name == PICKLED_WEIGHTS_FILE:
        try:
            weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged pickles fail in any way there is
            raise CheckpointError(
                f"{path} should be a whole file of tensors. It is torn or damaged ({error}); "
                "copy or download it again."
            ) from error
        return weights
    return read_tensors(path)


def weights_file(folder: Path) -> Path:
    """Return the file that holds a folder's weights, model.safetensors where there is one."""
    pickled = folder / PICKLED_WEIGHTS_FILE
    whole = folder / WEIGHTS_FILE
    return pickled if pickled.is_file() and not whole.is_file() else whole


def _listed(names: Any, separator: str = ", ", most: int = 8) -> str:  # noqa: ANN401 - any sized iterable
    names = sorted(names)
    if not names:
        return "none"
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + rest
