"""What a network costs: parameters, multiply-accumulates, time, memory, size on disk."""

from __future__ import annotations

import contextlib
import copy
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from featherface.devices import choose
from featherface.networks.bifpn import Fusion
from featherface.networks.deformable import TAPS, DeformableConv
from featherface.networks.linear_attention import Recall
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featherface.profiling_config import BenchmarkConfig
    from featherface.progress import OnProgress


COUNTED = (nn.Conv2d, nn.Linear, DeformableConv, Recall)
"""Layers whose multiply-accumulates are counted."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Milliseconds of one forward pass."""

    median: float
    p90: float
    """Nine passes of ten took no longer."""
    runs: tuple[float, ...]
    """Every timed pass, in order."""
    device: str
    threads: int


def parameters(model: nn.Module) -> int:
    """Return the number of trainable numbers."""
    return sum(one.numel() for one in model.parameters())


def paper_counted(model: nn.Module) -> int:
    """Return what a counter reports that knows standard layers only.

    FeatherFace's paper counts so: the kernels of deformable convolutions and BiFPN's fusion
    weights are left out.
    """
    kernels = sum(
        parameters(module.kernel)
        for module in model.modules()
        if isinstance(module, DeformableConv)
    )
    fusions = sum(parameters(module) for module in model.modules() if isinstance(module, Fusion))
    return parameters(model) - kernels - fusions


def macs(model: nn.Module, size: int | tuple[int, int] = 640) -> int:
    """Return the multiply-accumulates of one picture: convolutions and linear layers.

    A deformable convolution counts its offsets, its masks and its kernel, not the blending of
    neighbours; linear attention counts its products. SIZE is the side, or height and width, in
    pixels.

    Every layer works on a map whose sides are fixed or proportional to the picture's, so the
    count is bilinear in height and width: four tiny pictures tell it exactly for multiples of 32.
    """
    height, width = (size, size) if isinstance(size, int) else size
    count = _counter(model)
    if height % 32 or width % 32:
        return count(height, width)
    down, across = height // 32 - 1, width // 32 - 1
    corner, right, low, far = count(32, 32), count(32, 64), count(64, 32), count(64, 64)
    twist = far - right - low + corner
    return corner + across * (right - corner) + down * (low - corner) + down * across * twist


def count_macs(model: nn.Module, height: int, width: int) -> int:
    """Return the same as `macs`, counted at that very size."""
    return _counter(model)(height, width)


def _counter(model: nn.Module) -> Callable[[int, int], int]:
    """Return a function that counts while a copy of MODEL looks at a picture of height, width."""
    copied = copy.deepcopy(model).to("cpu").eval()
    counts: list[int] = []

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        counts.append(layer_macs(module, output))

    for module in copied.modules():
        if isinstance(module, COUNTED):
            module.register_forward_hook(note)

    def count(height: int, width: int) -> int:
        counts.clear()
        with torch.inference_mode():
            copied(torch.zeros(1, 3, height, width))
        return sum(counts)

    return count


def layer_macs(module: nn.Module, output: Tensor) -> int:
    """Return the multiply-accumulates of one picture in MODULE, one of `COUNTED`.

    OUTPUT is what it gave, (B,C,H,W) or (B,C).
    """
    return _macs_per_position(module) * _positions(module, output)


def latency(model: nn.Module, config: BenchmarkConfig, on_progress: OnProgress = silent) -> Latency:
    """Time the forward pass on random pictures, after a warm-up."""
    device = choose(config.device)
    with _measuring(model, device, config.threads), torch.inference_mode():
        images = _images(config, device)
        runs: list[float] = []
        for index in range(-config.warmup, config.runs):
            spent = _time(model, images)
            if index >= 0:
                runs.append(spent)
                on_progress(Progress("benchmark", index + 1, config.runs, "runs"))
        threads = torch.get_num_threads()
    return Latency(
        median=statistics.median(runs),
        p90=_percentile(runs, 0.9),
        runs=tuple(runs),
        device=str(device),
        threads=threads,
    )


def peak_memory(model: nn.Module, config: BenchmarkConfig) -> float:
    """Return the megabytes (10^6 bytes) alive at once in a forward pass, weights included.

    On CUDA what the allocator reports; elsewhere the tensors that exist after each operator
    (an operator's own scratch memory is not seen).
    """
    device = choose(config.device)
    with _measuring(model, device, config.threads), torch.inference_mode():
        images = _images(config, device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
            model(images)
            most: int = torch.cuda.max_memory_allocated()
            return most / 1e6
        live = _LiveBytes()
        with live:
            model(images)
    return (live.peak + _bytes(model) + _nbytes(images)) / 1e6


def weights_megabytes(model: nn.Module, bytes_per_number: int = 4) -> float:
    """Return the size in 10^6 bytes of the parameters and running statistics."""
    numbers: int = sum(
        one.numel() for one in model.state_dict().values() if one.is_floating_point()
    )
    return numbers * bytes_per_number / 1e6


def _macs_per_position(module: nn.Module) -> int:
    if isinstance(module, DeformableConv):
        moves = 3 * TAPS
        return TAPS * module.kernel.in_channels * (moves + module.kernel.out_channels)
    if isinstance(module, Recall):
        return module.products
    if isinstance(module, nn.Conv2d | nn.Linear):
        return module.weight.numel()
    return 0


def _positions(module: nn.Module, output: Tensor) -> int:
    """Return how often the weights of MODULE are applied to one picture."""
    return 1 if isinstance(module, nn.Linear) else output.shape[-2] * output.shape[-1]


@contextlib.contextmanager
def _measuring(model: nn.Module, device: torch.device, threads: int) -> Iterator[None]:
    """Put the network in evaluation mode on DEVICE; everything is as before afterwards."""
    training, home = model.training, next(model.parameters()).device
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads or before)
        model.eval().to(device)
        yield
    finally:
        torch.set_num_threads(before)
        model.train(training).to(home)


def _images(config: BenchmarkConfig, device: torch.device) -> Tensor:
    side = config.image_size
    generator = torch.Generator().manual_seed(0)
    shape = (config.batch_size, 3, side, side)
    return (torch.rand(shape, generator=generator) * 255 - 115).to(device)


def _time(model: nn.Module, images: Tensor) -> float:
    _wait(images.device)
    start = time.perf_counter()
    model(images)
    _wait(images.device)
    return 1000 * (time.perf_counter() - start)


def _wait(device: torch.device) -> None:
    """Let queued work finish, where the device queues."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _bytes(model: nn.Module) -> int:
    return sum(_nbytes(one) for one in model.state_dict().values())


def _nbytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _reference(storage: torch.UntypedStorage) -> StorageWeakRef:
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def _is_gone(reference: StorageWeakRef) -> bool:
    return bool(reference.expired())  # type: ignore[no-untyped-call]


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the memory of tensors made inside the block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._alive: dict[StorageWeakRef, int] = {}

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for one in output if isinstance(output, tuple | list) else (output,):
            if isinstance(one, Tensor):
                storage = one.untyped_storage()
                self._alive[_reference(storage)] = storage.nbytes()
        self._alive = {ref: size for ref, size in self._alive.items() if not _is_gone(ref)}
        self.peak = max(self.peak, sum(self._alive.values()))
        return output
