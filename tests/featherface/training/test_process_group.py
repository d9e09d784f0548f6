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
from featherface.data.synthetic.dataset import draw
from featherface.devices.all_reduce import (
    SharedNorm,
    anyone,
    averaged,
    divisor,
    overall,
    share_norms,
)

SCRIPT = Path(__file__).with_name("together_script.py")
CLOCK = {"kind", "seconds", "loading"}


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


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_shared_norm_keeps_what_comes_in(dtype):
    plain = nn.BatchNorm2d(5, dtype=torch.float64)
    shared = nn.Sequential(nn.BatchNorm2d(5, dtype=torch.promote_types(dtype, torch.float32)))
    share_norms(shared)
    images = (3 + 2 * torch.randn(4, 5, 6, 7, dtype=torch.float64)).to(dtype)
    one, two = plain(images.double()), shared(images)
    assert two.dtype == dtype
    error = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    torch.testing.assert_close(two.double(), one, rtol=error, atol=error)
    follow = min(error, 1e-5)  # statistics are never in half precision
    mean, variance = shared[0].running_mean.double(), shared[0].running_var.double()
    torch.testing.assert_close(mean, plain.running_mean, rtol=follow, atol=follow)
    torch.testing.assert_close(variance, plain.running_var, rtol=follow, atol=follow)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Folders of what one process learnt from batches of four, and two from two each."""
    root = tmp_path_factory.mktemp("together")
    data = root / "set"
    draw(data, SyntheticConfig(image_size=64, train_images=8, val_images=1, largest_face=40))
    runpy.run_path(str(SCRIPT))["main"](root / "one", data, 4)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *torchrun, str(SCRIPT), str(root / "two"), str(data), "2"]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return root / "one", root / "two"


def events(folder):
    """Return what was told in FOLDER, without what a clock says."""
    told = json.loads((folder / "events.json").read_text(encoding="utf-8"))
    return [{k: v for k, v in one.items() if k not in CLOCK} for one in told]


@pytest.mark.slow
def test_two_processes_learn_as_one_with_the_doubled_batch(learnt):
    one, two = (folder / "double" for folder in learnt)
    told = events(one)
    assert len(told) == 6
    for alone, together in zip(told, events(two), strict=True):
        assert together == pytest.approx(alone, rel=1e-9, abs=1e-12)
    weights = [load_file(folder / "last.safetensors") for folder in (one, two)]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-9, atol=1e-12)
    states = [torch.load(folder / "state.pt")["parts"] for folder in (one, two)]
    for part in ("model", "companions"):
        torch.testing.assert_close(states[1][part], states[0][part], rtol=1e-9, atol=1e-12)
    gradients = [state["optimizer"]["state"] for state in states]  # SGD adds them up
    assert {one["momentum_buffer"].dtype for one in gradients[0].values()} == {torch.float64}
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_in_single_precision_they_differ_by_rounding(learnt):
    """What rounding does is bounded by what it does to one process.

    Batch norms over 2 x 2 maps of four pictures amplify it until a hard background prior or a
    rectifier is chosen otherwise: weights changed by one part in 1e6 before the first step change
    the parts of the loss by up to 0.6 % and the gradient's norm by up to 1 % within the four
    steps, and the whole gradient of the last by 9 %.
    """
    one, two = (folder / "single" for folder in learnt)
    for alone, together in zip(events(one), events(two), strict=True):
        assert together == pytest.approx(alone, rel=5e-2, abs=1e-3)
    first = [events(folder)[0] for folder in (one, two)]  # nothing is learnt yet
    assert first[1] == pytest.approx(first[0], rel=1e-3, abs=1e-5)
    student = runpy.run_path(str(SCRIPT))["student"]("single")
    ends = [load_file(folder / "last.safetensors") for folder in (one, two)]
    names = [name for name, _ in student.named_parameters()]
    start, alone, together = (
        torch.cat([weights[name].flatten() for name in names])
        for weights in (student.state_dict(), *ends)
    )
    assert (together - alone).norm() < 0.05 * (alone - start).norm()
