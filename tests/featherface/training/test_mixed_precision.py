"""Mixed precision as CUDA's autocast casts: networks in halves, losses in single precision."""

import math

import pytest
import torch
from stand_ins.cuda_autocast import CudaAutocast
from torch import nn

from featherface.losses.config import CHOICES, LossConfig
from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.distillation.terms import Teacher
from featherface.training.loading.batches import empty_targets
from featherface.training.objective import Objective
from featherface.training.optimization import precision
from featherface.training.optimization.precision import Precision
from featherface.variants.table import VARIANTS, variant

CPU = torch.device("cpu")
BOUNDS = {"fp16": 0.01, "bf16": 0.08}
"""Of a loss, relative: 2^-11 and 2^-8 of rounding through some hundred layers; 0.3 % and 4.4 %
were seen, with room for other processors."""
LARGEST_HALF = 65_504
FIRST_SCALE = 2.0**16
"""GradScaler's."""
QUICK = {("v2", "bf16"), ("v3-nano", "fp16")}
LESSON = DistillConfig(
    teacher="v1",
    teachers=("x",),
    confidence=0.3,
    feature_weight=1,
    attention_weight=1,
    cross_scale_weight=1,
    self_weight=0.5,
)


@pytest.fixture(autouse=True)
def _cudas_lists(monkeypatch):
    monkeypatch.setattr(precision.torch, "autocast", CudaAutocast)
    monkeypatch.setattr(CudaAutocast, "largest", 0.0)


def seen(name, seed=3):
    """Return a network whose norms know what pictures look like."""
    network = build(variant(name), seed=seed)
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    before = [part.momentum for part in norms]
    for part in norms:
        part.momentum = None
    with torch.no_grad():
        network.train()(pictures(seed))
    for part, momentum in zip(norms, before, strict=True):
        part.momentum = momentum
    return network


def pictures(seed=0):
    return 60 * torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def faces():
    made = empty_targets(2, 2)
    made.boxes[:] = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.5, 0.4, 0.8, 0.9]])
    made.landmarks[:] = 0.4
    made.faces[:] = True
    made.marked[:, 0] = True
    return made


def objective(network, amp, loss=None, lesson=None):
    config = TrainConfig(amp=amp, image_size=96, device="cpu", loss=loss or LossConfig())
    distillation = None
    if lesson is not None:
        teachers = [seen("v3-nano", seed) for seed in (1, 2)]
        distillation = DistillationLoss(
            Teacher(teachers[0], "v1", lesson, (teachers[1],)), network, config, CPU
        )
    return Objective(network.config, config, CPU, distillation)


def gradient(network):
    return torch.cat([one.grad.flatten() for one in network.parameters() if one.grad is not None])


def scaled_gradient(network, loss):
    """Return the gradient of LOSS as GradScaler finds it: scaled by less until it is a number."""
    scale = FIRST_SCALE
    while scale >= 1:
        network.zero_grad()
        (scale * loss).backward(retain_graph=True)
        found = gradient(network) / scale
        if found.isfinite().all():
            return found
        scale /= 2
    raise AssertionError("no scale gives a finite gradient")


@pytest.mark.parametrize(
    ("name", "amp"),
    [
        pytest.param(name, amp, marks=() if (name, amp) in QUICK else pytest.mark.variants)
        for name in VARIANTS
        for amp in BOUNDS
    ],
)
def test_networks_learn_in_halves_what_they_learn_in_full(name, amp):
    losses = []
    for one in ("no", amp):
        network = seen(name)
        loss, parts = objective(network, one)(network, pictures(), faces())
        assert all(part.dtype == torch.float32 for part in parts.values())
        losses.append(loss.item())
        assert scaled_gradient(network, loss).any()
    assert losses[1] == pytest.approx(losses[0], rel=BOUNDS[amp])
    assert 0 < CudaAutocast.largest < LARGEST_HALF


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in CHOICES.items() for value in values]
)
def test_every_loss_takes_what_halves_give(key, value):
    loss = LossConfig(**{key: value}, hard_weight=2.0, small_weight=2.0)
    values = []
    for amp in ("no", "fp16"):
        network = seen("v3-nano")
        total, _ = objective(network, amp, loss)(network, pictures(), faces())
        total.backward()
        assert gradient(network).isfinite().all()
        values.append(total.item())
    # SimOTA may match other priors after the least of differences.
    assert values[1] == pytest.approx(values[0], rel=0.1 if value == "simota" else BOUNDS["fp16"])


@pytest.mark.parametrize("amp", [pytest.param("fp16", marks=pytest.mark.slow), "bf16"])
def test_teachers_and_averages_compute_in_the_training_precision(amp):
    values = []
    for one in ("no", amp):
        network = seen("v3-nano")
        asked = objective(network, one, lesson=LESSON)
        kinds = watch_kinds([*asked.distillation.models, asked.distillation.self_average.model])
        adapters = watch_kinds(asked.distillation.learned.adapters)
        loss, parts = asked(network, pictures(), faces())
        loss.backward()
        assert kinds == adapters == {torch.float32 if one == "no" else precision.TYPES[one]}
        assert all(part.dtype == torch.float32 for part in parts.values())
        values.append({name: part.item() for name, part in parts.items()})
    assert values[1].keys() == values[0].keys()
    # Parts that are small differences of large outputs are off by more than the loss is.
    for name in ("loss", "teacher_box", "teacher_landmark", "teacher_cross_scale"):
        assert values[1][name] == pytest.approx(values[0][name], rel=4 * BOUNDS[amp])


def watch_kinds(networks):
    """Return the set that will hold what kinds of numbers NETWORKS' convolutions give."""
    kinds = set()
    for network in networks:
        for part in network.modules():
            if isinstance(part, nn.Conv2d):
                part.register_forward_hook(lambda _part, _given, made: kinds.add(made.dtype))
    return kinds


def test_a_precision_has_a_name_of_device_and_numbers(monkeypatch):
    assert Precision(CPU, "no").name == "cpu-fp32"
    assert Precision(CPU, "bf16").name == "cpu-bf16"
    cuda = torch.device("cuda")
    assert Precision(cuda, "fp16").name == "cuda-fp16"
    for capability, name in (((6, 1), "cuda-fp32"), ((8, 6), "cuda-tf32")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, found=capability: found)
        assert Precision(cuda, "no").name == name
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    assert Precision(cuda, "no").name == "cuda-fp32"


def test_an_overflow_is_seen():
    with CudaAutocast("cuda", torch.float16):
        nn.functional.linear(torch.full((1, 4), 200.0), torch.full((1, 4), 200.0))
    assert math.isinf(CudaAutocast.largest)
