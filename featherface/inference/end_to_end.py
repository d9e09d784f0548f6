"""A whole detection as a piece of work to time: preprocess, look, decode, suppress duplicates.

The pictures lie in memory as they come from a file or a camera: rows of blue, green and red bytes.
They are drawn scenes with faces, the same at every call, for a suppression of nothing costs
nothing. How many boxes it had to write is a condition of such a time.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.engines.engine import Engine
from featherface.evaluation.config import EvaluateConfig
from featherface.inference.detect import detect_together, engine_for
from featherface.profiling.timing import Workload, measuring

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from featherface.networks.detector import Detector
    from featherface.profiling.config import BenchmarkConfig

SIDES = (64, 2048)
"""Sides in pixels of scenes that can be drawn; others are made of repetitions, and cut."""


def detection(
    network: Detector | Engine, device: torch.device, config: BenchmarkConfig
) -> Workload:
    """Return the whole detection by NETWORK, at work on DEVICE, in CONFIG's drawn pictures."""
    images = scenes(config.batch_size, config.image_size)
    evaluate = EvaluateConfig(precision=config.precision)
    ready: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    if not isinstance(network, Engine):
        ready = partial(measuring, network, device, config)
    return Workload(
        work=partial(detect_together, network, network.config, images, evaluate),
        device=network.device if isinstance(network, Engine) else device,
        ready=ready,
        engine=engine_for(network, network.config).name,
        host_works=True,
    )


def boxes_written(workload: Workload) -> int:
    """Return how many boxes a whole detection gives for all its pictures; it is run once."""
    with workload.ready():
        answers = workload.work()
    return sum(map(len, answers)) if isinstance(answers, list) else 0


def scenes(count: int, side: int) -> list[NDArray[np.uint8]]:
    """Return COUNT drawn pictures (SIDE, SIDE, 3), blue-green-red, the same at every call."""
    drawn = min(max(side, SIDES[0]), SIDES[1])
    widest = max(SyntheticConfig.smallest_face, drawn // 4)
    config = SyntheticConfig(image_size=drawn, largest_face=widest)
    pictures = []
    for index in range(count):
        event = EVENTS[index % len(EVENTS)]
        picture, _ = draw_picture(np.random.default_rng(index), config, event, "scene")
        pixels = np.asarray(picture.convert("RGB"))[..., ::-1]
        times = -(-side // drawn)
        pictures.append(np.ascontiguousarray(np.tile(pixels, (times, times, 1))[:side, :side]))
    return pictures
