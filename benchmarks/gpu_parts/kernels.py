"""What is computed on the device, against the same on the CPU or in double precision."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING

import torch

from featherface.geometry.priors import levels, priors
from featherface.losses.config import CHOICES, LossConfig
from featherface.losses.matching import MATCHINGS, MatchingInputs
from featherface.losses.multibox import multibox
from featherface.networks.detector import RawOutput, build
from featherface.networks.layers.deformable import DeformableConv
from featherface.training.config.train import TrainConfig
from featherface.training.objective import Objective
from featherface.variants.table import VARIANTS, variant
from gpu_parts.made_up import faces, pictures
from gpu_parts.precisions import computing, here

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpu_parts.answers import Answers, Setting


def deformable(setting: Setting, answers: Answers) -> None:
    """Deformable convolution and its gradients against the same layer in double precision."""
    side = setting.pick(80, 16)
    torch.manual_seed(0)
    layer = DeformableConv(32, 32)
    for name, value in layer.named_parameters():
        if not name.startswith("kernel"):
            torch.nn.init.normal_(value, std=0.2)
    features = torch.randn(2, 32, side, side)
    exact = traced(copy.deepcopy(layer).double(), features.double())
    for precision in here(setting.device):
        far = copy.deepcopy(layer).to(setting.device)
        with computing(precision, setting.device):
            found = traced(far, features.to(setting.device))
        names = ("output", "of the input", "of the kernel", "of the offsets")
        pairs = zip(names, found, exact, strict=True)
        errors = {name: relative(one, two) for name, one, two in pairs}
        answers.row("largest error, relative to the largest value", precision=precision, **errors)


def traced(layer: DeformableConv, features: Tensor) -> list[Tensor]:
    features = features.clone().requires_grad_()
    output = layer(features)
    output.to(torch.promote_types(output.dtype, torch.float32)).square().sum().backward()
    grads = [features.grad, layer.kernel.weight.grad, layer.offset.weight.grad]
    return [output.detach(), *grads]


def relative(found: Tensor, exact: Tensor) -> float:
    exact = exact.detach().double().cpu()
    return ((found.detach().double().cpu() - exact).abs().max() / exact.abs().max()).item()


def matchings(setting: Setting, answers: Answers) -> None:
    """Each matching and each loss on both sides: the choices equal, the losses close."""
    detector, side = variant("v2"), setting.pick(640, 128)
    near, layout = priors(detector, side, side), levels(detector, side)
    count = setting.pick(16, 2)
    targets = faces(count, 12)
    random = torch.Generator().manual_seed(1)
    output = RawOutput(
        *(torch.randn(count, len(near), last, generator=random) for last in (4, 2, 10))
    )
    device = setting.device
    far = RawOutput(*(one.to(device) for one in output)), near.to(device), targets.to(device)
    for name, match in MATCHINGS.items():
        one = match(
            MatchingInputs(near, layout, targets, 0.35, output.boxes, output.logits, (0.1, 0.2))
        )
        two = match(
            MatchingInputs(far[1], layout, far[2], 0.35, far[0].boxes, far[0].logits, (0.1, 0.2))
        )
        positive = two.positive.cpu()
        both = one.positive & positive
        answers.row(
            "matchings",
            matching=name,
            positives=int(one.positive.sum()),
            differ=int((one.positive != positive).sum()),
            other_face=int((one.face[both] != two.face.cpu()[both]).sum()),
        )
    kinds = ("face", "box", "landmark")
    for names in itertools.product(*(CHOICES[kind] for kind in kinds)):
        chosen = dict(zip(kinds, names, strict=True))
        loss = LossConfig(**chosen)
        arguments = {"variances": (0.1, 0.2), "overlap": 0.35, "negatives": 7, "loss": loss}
        ours = multibox(output, near, targets, **arguments, levels=layout)
        theirs = multibox(far[0], far[1], far[2], **arguments, levels=layout)
        pairs = [(float(one), float(two)) for one, two in zip(ours, theirs, strict=True)]
        gap = max(abs(one - two) / abs(one) for one, two in pairs)
        answers.row("losses", **chosen, relative_gap=gap)


def variants(setting: Setting, answers: Answers) -> None:
    """Outputs, loss and gradient of each variant on the device against the CPU."""
    side, count = setting.pick(320, 64), setting.pick(4, 2)
    for name in setting.pick(list(VARIANTS), ["v2", "v3-nano"]):
        model = build(VARIANTS[name].config, 0)
        wanted = learnt(model, "fp32", torch.device("cpu"), side, count)
        for precision in here(setting.device):
            found = learnt(model, precision, setting.device, side, count)
            answers.row(
                "against the CPU in single precision",
                variant=name,
                precision=precision,
                scores=relative(found[0], wanted[0]),
                loss=abs(found[1] - wanted[1]) / abs(wanted[1]),
                gradient=norm_gap(found[2], wanted[2]),
            )


def learnt(
    model: nn.Module, precision: str, device: torch.device, side: int, count: int
) -> tuple[Tensor, float, Tensor]:
    """Scores, loss and the whole gradient of a step on made-up pictures."""
    model = copy.deepcopy(model).to(device).train()
    objective = Objective(model.config, TrainConfig(image_size=side), device)
    kept = {}

    def forward(images: Tensor) -> RawOutput:
        with computing(precision, device):
            output = model(images)
        kept["scores"] = output.logits.detach().float().softmax(-1)
        return RawOutput(*(one.float() for one in output))

    images, targets = pictures(count, side).to(device), faces(count, 6).to(device)
    tf32 = "tf32" if precision == "tf32" else "fp32"
    with computing(tf32, device):
        loss, _ = objective(forward, images, targets)
        loss.backward()
    gradient = torch.cat(
        [value.grad.flatten().float() for value in model.parameters() if value.grad is not None]
    )
    return kept["scores"], float(loss.detach()), gradient


def norm_gap(found: Tensor, wanted: Tensor) -> float:
    """Norm of the difference, relative to the norm."""
    wanted = wanted.double().cpu()
    return ((found.double().cpu() - wanted).norm() / wanted.norm()).item()
