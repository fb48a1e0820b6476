"""A recipe of several runs: what it plans, what it costs, what it tells, how it goes on."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.files import read_json
from minbert.multitask import MultitaskBert
from minbert.storage.manifest import MANIFEST_FILE, verify
from tests.support import assert_says
from tests.trainer.run.processes import start
from tests.trainer.samples import header, write_course_files, write_table, write_trees
from trainer.cli import main
from trainer.config import TrainConfig
from trainer.data.course import read_split
from trainer.data.treebank import TREES_FILE, text_key
from trainer.recipes import CHAINS, RECIPES
from trainer.recipes.row import Chain, Stage
from trainer.run import chain as chain_module
from trainer.run.chain import Plan, is_finished, leaks_of_all, plan, train_chain
from trainer.run.folder import RunError

TINY = TrainConfig(
    max_length=48,
    precision="fp32",
    head_epochs=1,
    epochs=2,
    tokens_per_epoch=1500,
    batch_examples=8,
    batch_tokens=200,
    learning_rate=3e-3,
    checkpoint_every=4,
)
PHRASES = dataclasses.replace(
    TINY, name="phrases", sentiment_data="sst-trees", tasks="sentiment", scored_tasks="sentiment"
)
TOGETHER = dataclasses.replace(
    TINY, name="together", sentiment_phrases=0.5, extra_similarity="sick", ema=0.9
)
CHAIN = Chain("small", (Stage("phrases", PHRASES, (TREES_FILE,)), Stage("together", TOGETHER)))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the course's files with trees beside them; nobody writes there."""
    folder = write_course_files(tmp_path_factory.mktemp("data"))
    write_trees(folder)
    return folder


def train_small(encoder: str, data: Path, out: Path) -> int:
    """Train the small chain, or go on with it."""
    chain = CHAIN.changed(encoder=encoder)
    train_chain(chain, data, out, resume=True, device_name="cpu", report=print)
    return 0


def run(encoder: Path, data: Path, out: Path, *, resume: bool = False) -> list[str]:
    """Train the small chain; return the lines told."""
    told: list[str] = []
    chain = CHAIN.changed(encoder=str(encoder))
    torch.set_num_threads(1)
    model = train_chain(chain, data, out, resume=resume, device_name="cpu", report=told.append)
    assert model == out / "model"
    return told


def result_of(folder: Path) -> dict[str, Any]:
    """Read a result."""
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return found


@dataclasses.dataclass(frozen=True)
class Done:
    """A finished chain."""

    out: Path
    told: list[str]


@pytest.fixture(scope="module")
def done(encoder_folder: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Train the small chain once; nobody writes there."""
    out = tmp_path_factory.mktemp("runs") / "small"
    return Done(out, run(encoder_folder, files, out))


def test_the_second_stage_begins_with_the_first_one_s_model(done: Done) -> None:
    record = json.loads((done.out / "2-together" / "run.json").read_text(encoding="utf-8"))
    assert record["config"]["start_from"] == str(done.out / "1-phrases" / "model")
    begun = next(place for place, line in enumerate(done.told) if line.startswith("Beginning"))
    assert done.told.index("Stage 2 of 2, together:") < begun
    assert not any("Phase 1, sentiment" in line for line in done.told[begun:])


def test_the_cost_is_told_before_anything_is_trained(done: Done) -> None:
    assert_says(done.told[0], found=("2 of 2", "6,000 tokens", "minutes"))
    assert done.told[1] == "Stage 1 of 2, phrases:"


def test_the_last_model_lies_at_the_top(done: Done) -> None:
    model = MultitaskBert.from_pretrained(done.out / "model")
    wanted = MultitaskBert.from_pretrained(done.out / "2-together" / "model").state_dict()
    assert all(torch.equal(model.state_dict()[k], v) for k, v in wanted.items())
    assert (done.out / "model" / "trained_on.safetensors").is_file()
    assert verify(done.out / "model")
    listed = read_json(done.out / "model" / MANIFEST_FILE)["sha256"]
    assert "trained_on.safetensors" in listed


def test_the_result_tells_every_stage_its_rows_and_its_leaks(done: Done) -> None:
    result = result_of(done.out)
    stages = result["stages"]
    assert [stage["stage"] for stage in stages] == ["1-phrases", "2-together"]
    assert result["tokens"] == sum(stage["tokens"] for stage in stages) > 6000
    assert result["minutes"] == pytest.approx(sum(s["minutes"] for s in stages), abs=0.06)
    for name in ("metrics", "best", "commit", "machine", "normalised", "seed"):
        assert result[name] == stages[1][name], name
    assert result["recipe"] == "small"
    assert result["config"] == stages[1]["config"]
    assert result["files"] == {**stages[0]["files"], **stages[1]["files"]}
    assert result["extra_data"].keys() == {TREES_FILE}, "sick isn't there"
    assert result["encoder_sha256"] == stages[0]["encoder_sha256"]
    assert set(stages[0]["metrics"]) == {"sentiment"}
    counts = stages[0]["extra_data"][TREES_FILE]
    assert (counts["sentences"], counts["held_out"]) == (48, 0)
    assert stages[0]["leaks"]["sentiment"]["rows"] == 48 + counts["phrases"]
    assert stages[1]["leaks"]["sentiment"]["rows"] == 48 + counts["phrases"]
    assert set(result["leaks"]) == {"sentiment", "paraphrase", "similarity"}
    assert result["leaks"]["similarity"]["new"]["n"] <= 16
    assert stages[1]["started_from"]["config"] == stages[0]["config"]
    missing = "extra/sick-train.csv isn't there: similarity trains without sick"
    assert done.told.count(missing) == 1


def test_what_the_first_stage_alone_has_read_is_not_new(
    done: Done, files: Path, tmp_path: Path
) -> None:
    more = Path(shutil.copytree(files, tmp_path / "data"))
    last = (Stage("together", TOGETHER), done.out / "2-together")
    before = leaks_of_all(Plan("small", (last,)), more)
    new, labels = before["paraphrase"].new, read_split(more, "paraphrase", "dev").labels
    assert 0 < new.n < len(labels)
    trained = {
        text_key(t) for r in read_split(more, "paraphrase", "train").examples for t in r.texts
    }
    rows = read_split(more, "paraphrase", "dev").examples
    row = next(row for row in rows if not trained & {text_key(text) for text in row.texts})
    mined = ("0", row.texts[0], "nobody asks this", "0")
    (more / "extra").mkdir()
    write_table(more / "extra" / "quora-mined.csv", header("paraphrase", labelled=True), [mined])
    wide = dataclasses.replace(TOGETHER, extra_paraphrase="quora-mined")
    found = leaks_of_all(Plan("small", ((Stage("wide", wide), tmp_path), last)), more)
    assert found["paraphrase"].new.n < new.n
    assert found["paraphrase"].rows == before["paraphrase"].rows + 1, "each row once"
    assert found["sentiment"] == before["sentiment"]


def test_a_finished_chain_is_left_alone(done: Done, encoder_folder: Path, files: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.out.rglob("*.safetensors")}
    told = run(encoder_folder, files, done.out, resume=True)
    assert told == [f"{done.out / 'model'} is finished already."]
    assert before == {path: path.stat().st_mtime_ns for path in done.out.rglob("*.safetensors")}
    with pytest.raises(RunError, match="add --resume"):
        run(encoder_folder, files, done.out)


@pytest.mark.whole
def test_a_chain_killed_in_its_second_stage_ends_as_an_unbroken_one(
    done: Done, encoder_folder: Path, files: Path, tmp_path: Path
) -> None:
    kept = {
        name: (done.out / name).read_bytes()
        for name in ("model/model.safetensors", "2-together/best/model.safetensors")
    }
    stages = result_of(done.out)["stages"]
    out = tmp_path / "killed"
    told_there = tmp_path / "told.txt"
    stop = "2-together/state.safetensors:4:after"
    process = start(told_there, train_small, str(encoder_folder), files, out, stop=stop)
    process.join(180)
    assert process.exitcode == -signal.SIGKILL, told_there.read_text(encoding="utf-8")
    assert is_finished(out / "1-phrases")
    assert not is_finished(out / "2-together")
    first = (out / "1-phrases" / "result.json").stat().st_mtime_ns
    told = run(encoder_folder, files, out, resume=True)
    assert_says(told[0], found=("1 of 2", "3,000 tokens"))
    assert_says("\n".join(told), found=f"{out / '1-phrases' / 'model'} is finished")
    assert any(line.startswith("Continuing in fine-tuning at step ") for line in told)
    assert (out / "1-phrases" / "result.json").stat().st_mtime_ns == first
    assert {name: (out / name).read_bytes() for name in kept} == kept
    for found, wanted in zip(result_of(out)["stages"], stages, strict=True):
        assert (found["tokens"], found["metrics"]) == (wanted["tokens"], wanted["metrics"])
        assert (found["best"], found["leaks"]) == (wanted["best"], wanted["leaks"])


def test_without_trees_the_first_stage_is_left_out(files: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(files, tmp_path / "data"))
    shutil.rmtree(bare / "sst-trees")
    told: list[str] = []
    planned = plan(CHAIN, bare, tmp_path / "out", told.append)
    assert told == [f"{TREES_FILE} isn't there: stage phrases is left out"]
    ((stage, folder),) = planned.stages
    assert (stage.config, folder) == (TOGETHER, tmp_path / "out" / "2-together")
    assert planned.tokens == 3000
    alone = dataclasses.replace(CHAIN, stages=CHAIN.stages[:1])
    with pytest.raises(ValueError, match=r"`--data` should hold the files of one of small's"):
        plan(alone, bare, tmp_path / "out", told.append)


def test_a_stage_counted_in_steps_costs_full_batches(files: Path, tmp_path: Path) -> None:
    steps = CHAIN.changed(tokens_per_epoch=0, batch_tokens=50)
    lengths = [stage.config.epochs * stage.config.steps_per_epoch for stage in steps.stages]
    assert plan(steps, files, tmp_path, print).tokens == 50 * sum(lengths)


def test_trees_that_come_later_make_another_chain(
    encoder_folder: Path, files: Path, tmp_path: Path
) -> None:
    bare, out = Path(shutil.copytree(files, tmp_path / "data")), tmp_path / "out"
    run_record = {"config": {"recipe": "small", "stages": ["2-together"]}, "files": {}}
    out.mkdir()
    (out / "run.json").write_text(json.dumps(run_record), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.stages: \['2-together'\] then, \['1-phrases'"):
        run(encoder_folder, bare, out, resume=True)


def test_several_processes_are_refused(
    files: Path, encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"small should be trained by one process\. Found 2"):
        run(encoder_folder, files, tmp_path / "out")


def test_a_setting_goes_to_every_stage_but_not_what_makes_a_stage() -> None:
    changed = CHAINS["best"].changed(seed=7, precision="fp32")
    assert [(s.config.seed, s.config.precision) for s in changed.stages] == [(7, "fp32")] * 2
    assert CHAINS["best"].stages[0].config.seed == 0
    for name, value in {"start_from": "x", "sampler": "annealed", "epochs": 9}.items():
        with pytest.raises(ValueError, match=f"`{name}` can't be changed for all stages of best"):
            CHAINS["best"].changed(**{name: value})


def test_the_best_recipes() -> None:
    assert list(CHAINS) == ["best", "best_cls"]
    wide, together = (stage.config for stage in CHAINS["best"].stages)
    assert (wide.sentiment_data, wide.sampler) == ("sst-trees", "square_root")
    assert wide.extra_paraphrase == "quora-mined,quora-duplicates"
    assert together.extra_paraphrase == "", "the last stage has the file's own share of duplicates"
    assert (together.sentiment_data, together.sampler) == ("sst", "annealed")
    assert together.learning_rate < wide.learning_rate
    for stage in (wide, together):
        assert stage.trained_tasks == ("sentiment", "paraphrase", "similarity")
        assert stage.pooling == RECIPES["mean"].pooling == "mean"
        assert stage.extra_similarity == "sts-2012-2016"
    for mean, cls in zip(CHAINS["best"].stages, CHAINS["best_cls"].stages, strict=True):
        assert cls == dataclasses.replace(
            mean, config=dataclasses.replace(mean.config, pooling="cls")
        )


def test_the_command_trains_a_chain_and_refuses_what_it_can_t_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def noted(chain: Chain, data: Path, out: Path, **options: Any) -> Path:  # noqa: ANN401
        asked.update(chain=chain, data=data, out=out, **options)
        return out / "model"

    monkeypatch.setattr(chain_module, "train_chain", noted)
    command = ["train", "best", "--data", str(tmp_path), "--resume", "--device", "cpu"]
    assert main([*command, "--seed", "3"]) == 0
    assert asked["chain"] == CHAINS["best"].changed(seed=3)
    assert (asked["out"], asked["resume"]) == (Path("runs") / "best-3", True)
    assert_says(capsys.readouterr().err, found="runs/best-3/model")
    for option, parameter in {"--profile=cpu": "`--profile`", "--epochs=3": "`epochs`"}.items():
        assert main([*command, option]) == 1
        assert_says(capsys.readouterr().err, parameter=parameter)
