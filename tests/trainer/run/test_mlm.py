"""Masked-language-model training: what is hidden, what it costs, and a run that goes on."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.checkpoint import load_encoder
from minbert.files import read_tensors
from minbert.text import Batch, Tokenizer, normalise, pad
from tests.support import (
    assert_close,
    assert_says,
    random_batch,
    redraw,
    row_alone,
    tiny_model,
    tiny_tokenizer,
)
from tests.trainer.samples import header, write_table
from trainer.config import MlmConfig
from trainer.data.course import FILES, read_split
from trainer.run import mlm
from trainer.run.divergence import DivergedError
from trainer.run.folder import RunError
from trainer.run.mlm import MlmHead, MlmTuning, mask_tokens, mlm_loss, sentence_stream, train_mlm

Work = Callable[..., list[str]]
NONE = mlm.NOT_A_TARGET
SETTINGS: dict[str, Any] = {
    "max_length": 48,
    "batch_examples": 16,
    "checkpoint_every": 3,
    "learning_rate": 5e-3,
}


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    return tiny_tokenizer(tmp_path / "tokenizer")


@pytest.fixture(scope="module")
def work(data: Path, encoder_folder: Path) -> Work:
    """Give a function that trains a run and returns the lines told."""

    def run(out: Path, report: Callable[[str], None] | None = None, **changes: Any) -> list[str]:  # noqa: ANN401
        torch.set_num_threads(1)
        told: list[str] = []
        config = MlmConfig(encoder=str(encoder_folder), **{**SETTINGS, **changes})
        train_mlm(config, data, out, resume=True, device_name="cpu", report=report or told.append)
        return told

    return run


@pytest.fixture(scope="module")
def unbroken(work: Work, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a finished run; nobody writes there."""
    folder = tmp_path_factory.mktemp("mlm") / "unbroken"
    told = work(folder)
    (folder.parent / "told.txt").write_text("\n".join(told), encoding="utf-8")
    return folder


def large_batch(tokenizer: Tokenizer, rows: int = 600) -> Batch:
    """Draw sentences of 20 to 60 ordinary pieces, special tokens around and padding after."""
    generator = torch.Generator().manual_seed(4)
    items = []
    for row in range(rows):
        length = 20 + row % 41
        pieces = torch.randint(5, len(tokenizer), (length,), generator=generator).tolist()
        items.append(tokenizer.single(pieces, 128))
    return pad(items, pad_id=7)  # padding that looks like a word: only the mask tells


def masked(batch: Batch, tokenizer: Tokenizer, seed: int = 0) -> tuple[Batch, torch.Tensor]:
    return mask_tokens(batch, tokenizer, tokenizer.mask_id, torch.Generator().manual_seed(seed))


def assert_share(hits: torch.Tensor, wanted: float) -> None:
    """Assert that a share of true values is as wanted, within four standard errors."""
    error = math.sqrt(wanted * (1 - wanted) / hits.numel())
    assert abs(hits.float().mean().item() - wanted) < 4 * error


def test_pieces_are_chosen_and_hidden_in_bert_s_shares(tokenizer: Tokenizer) -> None:
    batch = large_batch(tokenizer)
    hidden, targets = masked(batch, tokenizer)
    words = (batch.attention_mask == 1) & (batch.input_ids != tokenizer.cls_id)
    words &= batch.input_ids != tokenizer.sep_id
    assert_share(targets[words] != NONE, 0.15)
    chosen = targets != NONE
    seen, truth = hidden.input_ids[chosen], batch.input_ids[chosen]
    same = 1 / len(tokenizer)  # a random piece may be the very one
    assert_share(seen == tokenizer.mask_id, 0.8 + 0.1 * same)
    assert_share(seen == truth, 0.1 + 0.1 * same)
    assert_share((seen != truth) & (seen != tokenizer.mask_id), 0.1 * (1 - 2 * same))
    changed = seen[(seen != truth) & (seen != tokenizer.mask_id)]
    assert len(changed.unique()) > len(tokenizer) / 2, "any piece of the vocabulary"


def test_special_tokens_and_padding_are_never_chosen(tokenizer: Tokenizer) -> None:
    batch = large_batch(tokenizer)
    for seed in range(5):
        hidden, targets = masked(batch, tokenizer, seed)
        special = (batch.input_ids == tokenizer.cls_id) | (batch.input_ids == tokenizer.sep_id)
        untouched = special | (batch.attention_mask == 0)
        assert (targets[untouched] == NONE).all()
        assert torch.equal(hidden.input_ids[untouched], batch.input_ids[untouched])
    assert untouched.sum() > 10_000


def test_targets_are_the_pieces_that_were_there(tokenizer: Tokenizer) -> None:
    batch = large_batch(tokenizer)
    before = batch.input_ids.clone()
    hidden, targets = masked(batch, tokenizer)
    chosen = targets != NONE
    assert torch.equal(targets[chosen], before[chosen])
    assert torch.equal(hidden.input_ids[~chosen], before[~chosen])
    assert torch.equal(batch.input_ids, before), "the batch itself stays"
    assert hidden.attention_mask is batch.attention_mask
    assert hidden.token_type_ids is batch.token_type_ids


def test_the_generator_decides_what_is_hidden(tokenizer: Tokenizer) -> None:
    batch = large_batch(tokenizer, 4)
    first, again, other = (masked(batch, tokenizer, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0].input_ids, again[0].input_ids)
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


def test_the_loss_by_hand(tmp_path: Path, tokenizer: Tokenizer) -> None:
    encoder = tiny_model(tmp_path).encoder.eval()
    head = MlmHead(encoder)
    redraw(encoder, seed=1, std=0.3)
    redraw(head, seed=2, std=0.3)
    hidden, targets = masked(large_batch(tokenizer, 3), tokenizer)
    costs = []
    words = encoder.embeddings.word.weight
    for row in range(3):
        alone = row_alone(hidden, row)
        states = encoder(alone.input_ids, alone.attention_mask, alone.token_type_ids).hidden[0]
        for state, target in zip(states, targets[row].tolist(), strict=False):
            if target == NONE:
                continue
            x = head.dense.weight @ state + head.dense.bias
            x = x * (1 + torch.erf(x / math.sqrt(2))) / 2
            x = (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-12)
            x = x * head.norm.weight + head.norm.bias
            logits = words @ x + head.bias
            costs.append(logits.exp().sum().log() - logits[target])
    found = mlm_loss(encoder, head, hidden, targets)
    assert len(costs) > 5
    assert_close(found, torch.stack(costs).mean())


def test_without_a_target_the_loss_is_zero_and_can_be_followed_back(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    encoder = tiny_model(tmp_path).encoder
    batch = large_batch(tokenizer, 2)
    loss = mlm_loss(encoder, MlmHead(encoder), batch, torch.full_like(batch.input_ids, NONE))
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert loss.item() == 0.0
    gradients = [p.grad for p in encoder.parameters() if p.grad is not None]
    assert all((gradient == 0).all() for gradient in gradients)


def test_dev_and_test_sentences_are_not_trained_on(data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))

    def rewrite(name: str, split: str, *texts: tuple[str, ...]) -> None:
        rows = [(str(place), *row, "1") for place, row in enumerate(texts)]
        write_table(folder / FILES[name][split], header(name), rows)

    rewrite("sentiment", "train", ("A calm film .",), ("SEEN  on dev !",), ("A calm film .",))
    rewrite("sentiment", "dev", ("Only dev .",), ("Seen on test ?",))
    rewrite("paraphrase", "train", ("How is it ?", "does n't it"), ("seen ON dev !", "Why ?"))
    rewrite("paraphrase", "dev", ("Seen on dev !", "Other"))
    rewrite("similarity", "train", ("SEEN ON TEST ?", "A dog ."), ("In a test file", "A dog ."))
    rewrite("similarity", "dev", ("x", "y"))
    rewrite("similarity", "test", ("In a Test  file", "z"))
    kept, left_out = mlm.training_sentences(folder)
    assert kept == ["A calm film .", "How is it ?", "doesn't it", "Why ?", "A dog ."]
    assert left_out == 4
    for files in FILES.values():
        (folder / files["test"]).unlink()
    kept, left_out = mlm.training_sentences(folder)
    assert "In a test file" in kept
    assert left_out == 3


def test_a_pass_reads_every_sentence_once(tokenizer: Tokenizer) -> None:
    sentences = [f"the cat sits {'very ' * n}" for n in range(20)]
    config = MlmConfig(batch_examples=3, max_length=10, seed=4)
    stream = sentence_stream(sentences, tokenizer, config)
    batches = [stream.next().inputs for _ in range(stream.batches_per_pass)]
    assert max(batch.input_ids.shape[1] for batch in batches) == 10
    assert max(len(batch.input_ids) for batch in batches) == 3
    found = sorted(tuple(row) for batch in batches for row in batch.input_ids.tolist())
    wanted = [tokenizer.single(p, 10).ids for p in tokenizer.pieces(sentences)]
    stripped = sorted(tuple(t for t in row if t != tokenizer.pad_id) for row in found)
    assert stripped == sorted(map(tuple, wanted))


def test_the_rate_rises_and_falls_as_the_settings_say(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    assert model.tokenizer is not None
    config = MlmConfig(learning_rate=0.4, warmup=0.25, max_length=48)
    tuning = MlmTuning(config, model.encoder, MlmHead(model.encoder), model.tokenizer, 8)
    rates = []
    for _ in range(8):
        tuning.train_step(large_batch(model.tokenizer, 2), torch.device("cpu"))
        rates.append(tuning.optimizer.param_groups[0]["lr"])
    wanted = [0.5, 1.0, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]
    assert rates == pytest.approx([0.4 * share for share in wanted])


def metrics_of(run: Path) -> list[dict[str, Any]]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def outcome(run: Path) -> tuple[bytes, list[dict[str, Any]], dict[str, Any]]:
    """Return the weights, metrics and result of a run, the clock's readings left out."""
    weights = (run / "model" / "model.safetensors").read_bytes()
    lines = [{k: v for k, v in line.items() if k != "seconds"} for line in metrics_of(run)]
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return weights, lines, {k: v for k, v in result.items() if k not in ("minutes", "commit")}


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("stop", ["step 3 of", "step 6 of", "export"])
def test_an_interrupted_run_ends_bit_for_bit_as_an_unbroken_one(
    work: Work, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:

    def report(line: str) -> None:
        if line.startswith(stop):  # told before the safe point is written
            raise KilledError

    def export(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        if stop == "export":
            patch.setattr(mlm, "export_encoder", export)
        with pytest.raises(KilledError):
            work(tmp_path / "broken", report)
    torch.manual_seed(99)
    told = work(tmp_path / "broken")
    expected = {"step 3 of": [], "step 6 of": ["3"], "export": ["10"]}[stop]
    assert [line.split()[3] for line in told if line.startswith("Continuing")] == expected
    found, wanted = outcome(tmp_path / "broken"), outcome(unbroken)
    assert found[1:] == wanted[1:]
    assert found[0] == wanted[0]
    assert [line["step"] for line in wanted[1]] == [3, 6, 9, 10]


def test_only_what_learns_has_a_state_of_the_optimizer(unbroken: Path) -> None:
    tensors = read_tensors(unbroken / "state.safetensors")
    model = {name.removeprefix("model.") for name in tensors if name.startswith("model.")}
    learning = {name.removeprefix("adamw.step.") for name in tensors if "adamw.step" in name}
    assert "encoder.pooler.dense.weight" in model
    assert model - learning == {
        *("encoder.pooler.dense.weight", "encoder.pooler.dense.bias"),
        "encoder.embeddings.word.weight",
    }


@pytest.mark.parametrize("frozen", [True, False])
def test_the_encoder_comes_back_as_one_that_any_run_can_load(
    work: Work, unbroken: Path, encoder_folder: Path, tmp_path: Path, *, frozen: bool
) -> None:
    run = unbroken if frozen else tmp_path / "run"
    if not frozen:
        work(run, freeze_word_embeddings=False)
    before, _, _ = load_encoder(encoder_folder)
    after, tokenizer, loaded = load_encoder(run / "model")
    assert not loaded.ignored
    assert not loaded.fresh_pooler
    assert len(tokenizer) == before.config.vocab_size
    assert after.config == before.config
    start = before.state_dict()
    same = {name for name, tensor in after.state_dict().items() if torch.equal(tensor, start[name])}
    embeddings = {"embeddings.word.weight"} if frozen else set()
    assert same == {"pooler.dense.weight", "pooler.dense.bias"} | embeddings


def test_the_loss_falls_over_as_many_passes_as_asked_for(
    work: Work, unbroken: Path, tmp_path: Path
) -> None:
    told = work(tmp_path / "run", passes=4.0)
    lines = metrics_of(tmp_path / "run")
    losses = [line["loss"] for line in lines]
    assert sum(losses[-3:]) / 3 < sum(losses[:3]) / 3 - 0.2
    assert_says(told[-1], found=f"loss {losses[-1]:.3f}")
    assert lines[-1]["step"] == 4 * metrics_of(unbroken)[-1]["step"]


def test_the_result_tells_how_the_encoder_came_about(
    unbroken: Path, data: Path, encoder_folder: Path
) -> None:
    told = (unbroken.parent / "told.txt").read_text(encoding="utf-8").splitlines()
    result = json.loads((unbroken / "result.json").read_text(encoding="utf-8"))
    kept, left_out = mlm.training_sentences(data)
    assert told[0] == f"{len(kept)} sentences; {left_out} left out that are dev or test sentences"
    assert left_out > 0
    assert not {text.casefold() for text in kept} & {
        normalise(text).casefold()
        for name in FILES
        for row in read_split(data, name, "dev").examples
        for text in row.texts
    }
    assert result["tokens"] == metrics_of(unbroken)[-1]["tokens"] > 0
    assert result["sentences"] == len(kept)
    assert result["config"]["encoder"] == str(encoder_folder)
    assert {"commit", "machine", "torch"} <= set(result)


def test_a_finished_run_says_so_and_another_one_is_refused(
    work: Work, unbroken: Path, tmp_path: Path, data: Path, encoder_folder: Path
) -> None:
    out = Path(shutil.copytree(unbroken, tmp_path / "run"))
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    assert work(out) == [f"{out / 'model'} is finished already."]
    with pytest.raises(RunError, match=r"config\.passes: 1\.0 then, 2\.0 now"):
        work(out, passes=2.0)
    config = MlmConfig(encoder=str(encoder_folder), max_length=48)
    with pytest.raises(RunError, match="add --resume"):
        train_mlm(config, data, out, resume=False, device_name="cpu", report=print)
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before


def test_a_loss_that_isn_t_finite_stops_with_its_place(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    assert model.tokenizer is not None
    config = MlmConfig(learning_rate=1e-3, max_length=48)
    tuning = MlmTuning(config, model.encoder, MlmHead(model.encoder), model.tokenizer, 8)
    batch = random_batch((20, 20, 20))
    tuning.train_step(batch, torch.device("cpu"))
    with torch.no_grad():
        model.encoder.layers[1].output.weight[0, 0] = float("nan")
    with pytest.raises(DivergedError) as caught:
        tuning.train_step(batch, torch.device("cpu"))
    assert_says(
        caught.value,
        parameter="loss of step 2",
        found=("Found nan", "encoder.layers.1.output.weight holds NaN"),
        step="`learning_rate` 0.001",
    )
