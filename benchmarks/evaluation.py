"""Time the WIDER FACE protocol, its reading, and the bootstrap on full val.

    python benchmarks/evaluation.py GROUND_TRUTH PREDICTIONS [REPEATS]

GROUND_TRUTH is the folder of the official lists, PREDICTIONS a folder or archive of detections.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

RESAMPLES = 1000


def best_of(repeats: int, name: str, work: Callable[[], object]) -> object:
    """Print the best wall-clock time of REPEATS calls and give the last answer."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    print(f"{name:<40} best {min(times):7.3f} s   worst {max(times):7.3f} s")
    return answer


def peak_memory() -> str:
    """Tell the most memory this process ever held, where the system knows."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return "unknown"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.2f} GiB"


def main(truth_folder: str, predictions_folder: str, repeats: str = "5") -> None:
    count = int(repeats)
    truth = best_of(count, "read the ground truth", lambda: read_ground_truth(Path(truth_folder)))
    predictions = best_of(
        count, "read the predictions", lambda: read_predictions(Path(predictions_folder))
    )
    answer = best_of(count, "evaluate", lambda: evaluate(predictions, truth))
    for name, subset in answer.subsets.items():
        print(f"  {name:<8} AP {subset.ap:.10f}  {subset.faces} faces")
    print(f"  {answer.images} pictures, {answer.detections} detections")

    def bootstrap() -> None:
        pictures = answer.images
        draws = np.random.default_rng(0).multinomial(
            pictures, np.full(pictures, 1 / pictures), size=RESAMPLES
        )
        for _ in range(2):  # two models, the same resamples
            for subset in answer.subsets:
                answer.matches.resampled_ap(subset, draws)

    best_of(min(count, 3), f"bootstrap: 2 models, 3 subsets, {RESAMPLES}", bootstrap)
    print(f"peak memory: {peak_memory()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
