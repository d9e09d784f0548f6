"""Inference from files to files: PyTorch, ONNX Runtime, and the plain loop of a test program.

    python benchmarks/inference.py [--variant v2-ultra retinaface-mnet025]
                                   [--weights FILE FILE] [--data FOLDER --ground-truth FOLDER]
                                   [--rounds 5] [--threads N] [--pictures 34]

Each variant's pictures are read, looked at in their own size, decoded, suppressed, and written as
prediction files, in three ways that take turns, so that a busy moment of the machine hits all:

- `torch` and `onnxruntime`: `featherface.inference.detect.predict`, as `thesis eval widerface` and
  the evaluate stage look at pictures, with PyTorch and with ONNX Runtime;
- `plain`: a loop of the shape that the original test program has, one picture after the other:
  read, forward in PyTorch, decode, greedy suppression, write.

The ratios of the seconds in each round count, and their median; beside them those of the seconds of
the processor, which other programs on the machine disturb less (budget: ONNX Runtime at
least 2.5 times PyTorch, AP equal to 0.002). Without --data pictures are drawn; without --weights
the networks have weights at random, whose AP tells nothing but that the three agree.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.engine_choice.conversion import convert
from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate
from featherface.geometry.boxes import decode, decode_landmarks
from featherface.geometry.priors import priors
from featherface.inference.detect import predict
from featherface.inference.pictures import pictures_of
from featherface.networks.detector import build
from featherface.progress import silent
from featherface.variants.table import variant
from featherface.weights.checkpoints import load_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featherface.data.widerface import Split
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.networks.detector import Detector

SCORE, OVERLAP = 0.02, 0.4
"""Lowest score, and the overlap above which the weaker box goes, of the original test program."""


def main() -> None:
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(f"{torch.get_num_threads()} threads, {options.rounds} rounds")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        data, truth = options.data, options.ground_truth or options.data
        if data is None:
            data = truth = root / "drawn"
            drawn = SyntheticConfig(train_images=1, val_images=options.pictures, image_size=640)
            draw(data, drawn, silent)
        split = open_split(data, "val").limit(options.pictures)
        labels = read_ground_truth(truth)
        for name, weights in zip_longest(options.variant, options.weights):
            measure(name, weights, split, labels, options.rounds, root / name)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", nargs="+", default=["v2-ultra", "retinaface-mnet025"])
    parser.add_argument("--weights", nargs="*", type=Path, default=[])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--ground-truth", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=34)
    return parser.parse_args()


def measure(
    name: str, weights: Path | None, split: Split, labels: GroundTruth, rounds: int, root: Path
) -> None:
    """Time the three ways over the pictures of SPLIT in turns, and tell their ratios and APs."""
    model = build(variant(name), seed=0).eval()
    if weights is not None:
        load_weights(model, weights, name)
    started = time.perf_counter()
    runtime = convert(model, name, "onnxruntime", threads=torch.get_num_threads())
    converted = time.perf_counter() - started
    ways: dict[str, Callable[[Path], object]] = {
        "torch": lambda folder: predict(model, model.config, split, save_to=folder),
        "onnxruntime": lambda folder: predict(runtime, model.config, split, save_to=folder),
        "plain": lambda folder: plain(model, pictures_of(split), folder),
    }
    wall: dict[str, list[float]] = {key: [] for key in ways}
    processor: dict[str, list[float]] = {key: [] for key in ways}
    for index in range(rounds + 1):  # the first warms up
        for key, look in ways.items():
            start, start_processor = time.perf_counter(), time.process_time()
            look(root / f"{key}-{index}")
            if index:
                wall[key].append(time.perf_counter() - start)
                processor[key].append(time.process_time() - start_processor)
    known, count = "trained" if weights else "random", len(split.images)
    print(f"\n{name}, {known} weights, {count} pictures; converted in {converted:.1f} s")
    for key in ways:
        result = evaluate(read_predictions(root / f"{key}-{rounds}"), labels)
        aps = ", ".join(f"{part} {subset.ap:.4f}" for part, subset in result.subsets.items())
        print(
            f"  {key:12}{count / statistics.median(wall[key]):6.2f} pictures/s,"
            f" {times(wall, key)}; processor {times(processor, key)};"
            f" AP {aps}; {result.detections:,} detections"
        )


def times(seconds: dict[str, list[float]], key: str) -> str:
    """Tell how many times as fast as PyTorch it went, in the middle of the rounds and in each."""
    ratios = [base / own for base, own in zip(seconds["torch"], seconds[key], strict=True)]
    told = " ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"{statistics.median(ratios):.2f} times torch ({told})"


@torch.no_grad()
def plain(model: Detector, pictures: dict[str, Path], folder: Path) -> None:
    """Look at PICTURES one after the other, and write each one's detections below FOLDER."""
    config = model.config
    mean = np.array(config.pixel_mean, np.float32)
    for name, path in pictures.items():
        image = np.array(Image.open(path).convert("RGB"))[:, :, ::-1].astype(np.float32) - mean
        height, width = image.shape[:2]
        raw = model(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None])
        near = priors(config, height, width)
        scale = torch.tensor([width, height], dtype=torch.float32)
        boxes = (decode(raw.boxes[0], near, config.variances) * scale.repeat(2)).numpy()
        decode_landmarks(raw.landmarks[0], near, config.variances)  # which it decodes, too
        scores = raw.logits.softmax(-1)[0, :, 1].numpy()
        likely = scores > SCORE
        boxes, scores = boxes[likely], scores[likely]
        order = scores.argsort()[::-1]
        boxes, scores = boxes[order], scores[order]
        write(folder / f"{name}.txt", path.stem, boxes[kept := greedy(boxes)], scores[kept])


def greedy(boxes: NDArray[np.float32]) -> list[int]:
    """Return the rows of BOXES, best first, that no better one overlaps too much."""
    left, top, right, bottom = boxes.T
    areas = (right - left + 1) * (bottom - top + 1)
    order, kept = np.arange(len(boxes)), []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        across = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + 1
        down = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + 1
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        order = rest[shared / (areas[best] + areas[rest] - shared) <= OVERLAP]
    return kept


def write(path: Path, title: str, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
    """Write one picture's detections in the official format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{title}\n{len(boxes)}\n")
        for (left, top, right, bottom), score in zip(boxes.astype(int), scores, strict=True):
            file.write(f"{left} {top} {right - left} {bottom - top} {score:.6f}\n")


if __name__ == "__main__":
    main()
