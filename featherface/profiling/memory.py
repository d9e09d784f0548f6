"""Peak memory of a network, and the memory of this machine."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from featherface.devices.select import choose
from featherface.profiling.timing import made_up, measuring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from featherface.profiling.config import BenchmarkConfig

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container or a cluster's job its limit (version 2)."""


TENSORS, ALLOCATOR, PROCESS = "tensors", "allocator", "process"
"""How memory is counted: living tensors, CUDA's allocator, or what a process grew by."""


@dataclass(frozen=True, kw_only=True)
class PeakMemory:
    """Megabytes (10^6 bytes) alive at once in a pass, weights included."""

    mean: float
    """Of the passes."""
    max: float
    passes: int
    """Passes that were watched; one where every pass makes the same tensors."""
    counted: str
    """`tensors`, `allocator` or `process`."""

    @classmethod
    def of(cls, megabytes: Sequence[float], counted: str) -> PeakMemory:
        """Return what the peaks of some passes come to."""
        return cls(
            mean=statistics.fmean(megabytes),
            max=max(megabytes),
            passes=len(megabytes),
            counted=counted,
        )


def peak_memory(model: nn.Module, config: BenchmarkConfig) -> float:
    """Return the megabytes (10^6 bytes) alive at once in a forward pass, weights included."""
    return pass_memory(model, replace(config, runs=1)).max


def pass_memory(model: nn.Module, config: BenchmarkConfig) -> PeakMemory:
    """Return the memory of forward passes of MODEL.

    On CUDA what the allocator reports of each of CONFIG's runs; elsewhere the tensors that exist
    after each operator of one pass (an operator's own scratch memory is not seen).
    """
    device = choose(config.device)
    with measuring(model, device, config), torch.inference_mode():
        images = made_up(config, device)
        if device.type == "cuda":
            peaks = [_allocated(model, images) for _ in range(config.runs)]
            return PeakMemory.of(peaks, ALLOCATOR)
        live = LiveBytes()
        with live:
            model(images)
    return PeakMemory.of([all_megabytes(live.peak, model, images)], TENSORS)


def _allocated(model: nn.Module, images: Tensor) -> float:
    """Return the megabytes that CUDA's allocator gave at once in one pass."""
    torch.cuda.reset_peak_memory_stats(images.device)
    model(images)
    most: int = torch.cuda.max_memory_allocated(images.device)
    return most / 1e6


def all_megabytes(live: int, model: nn.Module, images: Tensor) -> float:
    """Return the megabytes of MODEL's numbers, of IMAGES, and of so many LIVE bytes beside them."""
    return (live + state_bytes(model) + tensor_bytes(images)) / 1e6


def free_bytes(device: torch.device) -> int:
    """Return the bytes that DEVICE can still give to this process.

    On the CPU what the system calls available, or what is left of the limit of a container or of
    a cluster's job, whichever is less. On CUDA what is free, and what this process has reserved
    without using it.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + idle
    import psutil  # noqa: PLC0415 - only a search for a batch size needs it

    available: int = psutil.virtual_memory().available
    return min(available, _left_of_limit(CGROUP))


def _left_of_limit(folder: Path) -> int:
    """Return what a control group's limit leaves; without a limit, more than any machine has."""
    with contextlib.suppress(OSError, ValueError):
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        return max(0, limit - used)
    return 2**63


def state_bytes(model: nn.Module) -> int:
    """Return the bytes of parameters and buffers."""
    return sum(tensor_bytes(tensor) for tensor in model.state_dict().values())


def tensor_bytes(tensor: Tensor) -> int:
    """Return the bytes of the numbers in TENSOR."""
    return tensor.numel() * tensor.element_size()


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the memory of tensors made inside the block.

    Looking which of them still exist takes time where there are thousands, as in training: with
    SLACK, the share by which `peak` may fall short, it is done that much less often.
    """

    def __init__(self, slack: float = 0.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        """Most bytes alive at once since the start, or since `forget`."""
        self._slack = slack
        self._alive: dict[StorageWeakRef, int] = {}
        self._most = 0
        """Bytes of what is in `_alive`, of which some may be gone."""

    @property
    def now(self) -> int:
        """Bytes alive."""
        self._alive = {ref: size for ref, size in self._alive.items() if not _is_gone(ref)}
        self._most = sum(self._alive.values())
        return self._most

    def forget(self) -> None:
        """Let the peak start anew from what is alive."""
        self.peak = self.now

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for item in output if isinstance(output, tuple | list) else (output,):
            for part in _dense(item):
                self._note(part.untyped_storage())
        if self._most > self.peak * (1 + self._slack):
            self.peak = max(self.peak, self.now)
        return output

    def _note(self, storage: torch.UntypedStorage) -> None:
        reference, size = _reference(storage), storage.nbytes()
        self._most += size - self._alive.get(reference, 0)
        self._alive[reference] = size


def _dense(value: Any) -> tuple[Tensor, ...]:
    """Return the tensors that hold the numbers of VALUE; none where it is no tensor."""
    if not isinstance(value, Tensor):
        return ()
    if value.layout == torch.sparse_csr:
        return value.crow_indices(), value.col_indices(), value.values()
    return (value,)


def _reference(storage: torch.UntypedStorage) -> StorageWeakRef:
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def _is_gone(reference: StorageWeakRef) -> bool:
    return bool(reference.expired())  # type: ignore[no-untyped-call]
