"""Reading and writing weights: one key table, both ways, and nothing silent.

An encoder comes from any Hugging Face folder of `model_type: bert`, in one file or in shards with
an index; our own folders are such ones, with more beside it (`minbert.storage.model_folder`) and a
manifest (`minbert.storage.manifest`). Pickles are never written; a downloaded
`pytorch_model.bin` is read with `weights_only=True`. Whatever keeps a folder from being loaded is
a `CheckpointError`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from minbert.bert import BertModel
from minbert.config import BertConfig
from minbert.files import CheckpointError, read_json, write_json, write_tensors
from minbert.storage import manifest
from minbert.storage.weights import PICKLED_FILES, check_finite, listed, read_weights, weights_files
from minbert.storage.weights import WEIGHTS_FILE as WEIGHTS_FILE
from minbert.text import Tokenizer

CONFIG_FILE = "config.json"
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
Config = TypeVar("Config")


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
    weights: Mapping[str, Tensor], config: BertConfig, source: Path | None = None
) -> tuple[dict[str, Tensor], LoadReport]:
    """Rename Hugging Face weights to ours.

    Args:
        weights: by Hugging Face's names.
        config: of the encoder that they are for.
        source: the folder that they come from, for the error.

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
        place = f" in {source}" if source else ""
        raise CheckpointError(
            f"The weights{place} should fit a {config.num_hidden_layers}-layer BERT. "
            f"Missing: {listed(missing)}. Unknown: {listed(unknown)}. "
            "Check that config.json and the weights belong together, or download both again."
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
        CheckpointError: files missing, torn or other than the manifest says, a name or shape
            that doesn't fit, a weight that isn't finite, a tokenizer with more word pieces than
            the encoder, or a config.json that describes something other than a plain BERT.
        ValueError: a change that `BertConfig` refuses.
    """
    folder = resolve_folder(name_or_dir, revision=revision)
    manifest.verify(folder)
    stored = read_config(folder, BertConfig.from_hf)
    config = dataclasses.replace(stored, **changes)  # type: ignore[arg-type]  # checked when built
    tokenizer = Tokenizer.from_folder(folder)
    weights = read_weights(folder)
    check_config(config, tokenizer, weights, folder)
    state, report = encoder_state_from_hf(weights, config, folder)
    with without_weights():
        shaped = BertModel(config)
    fresh = shaped.pooler.state_dict(prefix="pooler.") if report.fresh_pooler else {}
    check_fit(shaped, {**state, **fresh}, folder)  # before memory is taken for what may be damaged
    encoder = BertModel(config)
    for name, tensor in encoder.pooler.state_dict(prefix="pooler.").items():
        state.setdefault(name, tensor)
    load_strictly(encoder, state, folder)
    return encoder, tokenizer, report


def read_config(folder: Path, form: Callable[[dict[str, Any]], Config]) -> Config:
    """Read a folder's config.json as `form` makes it of the values.

    Raises:
        CheckpointError: the file is missing, torn, or refused by `form`.
    """
    path = folder / CONFIG_FILE
    values = read_json(path)
    try:
        return form(values)
    except ValueError as error:
        raise CheckpointError(
            f"{path} should describe a model that minBERT can build: {error} Copy or download the "
            "folder again, or name another."
        ) from error


def check_config(
    config: BertConfig, tokenizer: Tokenizer, weights: Mapping[str, Tensor], folder: Path
) -> None:
    """Hold an encoder's config against what lies beside it, before anything is built.

    A vocabulary may be smaller than the table of embeddings, which some round up.

    Raises:
        CheckpointError: the tokenizer has a word piece without embedding, or there are more
            layers than weights.
    """
    path = folder / CONFIG_FILE
    if tokenizer.largest_id >= config.vocab_size:
        raise CheckpointError(
            f"`vocab_size` in {path} should be at least the tokenizer's "
            f"{tokenizer.largest_id + 1}. Found {config.vocab_size}; the two files don't belong "
            "together, copy or download the folder again."
        )
    if config.num_hidden_layers > len(weights):
        raise CheckpointError(
            f"`num_hidden_layers` in {path} should be the weights'. Found "
            f"{config.num_hidden_layers} layers for {len(weights)} weights; the two files don't "
            "belong together, copy or download the folder again."
        )


def export_encoder(encoder: BertModel, tokenizer: Tokenizer, folder: str | Path) -> None:
    """Write the encoder as a folder that `transformers.BertModel.from_pretrained` loads."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG_FILE, encoder.config.to_hf())
    write_tensors(folder / WEIGHTS_FILE, encoder_state_to_hf(encoder))
    tokenizer.save(folder)
    manifest.write_manifest(folder)


def load_strictly(module: torch.nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Put `state` into `module` in float32: every name there, every shape right, all finite.

    Raises:
        CheckpointError: a missing, unknown or misshapen weight, or one with NaN or infinity; all
            of them are listed.
    """
    check_fit(module, state, source)
    whole = {name: t.to(torch.float32) for name, t in state.items()}
    check_finite(whole, source)
    module.load_state_dict(whole, assign=True)


def check_fit(module: torch.nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Check that `state` has the names and shapes of `module`, and floating-point numbers.

    Raises:
        CheckpointError: it doesn't; all that is wrong is listed.
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
    problems += [
        f"{name} should be floating-point numbers, found {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in state.items()
        if not tensor.is_floating_point()
    ]
    if problems:
        raise CheckpointError(
            f"The weights in {source} don't fit its config.json: {listed(problems, '; ')}. "
            "Check that the two belong together, or copy or download the folder again."
        )


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
        if not any(path.is_file() for path in weights_files(fetched)):
            snapshot_download(str(name_or_dir), revision=revision, allow_patterns=[PICKLED_FILES])
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise CheckpointError(
            f"{name_or_dir!r} should be a folder or a Hugging Face id. Found no such folder, and "
            f"the Hub says: {error}"
        ) from error
    return fetched
