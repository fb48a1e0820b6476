"""Phase 1: heads learn alone on a frozen encoder, and each keeps its own best epoch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from minbert.heads import two_tower_features
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tables import Table
from minbert.tasks import TASKS
from tests.support import assert_close, redraw, seeded, tiny_model
from tests.trainer.samples import task_examples
from trainer.config import TrainConfig
from trainer.data.run_data import RunData
from trainer.run.folder import Run
from trainer.run.heads import (
    FreshEmbeddings,
    StoredEmbeddings,
    embed_examples,
    head_metric,
    head_output,
    labels_of,
    pretrain_head,
)
from trainer.run.train import pretrain_heads
from trainer.techniques.losses import LOSSES

CONFIG = TrainConfig(head_epochs=3, head_batch=8, head_learning_rate=1e-2)


def examples_of(count: int, seed: int) -> dict[str, Table]:
    """Make a table of each task."""
    return {name: Table(Path(name), task_examples(name, count, seed), []) for name in TASKS}


@pytest.fixture
def tables() -> RunData:
    dev = examples_of(20, 2)
    watched = {name: table.examples for name, table in dev.items()}
    return RunData(examples_of(40, 1), dev, watched, {})


def tiny(folder: Path) -> MultitaskBert:
    """Build a tiny model with dropout, every parameter of which counts."""
    model = tiny_model(folder, hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.2)
    redraw(model, seed=1, std=0.3)
    return model


def weights(module: torch.nn.Module) -> dict[str, Tensor]:
    """Copy a module's weights."""
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


class Log:
    """Keeps what phase 1 logs, and the head as it was at each epoch."""

    def __init__(self, head: torch.nn.Module | None = None) -> None:
        self.head = head
        self.lines: list[dict[str, Any]] = []
        self.heads: list[dict[str, Tensor]] = []

    def __call__(self, **values: Any) -> None:  # noqa: ANN401 - as the run's log
        self.lines.append(values)
        if self.head is not None:
            self.heads.append(weights(self.head))


def whole_phase(
    folder: Path, tables: RunData, config: TrainConfig = CONFIG
) -> tuple[MultitaskBert, Run]:
    """Run phase 1 over all tasks in a fresh run."""
    model = tiny(folder / "model")
    run = Run(folder / "run")
    run.prepare(config, {}, resume=False)
    pretrain_heads(model, tables, config, run, {}, [], lambda _: None)
    return model, run


def test_the_encoder_stays_bitwise_untouched_and_every_head_moves(
    tmp_path: Path, tables: RunData
) -> None:
    before = tiny(tmp_path / "model").state_dict()
    model, _ = whole_phase(tmp_path, tables)
    moved = {n for n, t in model.state_dict().items() if not torch.equal(t, before[n])}
    assert moved == {f"heads.{name}.linear.{kind}" for name in TASKS for kind in ("weight", "bias")}
    assert all(parameter.grad is None for parameter in model.encoder.parameters())


def test_phase_1_is_deterministic(tmp_path: Path, tables: RunData) -> None:
    torch.manual_seed(1)
    first, _ = whole_phase(tmp_path / "first", tables)
    torch.manual_seed(2)
    second, _ = whole_phase(tmp_path / "second", tables)
    wanted = first.state_dict()
    assert all(torch.equal(t, wanted[n]) for n, t in second.state_dict().items())
    other, _ = whole_phase(tmp_path / "third", tables, dataclasses.replace(CONFIG, seed=5))
    assert not torch.equal(
        other.heads["sentiment"].linear.weight, first.heads["sentiment"].linear.weight
    )


def test_a_safe_point_after_each_task_continues_exactly(tmp_path: Path, tables: RunData) -> None:
    unbroken, _ = whole_phase(tmp_path / "unbroken", tables)
    model = tiny(tmp_path / "model")
    run = Run(tmp_path / "run")
    run.prepare(CONFIG, {}, resume=False)

    class KilledError(Exception):
        """Stands for a kill."""

    def report(line: str) -> None:
        if "similarity" in line:
            raise KilledError

    with pytest.raises(KilledError):
        pretrain_heads(model, tables, CONFIG, run, {}, [], report)
    loaded = run.load_state()
    assert loaded is not None
    tensors, counters = loaded
    assert counters["phase"] == "heads"
    assert counters["heads_done"] == ["sentiment", "paraphrase"]
    fresh = tiny(tmp_path / "fresh")
    told: list[str] = []
    pretrain_heads(fresh, tables, CONFIG, run, tensors, counters["heads_done"], told.append)
    assert [line.split(":")[0] for line in told] == ["Phase 1, similarity"]
    wanted = unbroken.state_dict()
    assert all(torch.equal(t, wanted[n]) for n, t in fresh.state_dict().items())


def test_without_head_epochs_nothing_happens(tmp_path: Path, tables: RunData) -> None:
    before = tiny(tmp_path / "model").state_dict()
    model, run = whole_phase(tmp_path, tables, dataclasses.replace(CONFIG, head_epochs=0))
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())
    assert sorted(path.name for path in run.folder.iterdir()) == [".lock", "run.json"]


def test_only_as_many_examples_as_asked_for(tmp_path: Path, tables: RunData) -> None:
    config = dataclasses.replace(CONFIG, head_examples=9)
    model = tiny(tmp_path / "model")
    run = Run(tmp_path / "run")
    run.prepare(config, {}, resume=False)
    told: list[str] = []
    pretrain_heads(model, tables, config, run, {}, [], told.append)
    assert told == [f"Phase 1, {name}: 9 examples on the frozen encoder" for name in TASKS]


@pytest.mark.parametrize("name", TASKS)
def test_the_head_s_loss_falls(tmp_path: Path, tables: RunData, name: str) -> None:
    model = tiny(tmp_path)
    task = TASKS[name]
    train = embed_examples(Predictor(model, "cpu"), task, tables.train[name].examples)
    log = Log()
    before = LOSSES[name](head_output(model, task, train.embeddings), train.labels).item()
    config = dataclasses.replace(CONFIG, head_epochs=15)
    pretrain_head(model, task, train, train, config, log)
    model.eval()
    after = LOSSES[name](head_output(model, task, train.embeddings), train.labels).item()
    assert after < before
    assert log.lines[-1]["loss"] < log.lines[0]["loss"]
    assert [line["epoch"] for line in log.lines] == list(range(1, 16))
    assert {line["task"] for line in log.lines} == {name}
    assert all(task.metric in line for line in log.lines)


@pytest.mark.parametrize("batch", [5, 64])
def test_the_logged_loss_is_the_mean_over_examples(tmp_path: Path, batch: int) -> None:
    model = tiny_model(tmp_path, hidden_dropout_prob=0.0)
    train, dev = turning_case()
    log = Log()
    wanted = (
        (head_output(model, TASKS["similarity"], train.embeddings) - train.labels) ** 2
    ).mean()
    config = dataclasses.replace(CONFIG, head_epochs=1, head_batch=batch, head_learning_rate=1e-9)
    pretrain_head(model, TASKS["similarity"], train, dev, config, log)
    assert log.lines[0]["loss"] == pytest.approx(wanted.item(), rel=1e-4)


@pytest.mark.parametrize("name", TASKS)
def test_embeddings_are_the_predictor_s_with_dropout_off(tmp_path: Path, name: str) -> None:
    model = tiny(tmp_path)
    model.train()
    examples = task_examples(name, 7, 3)
    predictor = Predictor(model, "cpu")
    found = embed_examples(predictor, TASKS[name], examples)
    assert found.labels.tolist() == pytest.approx([example.label for example in examples])
    assert not found.embeddings.is_inference(), "a head could not learn from it"
    assert_close(found.embeddings, embed_examples(predictor, TASKS[name], examples).embeddings, 0.0)
    for row, example in enumerate(examples):
        if TASKS[name].pair:
            alone = predictor.pooled(predictor.encode_joint([(example.texts[0], example.texts[1])]))
        else:
            alone = predictor.embed([example.texts[0]])
        assert_close(found.embeddings[row], alone[0])


def test_examples_embedded_anew_have_fresh_dropout_each_time(tmp_path: Path) -> None:
    examples = task_examples("similarity", 6, 3)
    predictor = Predictor(tiny(tmp_path), "cpu")
    rows = FreshEmbeddings(predictor, TASKS["similarity"], examples, labels_of(examples))
    index = torch.tensor([4, 1, 2])
    still = embed_examples(predictor, TASKS["similarity"], examples).embeddings[index]
    with seeded(1):
        first, second = rows.rows(index), rows.rows(index)
    with seeded(1):
        assert torch.equal(rows.rows(index), first)
    assert first.shape == still.shape
    assert not torch.isclose(first, second).all(dim=1).any()
    assert not torch.isclose(first, still).all(dim=1).any()


def test_encoder_dropout_in_phase_1_trains_other_heads_and_no_encoder(
    tmp_path: Path, tables: RunData
) -> None:
    before = tiny(tmp_path / "model").state_dict()
    literal = dataclasses.replace(CONFIG, head_encoder_dropout=True)
    model, _ = whole_phase(tmp_path / "on", tables, literal)
    cached, _ = whole_phase(tmp_path / "off", tables)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) is not name.startswith("heads.")
        assert torch.equal(tensor, cached.state_dict()[name]) is not name.startswith("heads.")
    assert all(parameter.grad is None for parameter in model.encoder.parameters())


def test_the_two_tower_head_reads_both_sentences_apart(tmp_path: Path) -> None:
    predictor = Predictor(tiny_model(tmp_path, paraphrase_head="two_tower"), "cpu")
    examples = task_examples("paraphrase", 5, 3)
    found = embed_examples(predictor, TASKS["paraphrase"], examples).embeddings
    u, v = (predictor.embed([row.texts[side] for row in examples]) for side in (0, 1))
    assert_close(found, two_tower_features(u, v))
    assert head_output(predictor.model, TASKS["paraphrase"], found).shape == (5,)
    assert embed_examples(predictor, TASKS["similarity"], examples).embeddings.shape == (5, 16)


def turning_case() -> tuple[StoredEmbeddings, StoredEmbeddings]:
    """Make a case whose dev score rises and falls again.

    The similarity head starts at the first direction and training pulls it to the second; the
    dev labels lie between the two.
    """
    with seeded(0):
        train, dev = torch.randn(64, 16), torch.randn(200, 16)
    return (
        StoredEmbeddings(train, 2.0 * train[:, 1]),
        StoredEmbeddings(dev, dev[:, 0] + dev[:, 1]),
    )


def test_the_best_epoch_by_the_dev_metric_is_kept(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, hidden_dropout_prob=0.0)
    head = model.heads["similarity"]
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.weight[0, 0] = 2.0
    train, dev = turning_case()
    log = Log(head)
    config = dataclasses.replace(CONFIG, head_epochs=24, head_batch=64, head_learning_rate=0.1)
    pretrain_head(model, TASKS["similarity"], train, dev, config, log)
    scores = [line["pearson"] for line in log.lines]
    best = scores.index(max(scores))
    assert 3 < best < 20, "the case has its best epoch in the middle"
    for name, tensor in head.state_dict().items():
        assert torch.equal(tensor, log.heads[best][name])
        assert not torch.equal(tensor, log.heads[-1][name])


def test_the_first_of_equally_good_epochs_is_kept(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    train = StoredEmbeddings(torch.eye(16), torch.ones(16))
    log = Log(model.heads["paraphrase"])
    config = dataclasses.replace(CONFIG, head_epochs=4, head_learning_rate=1e-6)
    pretrain_head(model, TASKS["paraphrase"], train, train, config, log)
    assert len({line["accuracy"] for line in log.lines}) == 1
    kept = model.heads["paraphrase"].linear.weight
    assert torch.equal(kept, log.heads[0]["linear.weight"])
    assert not torch.equal(kept, log.heads[-1]["linear.weight"])


def test_a_head_whose_score_is_never_defined_stays_trained(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, similarity_head="relu")
    train = StoredEmbeddings(torch.eye(16), torch.arange(16.0))
    constant = StoredEmbeddings(torch.eye(16), torch.ones(16))
    head = model.heads["similarity"]
    before = weights(head)
    log = Log(head)
    pretrain_head(model, TASKS["similarity"], train, constant, CONFIG, log)
    assert [line["pearson"] for line in log.lines] == [None] * 3
    last = log.heads[-1]
    assert all(torch.equal(t, last[n]) for n, t in head.state_dict().items())
    assert not torch.equal(before["linear.weight"], last["linear.weight"])


def test_a_dead_head_s_score_is_undefined() -> None:
    found = head_metric(TASKS["similarity"], torch.zeros(5), torch.arange(5.0))
    assert (found.value, found.se, found.n) == (None, None, 5)


def test_each_head_is_scored_by_its_own_metric() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0, 1.0]])
    sentiment = head_metric(TASKS["sentiment"], logits, torch.tensor([1.0, 4.0]))
    assert sentiment.value == 0.5
    duplicate = head_metric(
        TASKS["paraphrase"], torch.tensor([0.1, -0.1, 0.7, -0.6]), torch.tensor([1.0, 0, 1, 1])
    )
    assert duplicate.value == 0.75
    similarity = head_metric(
        TASKS["similarity"], torch.tensor([9.0, 1.0, 5.0]), torch.tensor([4.0, 0.0, 2.0])
    )
    assert similarity.value == pytest.approx(1.0)


@pytest.mark.parametrize("name", TASKS)
def test_a_head_s_output_is_the_model_s(tmp_path: Path, name: str) -> None:
    model = tiny(tmp_path).eval()
    with seeded(4):
        embedding = torch.randn(3, 16)
    linear = model.heads[name].linear
    wanted = embedding @ linear.weight.T + linear.bias
    found = head_output(model, TASKS[name], embedding)
    assert_close(found, wanted if name == "sentiment" else wanted.squeeze(-1))
