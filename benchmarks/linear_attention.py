"""Time of linear attention from 320 to 1280 pixels: does it grow with the tokens?

    python benchmarks/linear_attention.py [--rounds 9] [--threads 2] [--sizes 320 640 960 1280]

Measures the attention of V2 ViT's finest map (stride 8, 32 channels), its backbone and the whole
network, evaluated one picture at a time. The sizes take turns, so that a busy moment of the
machine hits them alike. `growth` is the time per token relative to the smallest picture's (budget:
at most 1.3 for the attention). A quadratic attention would show 4, 9 and 16. Below it, peak memory
of the tensors alive at once, per token.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING

import torch

from featherface.networks.attention.linear_attention import LinearAttention
from featherface.networks.detector import build
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.memory import peak_memory
from featherface.variants.table import variant

if TYPE_CHECKING:
    from collections.abc import Callable

STRIDE = 8
CHANNELS = 32


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    network = build(variant("v2-vit"), 0).eval()
    attention = LinearAttention(CHANNELS, 16, 4).eval()
    parts: dict[str, Callable[[int], Callable[[], object]]] = {
        "attention": lambda side: step(attention, feature_map(side)),
        "backbone": lambda side: step(network.backbone, picture(side)),
        "network": lambda side: step(network, picture(side)),
    }
    print(f"{'part':10} {'side':>5} {'tokens':>7} {'median ms':>10} {'min':>8} {'max':>8} growth")
    for name, make in parts.items():
        show(name, measure({side: make(side) for side in options.sizes}, options.rounds))
    print(f"{'part':10} {'side':>5} {'peak MB':>10} growth")
    show_memory(network, options.sizes)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--sizes", type=int, nargs="+", default=[320, 640, 960, 1280])
    return parser.parse_args()


def picture(side: int) -> torch.Tensor:
    return (torch.randn(1, 3, side, side) * 60).contiguous(memory_format=torch.channels_last)


def feature_map(side: int) -> torch.Tensor:
    made = torch.randn(1, CHANNELS, side // STRIDE, side // STRIDE)
    return made.contiguous(memory_format=torch.channels_last)


def step(model: torch.nn.Module, given: torch.Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            return model(given)

    return run


def measure(steps: dict[int, Callable[[], object]], rounds: int) -> dict[int, list[float]]:
    """Time each step, in turns, after two untimed rounds: milliseconds."""
    times: dict[int, list[float]] = {side: [] for side in steps}
    for turn in range(rounds + 2):
        for side, run in steps.items():
            start = time.perf_counter()
            run()
            if turn >= 2:
                times[side].append(1000 * (time.perf_counter() - start))
    return times


def show(name: str, times: dict[int, list[float]]) -> None:
    first = min(times)
    per_token = {side: statistics.median(one) / tokens(side) for side, one in times.items()}
    for side, values in times.items():
        print(
            f"{name:10} {side:5} {tokens(side):7,} {statistics.median(values):10.2f}"
            f" {min(values):8.2f} {max(values):8.2f} {per_token[side] / per_token[first]:6.2f}"
        )


def tokens(side: int) -> int:
    return (side // STRIDE) ** 2


def show_memory(network: torch.nn.Module, sides: list[int]) -> None:
    first = 0.0
    for side in sides:
        used = peak_memory(network, BenchmarkConfig(image_size=side, device="cpu"))
        first = first or used / tokens(side)
        print(f"{'network':10} {side:5} {used:10.1f} {used / tokens(side) / first:6.2f}")


if __name__ == "__main__":
    main()
