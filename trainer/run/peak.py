"""How much of the machine training uses: its speed against the machine's largest matrix product."""

from __future__ import annotations

import functools
import time

import torch
from torch import nn

from minbert.bert import BertModel
from trainer.techniques.precision import lowered

SECONDS = 0.5
SIZES = (256, 512, 1024, 2048, 4096, 8192)


def flops_per_token(encoder: BertModel) -> int:
    """Return the floating-point operations that training the encoder takes a token: 6 W.

    W counts the weights of the layers' matrices. A product forward is one multiplication and one
    addition a weight, and backward needs two such products: for the weights' gradient and for the
    input's. Not counted is what isn't a product with weights: attention's own products (T / 6D
    of it at T tokens: a hundredth at 30 tokens and D = 384), embeddings, pooling and heads.
    """
    linear = (part for part in encoder.layers.modules() if isinstance(part, nn.Linear))
    return 6 * sum(part.weight.numel() for part in linear)


@functools.cache
def matrix_peak(device: torch.device, dtype: torch.dtype, threads: int) -> float:  # noqa: ARG001 - a key of the cache
    """Measure the floating-point operations a second of products of square matrices.

    Smaller and larger ones, in turn, for about half a second; the fastest counts, so that other
    work on the machine matters little. Measured once for each device, precision and number of
    threads.
    """
    best, ends = 0.0, time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        for size in SIZES:
            taken = time_product(torch.ones(size, size, dtype=dtype, device=device))
            best = max(best, 2 * size**3 / taken)
            if time.perf_counter() + 8 * taken > ends:
                break  # the next one would take eight times as long
    return best


def time_product(matrix: torch.Tensor) -> float:
    """Return the seconds of one product of a square matrix with itself."""
    wait_for(matrix.device)
    started = time.perf_counter()
    matrix @ matrix
    wait_for(matrix.device)
    return time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class Pace:
    """Tokens a second of the training steps alone, and the share of the machine's peak they are."""

    def __init__(
        self, encoder: BertModel, precision: str, device: torch.device, processes: int = 1
    ) -> None:
        """Measure the peak, in the precision in which the encoder trains, of all processes."""
        low = lowered(precision, device)
        dtype = torch.bfloat16 if low else torch.float32
        self.precision = "bf16" if low else "float32"
        self.peak = processes * matrix_peak(device, dtype, torch.get_num_threads())
        self.of_token = flops_per_token(encoder)
        self.tokens, self.seconds = 0, 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """Count a step."""
        self.tokens += tokens
        self.seconds += seconds

    @property
    def rate(self) -> float:
        """Return the tokens a second of the steps so far."""
        return self.tokens / max(self.seconds, 1e-9)

    @property
    def share(self) -> float:
        """Return the share of the peak: tokens a second by operations a token, over the peak."""
        return self.rate * self.of_token / self.peak

    @property
    def told(self) -> str:
        """Tell speed and share."""
        return f"{self.rate:,.0f} tokens/s, {self.share:.0%} of peak"

    @property
    def told_peak(self) -> str:
        """Tell the peak, and the speed that all of it would be."""
        return (
            f"Peak: matrix products in {self.precision} reach {self.peak / 1e9:,.0f} GFLOP/s here, "
            f"which would be {self.peak / self.of_token:,.0f} tokens/s."
        )
