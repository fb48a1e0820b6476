"""Projected attention: the formula by hand, nothing changed at first, a file that keeps it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from minbert.attention import additive_mask
from minbert.bert import BertModel
from minbert.checkpoint import encoder_state_to_hf, export_encoder, key_table
from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.pals import ProjectedAttention, pal_size_for
from minbert.tasks import TASKS
from minbert.text import Batch, Tokenizer
from tests.minbert.folders import CONFIG, WEIGHTS
from tests.support import (
    assert_attention_rows,
    assert_close,
    assert_padding_invariant,
    random_batch,
    redraw,
    seeded,
    tiny_config,
    tiny_model,
)

BATCH = random_batch((9, 4, 7, 2), pad_id=9)


@pytest.fixture
def pals(tmp_path: Path) -> MultitaskBert:
    """Give a model in eval mode with PALs of 8 units, every parameter of which counts."""
    model = tiny_model(tmp_path / "tokenizer", pal_size=8)
    redraw(model, seed=1)
    return model.eval()


def encode(encoder: BertModel, task: str | None = None, batch: Batch = BATCH) -> Tensor:
    """Return the last hidden states, (B, T, D)."""
    with torch.no_grad():
        return encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids, task).hidden


def of_task(encoder: BertModel, task: str) -> ProjectedAttention:
    """Return a task's projected attention."""
    assert encoder.pals is not None
    return encoder.pals[task]


# The formula


@pytest.mark.parametrize(
    ("hidden_size", "heads", "size"),
    [(768, 12, 204), (384, 12, 96), (1024, 16, 272), (128, 2, 34), (16, 4, 4), (8, 8, 8)],
)
def test_the_paper_s_size_scales_with_the_encoder(hidden_size: int, heads: int, size: int) -> None:
    assert pal_size_for(hidden_size, heads) == size
    encoder = tiny_config(hidden_size=hidden_size, num_attention_heads=heads)
    assert MultitaskConfig(encoder=encoder, max_length=64, pal_size=size).pal_size == size


def test_projected_attention_by_hand() -> None:
    pal = ProjectedAttention(tiny_config(hidden_size=2, num_attention_heads=1), size=1).eval()
    hidden = torch.tensor([[[1.0, 9.0], [3.0, 7.0], [50.0, 50.0]]])
    attention = pal.attentions[1]
    with torch.no_grad():
        pal.down.weight.copy_(torch.tensor([[1.0, 0.0]]))
        attention.query.weight.zero_()  # all real tokens attended to alike
        attention.value.weight.fill_(2.0)
        attention.value.bias.fill_(0.5)
        pal.up.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        mask = additive_mask(torch.tensor([[1, 1, 0]]), torch.float32)
        added = pal(hidden, mask, layer=1)
    assert_close(added, torch.tensor([[[4.5, -4.5]] * 3]), 1e-5)  # (2.5 + 6.5) / 2


def by_formula(pal: ProjectedAttention, tokens: Tensor, layer: int) -> Tensor:
    """Compute V_D MH(V_E h) of one row's real tokens (n, D), head by head."""
    narrow = tokens @ pal.down.weight.T
    query, key, value = (
        narrow @ part.weight.T + part.bias
        for part in (getattr(pal.attentions[layer], name) for name in ("query", "key", "value"))
    )
    each = 8 // 4
    heads = []
    for start in range(0, 8, each):
        q, k, v = (part[:, start : start + each] for part in (query, key, value))
        scores = (q @ k.T / math.sqrt(each)).exp()
        heads.append(scores / scores.sum(dim=1, keepdim=True) @ v)
    return torch.cat(heads, dim=1) @ pal.up.weight.T


@pytest.mark.parametrize("task", TASKS)
def test_it_joins_the_layer_before_its_last_norm(task: str, pals: MultitaskBert) -> None:
    encoder = pals.encoder
    with torch.no_grad():
        states = encoder(
            BATCH.input_ids,
            BATCH.attention_mask,
            BATCH.token_type_ids,
            task,
            keep_layer_states=True,
        ).layer_states
        mask = additive_mask(BATCH.attention_mask, torch.float32)
        for index, layer in enumerate(encoder.layers):
            context, _ = layer.attention(states[index], mask)
            middle = layer.attention_norm(states[index] + layer.attention_output(context))
            plain = middle + layer.output(F.gelu(layer.intermediate(middle)))
            for row, length in enumerate((9, 4, 7, 2)):
                tokens = states[index][row, :length]  # the layer's input
                added = by_formula(of_task(encoder, task), tokens, index)
                wanted = layer.output_norm(plain[row, :length] + added)
                assert_close(states[index + 1][row, :length], wanted, 4e-5)  # sizes up to 4


@pytest.mark.parametrize("task", TASKS)
def test_padding_has_no_part_in_it(task: str, pals: MultitaskBert) -> None:
    with torch.no_grad():
        assert_padding_invariant(lambda batch: pals.embed(batch, task), BATCH)


def test_each_task_has_weights_of_its_own(pals: MultitaskBert) -> None:
    encoder = pals.encoder
    before = {task: encode(encoder, task) for task in TASKS}
    trunk = encode(encoder)
    for first in TASKS:
        for other in TASKS:
            assert first == other or (before[first] - before[other]).abs().max() > 0.1
    redraw(of_task(encoder, "paraphrase"), seed=9)
    for task in TASKS:
        moved = (encode(encoder, task) - before[task]).abs().max() > 0.1
        assert moved == (task == "paraphrase")
    assert torch.equal(encode(encoder), trunk)


def test_the_projections_are_shared_by_the_layers_and_the_attention_is_not() -> None:
    names = set(ProjectedAttention(tiny_config(), 8).state_dict())
    attention = {
        f"attentions.{layer}.{part}.{kind}"
        for layer in (0, 1)
        for part in ("query", "key", "value")
        for kind in ("weight", "bias")
    }
    assert names == {"down.weight", "up.weight"} | attention


# At first, and switched off


def test_fresh_ones_change_nothing_bit_for_bit(model: MultitaskBert) -> None:
    encoder = model.encoder
    before = encode(encoder)
    assert not encoder.pals_active
    encoder.add_pals(tuple(TASKS), 8)
    assert encoder.pals_active
    for task in TASKS:
        assert torch.equal(encode(encoder, task), before)
        pal = of_task(encoder, task)
        assert not pal.up.weight.any()
        assert 0.015 < pal.down.weight.std() < 0.025, "V_E starts as the encoder's weights do"
        assert not pal.attentions[0].value.bias.any()
        torch.nn.init.normal_(pal.up.weight)
        assert not torch.equal(encode(encoder, task), before)


def test_the_first_step_s_gradient_reaches_v_d_of_the_task(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pal_size=8).train()
    model.predict_sentiment(BATCH).square().sum().backward()
    up = of_task(model.encoder, "sentiment").up.weight.grad
    assert up is not None
    assert (up != 0).all()
    assert all(p.grad is None for p in of_task(model.encoder, "similarity").parameters())


def test_training_moves_all_of_them(pals: MultitaskBert) -> None:
    pals.predict_paraphrase(BATCH).square().sum().backward()
    for name, parameter in of_task(pals.encoder, "paraphrase").named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.any(), name


def test_without_a_task_or_switched_off_the_trunk_answers(
    pals: MultitaskBert, model: MultitaskBert
) -> None:
    shared = {n: t for n, t in pals.encoder.state_dict().items() if not n.startswith("pals.")}
    model.encoder.load_state_dict(shared)
    trunk = encode(model.encoder)
    assert torch.equal(encode(pals.encoder), trunk)
    assert not torch.equal(encode(pals.encoder, "sentiment"), trunk)
    pals.encoder.pals_on = False
    assert not pals.encoder.pals_active
    assert torch.equal(encode(pals.encoder, "sentiment"), trunk)


def test_without_any_a_task_makes_no_difference(model: MultitaskBert) -> None:
    assert model.encoder.pals is None
    assert torch.equal(encode(model.encoder, "similarity"), encode(model.encoder))
    assert torch.equal(model.embed(BATCH, "similarity"), model.embed(BATCH))


def test_maps_are_the_trunk_s_attention(pals: MultitaskBert) -> None:
    inputs = (BATCH.input_ids, BATCH.attention_mask, BATCH.token_type_ids)
    with torch.no_grad():
        plain = pals.encoder(*inputs, maps_of=(0, 1)).attention_maps
        tasked = pals.encoder(*inputs, "similarity", maps_of=(0, 1)).attention_maps
    assert_attention_rows(tasked[1], BATCH.attention_mask)
    assert_close(tasked[0], plain[0])  # the first layer's input is the same
    assert (tasked[1] - plain[1]).abs().max() > 0.01


# Files


def test_a_checkpoint_keeps_them(pals: MultitaskBert, tmp_path: Path) -> None:
    pals.encoder.pals_on = False
    pals.save_pretrained(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / CONFIG).read_text())["minbert"]["pal_size"] == 8
    again = MultitaskBert.from_pretrained(tmp_path / "saved")
    assert again.encoder.pals_on
    assert set(again.state_dict()) == set(pals.state_dict())
    assert "encoder.pals.sentiment.attentions.1.query.weight" in again.state_dict()
    assert {parameter.device.type for parameter in again.parameters()} == {"cpu"}
    pals.encoder.pals_on = True
    for task in TASKS:
        assert_close(encode(again.encoder, task), encode(pals.encoder, task))


def test_a_plain_model_has_no_trace_of_them(model: MultitaskBert) -> None:
    assert set(model.encoder.state_dict()) == set(key_table(2).values())
    with seeded(0):
        plain = BertModel(tiny_config())
    with seeded(0):
        other = BertModel(tiny_config())
        other.add_pals(("sentiment",), 4)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)


def test_the_exported_encoder_leaves_them_out(
    pals: MultitaskBert, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    assert set(encoder_state_to_hf(pals.encoder)) == set(key_table(2))
    export_encoder(pals.encoder, tokenizer, tmp_path / "plain")
    assert set(load_file(tmp_path / "plain" / WEIGHTS)) == set(key_table(2))
    theirs = transformers.BertModel.from_pretrained(tmp_path / "plain").eval()
    with torch.no_grad():
        found = theirs(
            input_ids=BATCH.input_ids,
            attention_mask=BATCH.attention_mask,
            token_type_ids=BATCH.token_type_ids,
        ).last_hidden_state
    real = BATCH.attention_mask.bool()
    assert_close(encode(pals.encoder)[real], found[real])


# Errors


@pytest.mark.parametrize("size", [0, -4, 6])
def test_a_size_that_the_heads_don_t_divide_is_told(size: int) -> None:
    message = f"`size` should be a positive multiple of the encoder's 4 heads. Found {size}"
    with pytest.raises(ValueError, match=message):
        BertModel(tiny_config()).add_pals(("sentiment",), size)


def test_adding_twice_is_told(pals: MultitaskBert) -> None:
    message = r"`add_pals` should be called once\. Found PALs of sentiment, paraphrase, similarity"
    with pytest.raises(ValueError, match=message):
        pals.encoder.add_pals(("sentiment",), 8)


def test_an_unknown_task_is_told(pals: MultitaskBert) -> None:
    listed = "`task` should be one of 'sentiment', 'paraphrase', 'similarity'. Found 'irony'"
    with pytest.raises(ValueError, match=listed):
        encode(pals.encoder, "irony")


def test_a_config_of_another_size_is_told(pals: MultitaskBert, tmp_path: Path) -> None:
    for size in (0, 4):
        config = MultitaskConfig(encoder=tiny_config(), max_length=48, pal_size=size)
        with pytest.raises(ValueError, match=rf"the encoder's PALs, 8\. Found {size}"):
            MultitaskBert(config, None, pals.encoder)
    plain = tiny_model(tmp_path)
    plain.encoder.add_pals(tuple(TASKS), 4)
    with pytest.raises(ValueError, match=r"the encoder's PALs, 4\. Found 0"):
        plain.save_pretrained(tmp_path / "saved")
