"""What precision costs in AP, and what it gives in speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.data.widerface import open_split
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.names import picture_name
from featherface.evaluation.protocol import evaluate
from featherface.inference.detect import predict
from featherface.networks.detector import build
from featherface.profiling.timing import wait
from featherface.variants.table import VARIANTS, variant
from featherface.weights.checkpoints import load_weights
from gpu_parts.made_up import pictures
from gpu_parts.precisions import computing, here

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpu_parts.answers import Answers, Setting

WEIGHTS = {"v1-official": "featherface_v1_official.pth", "eca-cbam": "featherface_eca_cbam.pth"}
"""Files of the reference data, by variant."""


def by_precision(setting: Setting, answers: Answers) -> None:
    """AP of published weights on 34 pictures, in each precision, on the CPU too."""
    if setting.data is None:
        answers.add(skipped="no reference data: --data FOLDER")
        return
    split = open_split(setting.data / "widerface" / "val34", "val")
    split = split.limit(setting.pick(len(split.images), 2))
    lists = read_ground_truth(setting.data / "widerface" / "ground_truth", "val")
    truth = lists.restrict([picture_name(one.path) for one in split.images])
    for name, file in WEIGHTS.items():
        model = build(variant(name), 0)
        load_weights(model, setting.data / "weights" / file, name)
        places = [(torch.device("cpu"), "fp32")]
        if setting.device.type != "cpu":
            places += [(setting.device, precision) for precision in here(setting.device)]
        for device, precision in places:
            asked = EvaluateConfig(precision=precision)
            found = predict(model.to(device), variant(name), split, asked)
            result = evaluate(found, truth)
            aps = {subset: one.ap for subset, one in result.subsets.items()}
            answers.row("AP on val34", variant=name, device=device.type, precision=precision, **aps)


def latencies(setting: Setting, answers: Answers) -> None:
    """Forward passes timed by the device's own events, after a warm-up."""
    device = setting.device
    side, runs = setting.pick((640, 50), (64, 3))
    for name in setting.pick(list(VARIANTS), ["v3-nano"]):
        model = build(variant(name), 0).eval().to(device)
        for batch in setting.pick((1, 8), (1,)):
            images = pictures(batch, side).to(device)
            for precision in here(device):
                with computing(precision, device), torch.inference_mode():
                    spent = timed(model, images, runs)
                answers.row(
                    "forward",
                    variant=name,
                    batch=batch,
                    precision=precision,
                    median_ms=float(np.median(spent)),
                    p90_ms=float(np.percentile(spent, 90)),
                )


def timed(model: torch.nn.Module, images: torch.Tensor, runs: int) -> list[float]:
    """Milliseconds of each of RUNS passes."""
    for _ in range(5):
        model(images)
    wait(images.device)
    if images.device.type != "cuda":
        return [clocked(model, images) for _ in range(runs)]
    spent = []
    for _ in range(runs):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        model(images)
        end.record()
        end.synchronize()
        spent.append(begin.elapsed_time(end))
    return spent


def clocked(model: Callable[[torch.Tensor], object], images: torch.Tensor) -> float:
    begun = time.perf_counter()
    model(images)
    return 1000 * (time.perf_counter() - begun)
