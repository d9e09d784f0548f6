"""Processes that train together learn what one learns from the doubled batch."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic import draw
from featherface.processes import SharedNorm, anyone, averaged, divisor, overall, share_norms

SCRIPT = Path(__file__).with_name("together_script.py")


def test_alone_nothing_changes():
    assert divisor(0, torch.zeros(1)) == 1
    assert divisor(7, torch.zeros(1)) == 7
    assert divisor(torch.tensor(3), torch.zeros(1)) == 3
    assert averaged(torch.tensor(2.5)) == 2.5
    assert overall({"loss": torch.tensor(0.5)}) == {"loss": 0.5}
    assert anyone(True, torch.device("cpu"))


def test_a_shared_norm_alone_is_a_batch_norm():
    plain, shared = nn.BatchNorm2d(5), nn.Sequential(nn.BatchNorm2d(5))
    share_norms(shared)
    assert isinstance(shared[0], SharedNorm)
    images = 3 + 2 * torch.randn(4, 5, 6, 7)
    for training in (True, True, False):
        one, two = plain.train(training)(images), shared.train(training)(images)
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(shared[0].state_dict()[name], value)


@pytest.mark.slow
def test_two_processes_learn_as_one_with_the_doubled_batch(tmp_path):
    data = tmp_path / "set"
    draw(data, SyntheticConfig(image_size=64, train_images=8, val_images=1, largest_face=40))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    events, weights = [], []
    for name, pictures in (("one", 4), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        if name == "one":
            runpy.run_path(str(SCRIPT))["main"](folder, data, pictures)
        else:
            command = [sys.executable, *torchrun, str(SCRIPT), str(folder), str(data), "2"]
            subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        events.append(json.loads((folder / "events.json").read_text(encoding="utf-8")))
        weights.append(load_file(folder / "last.safetensors"))
    assert len(events[0]) == len(events[1]) == 6
    for one, two in zip(*events, strict=True):
        assert one.keys() == two.keys()
        for part in one.keys() - {"kind", "seconds", "loading"}:
            assert two[part] == pytest.approx(one[part], rel=1e-3, abs=1e-5), (one["event"], part)
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-3, atol=1e-4)
