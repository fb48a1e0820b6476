"""A model of somebody's own labels: an encoder that was left as it is, and a probe on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from minbert.explain.splits import LogitSplit, check_mean_pooling, logits_by_word
from minbert.explain.words import words_of
from minbert.files import CheckpointError
from minbert.labels.probe import Probe, load_probe, save_probe, zipped
from minbert.predictor import Predictor


@dataclasses.dataclass(frozen=True)
class LabelAnswer:
    """One sentence's label."""

    label: str  # the most probable class, as it was written
    probabilities: dict[str, float]  # by class, in the probe's order; they sum to 1
    left_out: int  # word pieces that truncation dropped

    @property
    def probability(self) -> float:
        """Return the label's probability."""
        return self.probabilities[self.label]


class LabelModel:
    """Answers with somebody's own labels."""

    def __init__(self, predictor: Predictor, probe: Probe) -> None:
        """Put a probe on the encoder that it was fitted on.

        Raises:
            CheckpointError: another encoder, by the SHA-256 of its files, its pooling, the tokens
                that it reads or its width.
        """
        self.predictor, self.probe = predictor, probe
        _check_encoder(predictor, probe)

    @classmethod
    def load(
        cls, folder: str | Path, encoder: str | Path | Predictor, device: str = "auto"
    ) -> Self:
        """Load a folder that `save` wrote.

        Args:
            folder: of the labels.
            encoder: folder or Hugging Face id of the model that they were learned on, or that
                model, loaded.
            device: of a model that is loaded here.

        Raises:
            CheckpointError: a file that is missing or damaged, in either folder, or another
                encoder.
        """
        probe = load_probe(folder)
        if not isinstance(encoder, Predictor):
            encoder = Predictor.from_pretrained(encoder, device)
        return cls(encoder, probe)

    def save(self, folder: str | Path) -> None:
        """Write the labels' folder: labels.json, labels.safetensors, README.md; no encoder.

        Raises:
            ValueError: the encoder was loaded from no folder.
            OSError: it can't be written there.
        """
        save_probe(self.probe, folder)

    def zipped(self) -> bytes:
        """Return that folder as a zip.

        Raises:
            ValueError: the encoder was loaded from no folder.
        """
        return zipped(self.probe)

    @torch.inference_mode()
    def predict(self, texts: Sequence[str]) -> list[LabelAnswer]:
        """Label each text.

        Raises:
            TextError: no list, or a text that is missing or has nothing to read.
        """
        inputs = self.predictor.encode_single(texts)
        if not inputs:
            return []
        rows = self.probe.regression.probabilities(self.predictor.pooled(inputs)).tolist()
        classes = self.probe.classes
        return [
            LabelAnswer(
                classes[row.index(max(row))], dict(zip(classes, row, strict=True)), item.left_out
            )
            for row, item in zip(rows, inputs, strict=True)
        ]

    @torch.inference_mode()
    def split(self, text: str, *, pieces: bool = False, state: Tensor | None = None) -> LogitSplit:
        """Split a sentence's logits word by word, exactly, under mean pooling.

        Args:
            text: the sentence.
            pieces: an entry for each word piece, not for each word; the sums are the same.
            state: its last hidden states (T, D); None: the model is asked.

        Returns:
            contributions (W, C) in the order of the probe's classes; `relative` of it is what a
            word does for a class against the others.

        Raises:
            ValueError: a model with another pooling.
            TextError: a text that is missing or has nothing to read.
        """
        predictor, regression = self.predictor, self.probe.regression
        check_mean_pooling(predictor)
        inputs = predictor.encode_single([text])
        words = words_of(inputs[0], predictor.tokenizer, pieces=pieces)
        hidden = predictor.hidden(inputs)[0] if state is None else state
        contributions = logits_by_word(hidden, words, regression.weight)
        # by the model's own pooling: what the sums are held against
        pooled = predictor.pooled(inputs) if state is None else predictor.pool([state])
        logits = regression.logits(pooled)[0]
        residual = (logits - regression.bias - contributions.sum(dim=0)).abs().max().item()
        return LogitSplit(
            words=words,
            contributions=contributions,
            bias=regression.bias,
            logits=logits,
            probabilities=tuple(logits.softmax(dim=-1).tolist()),
            residual=residual,
            left_out=inputs[0].left_out,
        )


def _check_encoder(predictor: Predictor, probe: Probe) -> None:
    config, found = predictor.config, predictor.model.sums
    width = probe.regression.weight.shape[1]
    sums = [(f"SHA-256 of {name}", found.get(name), each) for name, each in probe.encoder.items()]
    checks: list[tuple[str, object, object]] = [
        ("pooling", config.pooling, probe.pooling),
        ("max_length", config.max_length, probe.max_length),
        ("hidden_size", config.encoder.hidden_size, width),
        *sums,
    ]
    for what, ours, wanted in checks:
        if ours != wanted:
            raise CheckpointError(
                f"The encoder should be the one that the labels were learned on, whose {what} is "
                f"{wanted!r:.14}. Found {ours!r:.14}; give the folder of that model."
            )
