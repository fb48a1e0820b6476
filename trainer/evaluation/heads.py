"""The command heads: what each head of an encoder does on the page's lessons, before fine-tuning.

The page shows it beside the fine-tuned models' own numbers, so that nobody needs the encoder to
see what fine-tuning changed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from minbert.explain.heads_summary import bare_model, example_heads
from minbert.files import read_json_list, write_json
from minbert.lessons import read_lessons
from minbert.predictor import Predictor
from minbert.records.heads import Heads
from trainer.provenance import provenance

Report = Callable[[str], object]


def record_heads(
    encoder: str, examples: Path, out: Path, *, name: str | None, device: str, report: Report
) -> None:
    """Write the encoder's numbers by layer and head, averaged over the examples, to `out`.

    Args:
        encoder: a folder or a Hugging Face id.
        examples: the file of lessons, or a JSON list of {first, second}; `second` is empty for a
            single sentence.
        out: JSON file to write.
        name: what the encoder is called in the file, where `encoder` is a folder.
        device: to compute on.
        report: takes a line for the person.

    Raises:
        ValueError: a folder without a name, or an example without sentences.
        CheckpointError: the encoder or the examples can't be read.
    """
    if Path(encoder).is_dir() and not name:
        raise ValueError(
            f"`--name` should say what the encoder in the folder {encoder} is called. Found none; "
            "give its Hugging Face id."
        )
    predictor = Predictor(bare_model(encoder), device, runtime="torch")
    if examples.suffix == ".toml":
        inputs = [(lesson.first, lesson.second) for lesson in read_lessons(examples)]
    else:
        rows = read_json_list(examples)
        inputs = [(str(row.get("first", "")), str(row.get("second", ""))) for row in rows]
    if not inputs or not all(first for first, _ in inputs):
        raise ValueError(
            f"`--examples` should be a list of objects with a `first` sentence. Found {examples} "
            "with none, or one without it."
        )
    heads = example_heads(predictor, inputs)
    record = Heads(
        encoder=name or encoder,
        inputs=tuple(inputs),
        heads={measure: tuple(map(tuple, layers)) for measure, layers in heads.items()},
        **provenance(predictor.device),
    )
    write_json(out, record.to_dict())
    layers, width = len(heads["entropy"]), len(heads["entropy"][0])
    report(f"{layers} layers of {width} heads, over {len(inputs)} examples, are in {out}")
