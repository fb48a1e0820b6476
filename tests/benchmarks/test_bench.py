"""The benchmark's own parts; what it measures beside others needs `make bench`."""

from __future__ import annotations

import functools
import itertools

import pytest

from minbert.predictor import Predictor
from tests.benchmarks.bench import LENGTHS, MODEL, Inputs, interleaved, timing


def test_inputs_have_the_tokens_that_they_are_called_by() -> None:
    predictor = Predictor.from_pretrained(MODEL, "cpu")
    inputs = Inputs(predictor)
    for length in LENGTHS:
        assert len(predictor.encode_single([inputs.sentence(length)])[0]) == length
        assert len(predictor.encode_joint([inputs.pair(length)])[0]) == length
    lengths = [len(item) for item in predictor.encode_single(inputs.file())]
    assert sum(lengths) / len(lengths) == pytest.approx(25, abs=3)


def test_contestants_take_turns_and_the_first_round_warms_up() -> None:
    calls = list[str]()

    def call(name: str) -> float:
        calls.append(name)
        return len(calls)

    taken = interleaved({name: functools.partial(call, name) for name in "ab"}, 3)
    assert calls == list("ab" * 4)
    assert taken == {"a": [3, 5, 7], "b": [4, 6, 8]}


def test_a_timing_has_the_median_and_both_ends() -> None:
    for values in itertools.permutations([1.0, 5.0, 2.0]):
        found = timing("one pair", "ours", "ms", list(values))
        assert (found.median, found.least, found.most, found.rounds) == (2.0, 1.0, 5.0, 3)
