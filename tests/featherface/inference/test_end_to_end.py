"""A whole detection as a workload: what it looks at, and what it does."""

import numpy as np
import torch

from featherface.inference import end_to_end
from featherface.inference.detect import detect
from featherface.inference.end_to_end import boxes_written, detection, scenes
from featherface.networks.detector import build
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.timing import timed_in_turns
from featherface.variants.table import variant

CONFIG = BenchmarkConfig(image_size=96, batch_size=2, runs=2, warmup=0, device="cpu", threads=1)


def test_scenes_are_bytes_of_the_size_that_is_asked_for_and_always_the_same(monkeypatch):
    first, second = scenes(2, 96)
    assert first.shape == second.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
    assert np.array_equal(first, scenes(1, 96)[0])
    monkeypatch.setattr(end_to_end, "SIDES", (64, 96))
    assert scenes(1, 160)[0].shape == (160, 160, 3)


def test_a_whole_detection_gives_what_detect_gives_of_each_picture():
    model = build(variant("v3-nano", prior_probability=0.1), 0).eval()
    work = detection(model, torch.device("cpu"), CONFIG)
    answers = work.work()
    alone = [detect(model, model.config, image) for image in scenes(2, 96)]
    assert [len(answer) for answer in answers] == [len(answer) for answer in alone]
    assert boxes_written(work) == sum(map(len, alone)) > 0


def test_a_network_can_be_trained_after_its_detections_were_timed():
    model = build(variant("v3-nano"), 0).train()
    (timed,) = timed_in_turns([detection(model, torch.device("cpu"), CONFIG)], CONFIG)
    assert (len(timed.runs), timed.clock, model.training) == (2, "clock", True)
    raw = model(torch.zeros(1, 3, 96, 96))
    raw.boxes.sum().backward()
