"""All-reduce over the processes of one training: sums, means and batch-norm statistics.

So that two processes learn what one would from the doubled batch: counts to divide by, means and
batch norms are those of all parts. Alone, nothing here changes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn

from featherface.devices.dtypes import wide, widened

if TYPE_CHECKING:
    from torch import Tensor


def together() -> int:
    """Return how many processes train together."""
    here = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if here else 1


def averaged(value: Tensor) -> Tensor:
    """Return the mean of VALUE over the processes; gradients flow back to all of them."""
    count = together()
    if count == 1:
        return value
    total: Tensor = _Total.apply(value)  # type: ignore[no-untyped-call]
    return total / count


class _Total(torch.autograd.Function):
    """The sum over the processes, whose gradient is the sum of all their gradients."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return _Total.forward(_context, gradient)


def divisor(count: int | Tensor, like: Tensor) -> float | Tensor:
    """Return what a sum over COUNT things is divided by for their mean, at least 1.

    Together each process divides by the mean count, since the mean of their gradients is taken.
    LIKE is a tensor on the device that the processes talk through.
    """
    processes = together()
    if processes == 1:
        return max(count, 1) if isinstance(count, int) else count.clamp_min(1)
    known = torch.as_tensor(count, device=like.device).detach().to(wide(like.dtype))
    return averaged(known).clamp_min(1 / processes)


def overall(parts: dict[str, Tensor]) -> dict[str, float]:
    """Return the means of PARTS, scalars, over the processes, as plain numbers."""
    values = averaged(torch.stack([widened(part.detach()) for part in parts.values()]))
    return dict(zip(parts, values.tolist(), strict=True))


def anyone(wants: bool, device: torch.device) -> bool:
    """Whether one of the processes WANTS it: what they do, they must do alike."""
    if together() == 1:
        return wants
    return averaged(torch.tensor(float(wants), device=device)).item() > 0


def share_norms(model: nn.Module) -> None:
    """Let the batch norms of MODEL, on its device, use the statistics of all processes' parts."""
    if next(model.parameters()).device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        return
    for part in model.modules():
        if type(part) is nn.BatchNorm2d:
            part.__class__ = SharedNorm


class SharedNorm(nn.BatchNorm2d):
    """Batch norm over all processes' parts, which PyTorch has for GPUs only.

    Statistics are in single precision, or in the wider one of what comes in.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalise IMAGES (B,C,H,W)."""
        if not self.training:
            return super().forward(images)
        mean = averaged(widened(images).mean((0, 2, 3), keepdim=True))  # (1, C, 1, 1)
        centred = images - mean
        variance = averaged(centred.square().mean((0, 2, 3), keepdim=True))
        self._follow(mean.detach().flatten(), variance.detach().flatten(), images)
        normed = centred * (variance + self.eps).rsqrt()
        if self.affine:
            normed = normed * self.weight[:, None, None] + self.bias[:, None, None]
        return normed.to(images.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, images: Tensor) -> None:
        """Move the running statistics towards these."""
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        count = together() * images.numel() // len(mean)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / max(count - 1, 1), self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
