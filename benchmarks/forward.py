"""Forward time of each variant at 640 x 640, batch 1, CPU: PyTorch eager and ONNX Runtime.

    python benchmarks/forward.py [--size 640] [--rounds 7] [--threads 2] [--onnx] [VARIANT ...]

The variants take turns, so that a busy moment of the machine hits them alike; the last columns
are medians relative to retinaface-mnet025 in the same run (budget: v1-official at most 2.5 in
eager mode, at most 4 in ONNX Runtime).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from featherface.engines.onnx_runtime import OnnxSession
from featherface.export.formats import WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.networks.detector import build
from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

PEER = "retinaface-mnet025"


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    images = torch.randn(1, 3, options.size, options.size) * 60
    names = [PEER, *(name for name in options.variants if name != PEER)]
    runtimes = {"eager": {name: eager(name, images) for name in names}}
    if options.onnx:
        runtimes["onnx"] = {name: onnx(name, images) for name in names}
    for runtime, steps in runtimes.items():
        show(runtime, measure(steps, options.rounds))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--onnx", action="store_true", help="also export and time ONNX Runtime")
    return parser.parse_args()


def network(name: str) -> torch.nn.Module:
    """A network whose offsets move, as trained ones do."""
    torch.manual_seed(0)
    model = build(VARIANTS[name].config, 0).eval()
    for key, parameter in model.named_parameters():
        if "offset" in key or "modulator" in key:
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def eager(name: str, images: torch.Tensor) -> Callable[[], object]:
    model = network(name)

    def step() -> object:
        with torch.inference_mode():
            return model(images)

    return step


def onnx(name: str, images: torch.Tensor) -> Callable[[], object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        write_onnx(network(name), path, WriterSettings(), name)
        session = OnnxSession(path)
    array = images.numpy()
    return lambda: session(array)


def measure(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time each step once per round, in turns, after two untimed rounds: milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 2):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn >= 2:
                times[name].append(1000 * (time.perf_counter() - start))
    return times


def show(runtime: str, times: dict[str, list[float]]) -> None:
    print(f"{runtime:6} {'variant':20} {'median ms':>10} {'min':>8} {'max':>8} {'ratio':>6}")
    peer = statistics.median(times[PEER])
    for name, values in times.items():
        median = statistics.median(values)
        print(
            f"{runtime:6} {name:20} {median:10.1f} {min(values):8.1f} {max(values):8.1f}"
            f" {median / peer:6.2f}"
        )


if __name__ == "__main__":
    main()
