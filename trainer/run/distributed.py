"""Several processes that train one model: `torchrun --nproc-per-node N -m trainer train ...`.

Each process takes its own batches of the same task; gradients are averaged by torch's own
DistributedDataParallel. Process 0 writes, validates and reports.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
from typing import Self

import torch
from torch import distributed

PATIENCE = datetime.timedelta(hours=6)  # the first process alone pretrains heads and validates


@dataclasses.dataclass(frozen=True)
class World:
    """Which process this is, of how many."""

    rank: int = 0  # 0 is the one that writes
    size: int = 1
    local_rank: int = 0  # on this machine: the GPU it takes

    @classmethod
    def of_environment(cls) -> Self:
        """Return which process torchrun started this one as, without joining the others."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        return cls(*(int(os.environ.get(n, d)) for n, d in zip(names, "010", strict=True)))

    def take_gpu(self) -> None:
        """Let `cuda` be this process's own GPU, where several share a machine's."""
        if self.size > 1 and torch.cuda.is_available():
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())

    @classmethod
    def join(cls) -> Self:
        """Join the processes that torchrun started; alone where it started none."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not distributed.is_initialized():
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            distributed.init_process_group(backend, timeout=PATIENCE)
        return cls(distributed.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))

    @property
    def main(self) -> bool:
        """Say whether this process writes and reports."""
        return self.rank == 0

    def device(self, chosen: torch.device) -> torch.device:
        """Return this process's own device of the chosen kind."""
        if chosen.type == "cuda" and self.size > 1:
            return torch.device("cuda", self.local_rank)
        return chosen

    def wait(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            distributed.barrier()

    def leave(self) -> None:
        """Take this process out again; nothing happens to one that is alone."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()
