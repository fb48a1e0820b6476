"""Models of your own in place of the shipped pair: what is said of them, and their records."""

from __future__ import annotations

from pathlib import Path

from minbert.records.own import read_own_records
from minbert.records.shipped import Records, read_records
from minbert.ui.engine import NO_SECOND, Engine
from minbert.ui.parts.blocks import finding_block, note_block
from minbert.ui.parts.tables import table

NOT_THEIRS = (
    "The scores, calibration and other records that come with this page are the shipped models' "
    "and are not shown as these models' own."
)


def records_of(engine: Engine, models: Path, results: Path) -> Records:
    """Return what is recorded of the models that answer.

    Args:
        engine: the models.
        models: folder of the shipped pair.
        results: folder of the shipped pair's records.
    """
    if not engine.own:
        return read_records(models, results)
    slots = ("mean", "cls")
    folders = {
        engine.names[slot]: source.folder for slot, source in zip(slots, engine.own, strict=False)
    }
    return read_own_records(folders, results)


def models_note(engine: Engine) -> str:
    """Return which models of your own answer, and what can't be compared; empty of the pair."""
    if not engine.own:
        return ""
    first, *others = facts(engine)
    told = f"Your models: {first[1]} ({first[0]}: {', '.join(first[2:5])}) answers."
    for other in others:
        told += f" {other[1]} ({other[0]}: {', '.join(other[2:5])}) is compared with it."
    return note_block(f"{told} {NOT_THEIRS}" + ("" if others else f" {NO_SECOND}"))


def facts(engine: Engine) -> list[list[str]]:
    """Return of each of your own models: pooling, where from, layers, heads, tokens, and more."""
    found = []
    for slot, source in zip(("mean", "cls"), engine.own, strict=False):
        config = engine.answering[slot].config
        shape = config.encoder
        found.append(
            [
                f"{engine.names[slot]} pooling",
                source.name,
                counted(shape.num_hidden_layers, "layer"),
                counted(shape.num_attention_heads, "head") + " each",
                f"{config.max_length} tokens at most",
                f"{shape.hidden_size:,}",
                f"{shape.vocab_size:,}",
            ]
        )
    return found


def counted(number: int, thing: str) -> str:
    """Write a number of things."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def models_block(engine: Engine) -> str:
    """Return a table of your own models, and whose the records are."""
    heads = ["Pooling", "Model", "Layers", "Heads", "Input", "Units of a vector", "Word pieces"]
    lines = [NOT_THEIRS] + ([] if engine.second else [NO_SECOND])
    shown = table("Your models", heads, facts(engine))
    return finding_block("The models of this page are your own", lines, "", shown)
