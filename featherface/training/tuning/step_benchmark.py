"""Time and memory of training steps, measured on synthetic batches with a copy of the network."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING

import torch

from featherface.devices.kernels import kernels
from featherface.losses.assignment import Targets
from featherface.profiling.memory import LiveBytes, state_bytes
from featherface.profiling.timing import wait
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.objective import Objective
from featherface.training.optimization.memory_format import lay_out
from featherface.training.optimization.optimizers import make_optimizer

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.terms import Teacher

SLACK = 0.01
"""Share by which a footprint may fall short."""
FACES = 8
"""Faces in each made-up picture, where nothing else is said."""


class StepBenchmark:
    """A copy of a network in training, as the loop would train it with CONFIG.

    Has everything that takes time or memory in a step: the loss, the teacher, mixed precision,
    the optimizer and what it remembers; of phases, all that any of them teaches. FACES is how
    many a made-up picture holds, SIDE its pixels (as `image_size` says where it is left out).
    """

    def __init__(
        self,
        model: Detector,
        config: TrainConfig,
        device: torch.device,
        teacher: Teacher | None = None,
        *,
        faces: int = FACES,
        side: int | None = None,
    ) -> None:
        self.device, self.config, self.faces = device, config, faces
        self.side = side or config.image_size
        self.model = lay_out(copy.deepcopy(model).to(device), config).train()
        distillation = DistillationLoss(teacher, self.model, config, device) if teacher else None
        if distillation is not None:
            distillation.phase = distillation.config.whole()
        beside = distillation.learned.parameters() if distillation else ()
        self.optimizer = make_optimizer(self.model, config, beside)
        self.objective = Objective(model.config, config, device, distillation)
        self.scaler = torch.amp.GradScaler(device.type, enabled=config.amp == "fp16")

    def step(self, pictures: int) -> float:
        """Make one optimizer step with a batch of PICTURES; return its loss."""
        images, targets = self._batch(pictures)
        with kernels(repeatable=bool(self.config.deterministic)):
            loss, parts = self.objective(self.model, images, targets)
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        return parts["loss"].item()

    def milliseconds(self, pictures: int) -> float:
        """Return the milliseconds of one step with a batch of PICTURES."""
        wait(self.device)
        start = time.perf_counter()
        self.step(pictures)
        wait(self.device)
        return 1000 * (time.perf_counter() - start)

    def footprint(self, pictures: int) -> int:
        """Return the most bytes of tensors alive in a step with a batch of PICTURES."""
        live = LiveBytes(SLACK)
        with live:
            self.step(pictures)
        return live.peak + state_bytes(self.model)

    def _batch(self, pictures: int) -> tuple[Tensor, Targets]:
        """Draw a batch, the same for the same number of PICTURES."""
        random = torch.Generator().manual_seed(pictures)
        side, each = self.side, (pictures, self.faces)
        images = 60 * torch.randn(pictures, 3, side, side, generator=random)
        sides = 0.03 + 0.3 * torch.rand(*each, 1, generator=random)
        corners = (1 - sides) * torch.rand(*each, 2, generator=random)
        points = corners.repeat(1, 1, 5) + sides * torch.rand(*each, 10, generator=random)
        every = torch.ones(each, dtype=torch.bool)
        targets = Targets(torch.cat((corners, corners + sides), -1), points, every, every)
        return images.to(self.device), targets.to(self.device)
