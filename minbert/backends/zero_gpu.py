"""ZeroGPU: the encoder's work inside `spaces.GPU`, all else on the CPU.

A ZeroGPU Space holds a GPU only while a decorated function runs, and runs it in a process of its
own, forked when it is first needed. What follows from that:

- Arguments and results travel between processes, so they are plain values; a result crosses as
  bytes, by value, with its tensors on the CPU.
- A fork has no other threads: it must not wait for the page's `ModelQueue`. The call is made by the
  visitor's own thread, which also carries the visitor's request, by which ZeroGPU counts quota.
- Weights are put on cuda before the page is launched and can't be read outside a decorated
  function. So the encoder and its pooling have a second copy there; the heads, a few thousand
  numbers, are asked on the CPU, and `minbert.explain` reads the CPU's weights as everywhere.

Not tried here: a real ZeroGPU Space. What was tried: the same calls through a decorator that forks
a process and pickles what crosses (tests/minbert/backends/test_zero_gpu.py), and the source of
`spaces` 0.51.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import os
import pickle
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from torch import Tensor

from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.text import Encoded

SECONDS = 20  # asked of the GPU for one call; a call takes far less
Decorator = Callable[[Callable[..., bytes]], Callable[..., bytes]]
Result = TypeVar("Result")


def zero_gpu() -> Decorator | None:
    """Return the decorator of functions that need the GPU, or None where this isn't ZeroGPU.

    Call it first on the main thread, where models are then loaded: `spaces` wants to be imported
    before CUDA is touched, and follows what that thread puts there.
    """
    told = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    if not (told and os.environ.get("SPACE_ID") and importlib.util.find_spec("spaces")):
        return None
    decorator: Decorator = importlib.import_module("spaces").GPU(duration=SECONDS)
    return decorator


class ZeroGpuBackend:
    """The encoder inside a decorated function, on a copy on the GPU."""

    def __init__(self, model: MultitaskBert, gpu: Decorator, device: str = "cuda") -> None:
        """Copy the model to `device`.

        Args:
            model: with its tokenizer.
            gpu: the decorator, as `zero_gpu` returns it.
            device: where the encoder works inside the decorated function.
        """
        there = Predictor(copy.deepcopy(model), device, runtime="torch").backend

        def work(method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> bytes:
            return pickle.dumps(getattr(there, method)(*arguments, **options))

        self._work = gpu(work)

    def pooled(self, inputs: Sequence[Encoded], task: str | None) -> Tensor:
        """Return the pooled embeddings."""
        found: Tensor = self._on_gpu("pooled", list(inputs), task)
        return found

    def hidden(
        self, inputs: Sequence[Encoded], task: str | None, *, every_layer: bool
    ) -> list[Tensor]:
        """Return the hidden states."""
        found: list[Tensor] = self._on_gpu("hidden", list(inputs), task, every_layer=every_layer)
        return found

    def maps(self, item: Encoded, layers: Sequence[int], task: str | None = None) -> Tensor:
        """Return the attention maps."""
        found: Tensor = self._on_gpu("maps", item, tuple(layers), task)
        return found

    def call(self, function: Callable[[], Result]) -> Result:
        """Run a function of the CPU's copy at once: explanations read its weights."""
        return function()

    def _on_gpu(self, method: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the method's own
        return pickle.loads(self._work(method, arguments, options))


def on_zero_gpu(model: MultitaskBert, gpu: Decorator, device: str = "cuda") -> Predictor:
    """Return a predictor whose encoder works where a GPU is lent, its heads on the CPU."""
    return Predictor(model, "cpu", backend=ZeroGpuBackend(model, gpu, device))
