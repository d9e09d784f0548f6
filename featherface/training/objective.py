"""The one number that a step lowers, and the parts that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.devices.uploads import uploaded
from featherface.geometry.priors import levels, priors
from featherface.losses.multibox import multibox
from featherface.training.distillation.distillation_loss import Seen
from featherface.training.optimization.precision import Precision, full

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor, nn

    from featherface.losses.assignment import Targets
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.distillation_loss import Teaching
    from featherface.variants.config import DetectorConfig


class Objective:
    """Ground truth's loss, and a teacher's where there is one."""

    def __init__(
        self,
        detector: DetectorConfig,
        config: TrainConfig,
        device: torch.device,
        teaching: Teaching | None = None,
    ) -> None:
        self.detector = detector
        self.config = config
        self.device = device
        self.precision = Precision(device, config.amp)
        self._kept: dict[int, Tensor] = {}
        self.teaching = teaching

    def __call__(
        self, model: nn.Module, images: Tensor, targets: Targets, names: Sequence[bytes] = ()
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss to lower and, detached, it (`loss`) and each part before its weight.

        NAMES stand for the pixels of IMAGES, where what teachers said of them is remembered.
        """
        config = self.config
        seen = self._seen(model, images)
        side = images.shape[-1]
        losses = multibox(
            seen.output,
            self._priors(side),
            targets,
            variances=self.detector.variances,
            overlap=config.overlap,
            negatives=config.negatives,
            loss=config.loss,
            levels=levels(self.detector, side),
        )
        box, face, landmark = losses
        total = config.box_weight * box + face + config.landmark_weight * landmark
        parts = dict(zip(("box", "face", "landmark"), losses, strict=True))
        if self.teaching is not None:
            total, more = self.teaching(total, images, seen, names)
            parts |= more
        return total, {name: value.detach() for name, value in {"loss": total, **parts}.items()}

    def _priors(self, side: int) -> Tensor:
        """Return the priors of pictures of SIDE pixels, kept on the device from then on."""
        if side not in self._kept:
            near = priors(self.detector, side, side)
            self._kept[side] = uploaded(near, self.device)
        return self._kept[side]

    def _seen(self, model: nn.Module, images: Tensor) -> Seen:
        """Let MODEL look at IMAGES in the training's precision; what it says is in full."""
        with self.precision.computing():
            if self.teaching is None:
                return Seen(full(model(images)), ())
            with self.teaching.watch() as maps:
                return Seen(full(model(images)), maps)
