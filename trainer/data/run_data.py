"""What a run reads: the train and dev tables of its tasks, masked and cut down as it asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minbert.demographics.terms_in_text import mask_examples
from minbert.tables import Example, Table
from minbert.tasks import TASKS
from trainer.config import TrainConfig
from trainer.data.course import FILES, SPLITS, file_name, file_sha256, read_split
from trainer.data.further_pairs import EXTRA_PAIRS, chosen_names, draw, mix_in
from trainer.data.soft_labels import Softened, load_soft_labels
from trainer.data.statements import sha256 as relations_sha256
from trainer.data.statements import statements
from trainer.data.treebank import TREES_FILE, read_phrases
from trainer.data.word_order import RELATIONS_FILE
from trainer.seeding import mix_seed

SUBSET_SEED = 5
Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class RunData:
    """The tables of all tasks, and what is taken of them."""

    train: dict[str, Table]
    dev: dict[str, Table]
    watched: dict[str, list[Example]]  # dev examples that are scored at each epoch
    sha256: dict[str, str]  # of each file, by name
    phrases: Table | None = None  # what sentiment's batches are mixed with
    statements: Table | None = None  # what paraphrase's batches are mixed with
    extra: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)  # rows, counted
    alone: dict[str, Table] = dataclasses.field(default_factory=dict)  # soft labels alone, by task
    soft: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)  # teachers, by file

    @property
    def train_files(self) -> dict[str, str]:
        """Return the SHA-256 of each file that is trained on, by name."""
        dev = {table.path.name for table in self.dev.values()}
        return {name: value for name, value in self.sha256.items() if name not in dev}

    @property
    def trained(self) -> dict[str, list[Example]]:
        """Return every row that is trained on, by task."""
        found = {name: list(table.examples) for name, table in self.train.items()}
        if self.phrases is not None:
            found["sentiment"] += self.phrases.examples
        if self.statements is not None:
            found["paraphrase"] += self.statements.examples
        for name, table in self.alone.items():
            found[name] += table.examples
        return found


def load_data(config: TrainConfig, folder: Path, report: Report) -> RunData:
    """Read the train and dev files, tell broken rows, mask, choose what is watched."""
    names = {
        split: [name for name in TASKS if name in wanted]
        for split, wanted in (("train", config.trained_tasks), ("dev", config.scored))
    }
    read = {
        split: [name for name in names[split] if not (split == "train" and is_trees(config, name))]
        for split in names
    }
    tables = {
        split: {name: read_split(folder, name, split, config.sentiment_data) for name in wanted}
        for split, wanted in read.items()
    }
    for split in tables.values():
        for table in split.values():
            report(table.summary())
    files = {
        file_name(name, split, config.sentiment_data) for split in read for name in read[split]
    }
    extra: dict[str, dict[str, int]] = {}
    phrases = None
    if "sentiment" in config.trained_tasks:
        phrases = add_phrases(config, folder, tables["train"], extra, report)
    for name in ("paraphrase", "similarity"):
        if name in tables["train"]:
            add_pairs(config, folder, tables["train"], name, extra, report)
    tables["train"] = {name: tables["train"][name] for name in names["train"]}  # tasks' order
    files |= {EXTRA_PAIRS[name].file if name in EXTRA_PAIRS else name for name in extra}
    stated = add_statements(config, folder, tables["train"], extra, report)
    soft = soften(config, folder, tables["train"], phrases, report)
    phrases = phrases and softened(phrases, "sentiment", soft)
    tables["train"] = {name: softened(table, name, soft) for name, table in tables["train"].items()}
    alone = soft.alone
    if config.mask_demographics:
        phrases = phrases and mask_table(phrases, report)
        stated = stated and mask_table(stated, report)
        tables["train"], alone = (
            {name: mask_table(table, report) for name, table in found.items()}
            for found in (tables["train"], alone)
        )
    watched = {
        name: subset(table.examples, config.dev_examples, config.seed)
        for name, table in tables["dev"].items()
    }
    sha256 = {name: file_sha256(folder / name) for name in sorted(files)}
    sha256 |= soft.sha256
    if stated is not None:
        sha256[RELATIONS_FILE] = relations_sha256()
    train, dev = tables["train"], tables["dev"]
    return RunData(train, dev, watched, sha256, phrases, stated, extra, alone=alone, soft=soft.told)


def soften(
    config: TrainConfig,
    folder: Path,
    train: dict[str, Table],
    phrases: Table | None,
    report: Report,
) -> Softened:
    """Read the soft labels that are asked for, and what they add to the training tables."""
    if not config.soft_labels:
        return Softened({}, {}, {}, {})
    rows = {name: list(table.examples) for name, table in train.items()}
    if phrases is not None:
        rows["sentiment"] += phrases.examples
    return load_soft_labels(
        config.soft_label_files,
        folder,
        rows,
        lambda name: held_out(folder, name),
        phrase_words=config.phrase_words,
        report=report,
    )


def softened(table: Table, task_name: str, soft: Softened) -> Table:
    """Return a training table with the soft labels that its rows have."""
    return dataclasses.replace(table, examples=soft.soften(task_name, table.examples))


def is_trees(config: TrainConfig, task_name: str) -> bool:
    """Say whether a task trains on the phrases of the treebank in place of its own file."""
    return task_name == "sentiment" and config.sentiment_data == "sst-trees"


def held_out(folder: Path, task_name: str) -> list[Example]:
    """Return a task's dev and test examples; the test file needn't be there."""
    found = []
    for split in SPLITS[1:]:
        if (folder / FILES[task_name][split]).is_file():
            found += read_split(folder, task_name, split).examples
    return found


def add_phrases(
    config: TrainConfig,
    folder: Path,
    train: dict[str, Table],
    extra: dict[str, dict[str, int]],
    report: Report,
) -> Table | None:
    """Read the treebank where it is asked for, as the training table or as what is mixed in.

    Raises:
        DataError: it is the training table, and isn't there.
    """
    alone = is_trees(config, "sentiment")
    path = folder / TREES_FILE
    if not alone and not config.sentiment_phrases:
        return None
    if not alone and not path.is_file():
        report(f"{TREES_FILE} isn't there: sentiment trains without phrases")
        return None
    texts = [row.texts[0] for row in held_out(folder, "sentiment")]
    found = read_phrases(path, texts, config.phrase_words)
    report(found.summary())
    extra[TREES_FILE] = found.counts
    if not alone:
        return Table(path, found.phrases, [])
    train["sentiment"] = Table(path, [*found.sentences, *found.phrases], [])
    return None


def add_pairs(
    config: TrainConfig,
    folder: Path,
    train: dict[str, Table],
    task_name: str,
    extra: dict[str, dict[str, int]],
    report: Report,
) -> None:
    """Mix the further data sets that are asked for into a pair task's training table."""
    setting = f"extra_{task_name}"
    names = chosen_names(setting, getattr(config, setting), task_name)
    if not names:
        return
    table = train[task_name]
    mixture = mix_in(
        table.examples,
        held_out(folder, task_name),
        names,
        folder,
        positives=config.paraphrase_positives,
        seed=config.seed,
        report=report,
    )
    train[task_name] = dataclasses.replace(table, examples=mixture.examples)
    extra |= mixture.counts


def add_statements(
    config: TrainConfig,
    folder: Path,
    train: dict[str, Table],
    extra: dict[str, dict[str, int]],
    report: Report,
) -> Table | None:
    """Make what paraphrase is mixed with where that is asked for, from its and similarity's pairs.

    Raises:
        DataError: similarity's file isn't there.
    """
    if not config.paraphrase_statements or "paraphrase" not in train:
        return None
    similar = train.get("similarity") or read_split(folder, "similarity", "train")
    texts = [
        text for row in (*train["paraphrase"].examples, *similar.examples) for text in row.texts
    ]
    kept_out = [row for name in ("paraphrase", "similarity") for row in held_out(folder, name)]
    table, extra[RELATIONS_FILE] = statements(
        texts, similar.examples, kept_out, config.seed, report
    )
    return table


def mask_table(table: Table, report: Report) -> Table:
    """Abstract the demographic terms of a training table (report section 8)."""
    examples, changed = mask_examples(table.examples)
    report(f"{table.path.name}: demographic terms masked in {changed:,} texts")
    return dataclasses.replace(table, examples=examples)


def subset(examples: list[Example], size: int, seed: int) -> list[Example]:
    """Return `size` examples drawn without replacement, in file order; all of them for 0."""
    return draw(examples, size, mix_seed(seed, SUBSET_SEED)) if size > 0 else examples
