"""ONNX Runtime against PyTorch: every variant, 320 to 1024 pixels, batches of 1 to 8.

    python benchmarks/parity.py [--sizes 320 333x250 ...] [--batches 1 2 4 8] [VARIANT ...]

Graph optimisations are on, and each network is stirred: offsets move, answers are loud, and the
normalisations have statistics of their own. Prints the largest absolute differences (budget: 1e-4
on scores and boxes) and what the exporter warned of beyond what `_quiet` in
featherface/export/onnx_file.py explains (budget: nothing). Ends with 1 where a budget is missed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

from featherface.engines.onnx_runtime import OnnxSession
from featherface.export.formats import WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.export.writing import differences
from featherface.validation.case import VariantCase
from featherface.variants.table import VARIANTS

LIMIT = 1e-4


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    print(
        f"{'variant':20} {'boxes':>9} {'scores':>9} {'landmarks':>9} {'worst at':>16} warnings  s"
    )
    results = [check(name, options) for name in options.variants]
    sys.exit(not all(results))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--sizes", nargs="+", default=["320", "333x250", "480x640", "640", "1024"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def check(name: str, options: argparse.Namespace) -> bool:
    """Export, compare in every case and print a line; return whether the budgets hold."""
    start = time.perf_counter()
    model = VariantCase(name, VARIANTS[name].config).stirred()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        path = Path(folder) / "network.onnx"
        write_onnx(model, path, WriterSettings(), name)
        run = OnnxSession(path)
    cases = list(itertools.product(map(pixels, options.sizes), options.batches))
    found = {case: differences(model, run, *case) for case in cases}
    most = {key: max(one[key] for one in found.values()) for key in next(iter(found.values()))}
    size, batch = max(cases, key=lambda case: max(found[case]["boxes"], found[case]["scores"]))
    print(
        f"{name:20} {most['boxes']:9.1e} {most['scores']:9.1e} {most['landmarks']:9.1e}"
        f" {f'{size[0]}x{size[1]} x {batch}':>16} {len(said):8} {time.perf_counter() - start:3.0f}",
        *(f"  {one.category.__name__}: {one.message}" for one in said),
        sep="\n  " if said else " ",
        flush=True,
    )
    return max(most["boxes"], most["scores"]) <= LIMIT and not said


def pixels(text: str) -> tuple[int, int]:
    """Read `480x640`, height before width, or one side of a square."""
    height, _, width = text.partition("x")
    return int(height), int(width or height)


if __name__ == "__main__":
    main()
