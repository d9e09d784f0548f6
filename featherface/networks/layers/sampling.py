"""Bilinear sampling of a table at moved taps, summed tap by tap, with its gradient.

The table has a row for each tap of each cell of a framed picture: one cell of zeros before and
two after, in height and width, which take every neighbour outside. A sample is the mean of four
of its rows, weighted by nearness; each output adds up the samples of its taps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from featherface.networks.layers.row_sums import sum_gradients, sum_rows

TAPS = 9
"""Positions of the 3x3 kernel."""
FRAME = 3
"""Cells that the frame adds to height and width."""


@dataclass(frozen=True)
class Extent:
    """Pictures in a batch, and their height and width in pixels."""

    batch: int
    height: int
    width: int


def sample_taps(table: Tensor, shift: Tensor, mask: Tensor, extent: Extent) -> Tensor:
    """Return for each of the P = BHW pixels the sum of its nine samples.

    Args:
        table: (B(H+3)(W+3)9,O).
        shift: (2,P,9) pixels in y, then in x, from where each tap stands in a kernel at rest.
        mask: (P,9) factor of each tap.
        extent: B, H and W.

    Returns:
        (P,O).
    """
    if torch.is_grad_enabled():
        result: Tensor = _BilinearSampling.apply(table, shift, mask, extent)  # type: ignore[no-untyped-call]
        return result
    rows, shares, _ = _neighbours(shift, mask, extent)
    return sum_rows(table, rows, shares)


class _BilinearSampling(torch.autograd.Function):
    """By hand: a third of the memory that the steps would keep one by one."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, shift: Tensor, mask: Tensor, extent: Extent) -> Tensor:
        rows, shares, fraction = _neighbours(shift, mask, extent)
        ctx.save_for_backward(table, shift, mask, rows, shares, fraction)
        ctx.extent = extent
        return sum_rows(table, rows, shares)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        table, shift, mask, rows, shares, (fraction_y, fraction_x) = ctx.saved_tensors
        for_table, dots = sum_gradients(gradient, table, rows, shares)
        corner = dots.view(-1, 4, TAPS).transpose(0, 1).contiguous()  # (4,P,9)
        across = corner[1::2] - corner[::2]  # (2,P,9): above, below
        above, below = torch.addcmul(corner[::2], fraction_x, across)  # (P,9) each
        down = below - above
        for_shift = torch.stack((down, torch.lerp(across[0], across[1], fraction_y)))
        for_shift *= mask * _inside(shift, ctx.extent)
        return for_table, for_shift, torch.addcmul(above, fraction_y, down), None


def _neighbours(shift: Tensor, mask: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor]:
    """Return the table's rows next to each tap, their shares, and the fractions of y and x.

    Returns:
        rows (P,36) whole numbers and shares (P,36): above left, above right, below left and
        below right of the nine taps; fractions (2,P,9).
    """
    position = _positions(shift, extent)
    _keep_inside(position, extent)
    whole = position.int()  # never negative: cuts the fraction off
    fraction = position.frac_().view(shift.shape)
    across, down = TAPS, TAPS * (extent.width + FRAME)
    first = torch.add(_first_rows(shift, extent), whole[1], alpha=across)
    first = first.add_(whole[0], alpha=down).view(-1, TAPS)
    rows = torch.cat((first, first + across, first + down, first + (down + across)), 1)
    below = mask * fraction[0]
    above = mask - below
    right, below_right = above * fraction[1], below * fraction[1]
    shares = torch.cat((above - right, right, below - below_right, below_right), 1)
    return rows, shares, fraction


def _positions(shift: Tensor, extent: Extent) -> Tensor:
    """Return y and x (2,B,HW,9) of the moved taps in the frame."""
    at_rest, _ = _resting(extent, shift)
    return shift.view(2, extent.batch, -1, TAPS) + at_rest


def _keep_inside(position: Tensor, extent: Extent) -> None:
    """Move POSITION (2,B,HW,9) to the frame's edge where it lies outside."""
    position[0].clamp_(0.0, extent.height + 1.0)
    position[1].clamp_(0.0, extent.width + 1.0)


def _inside(shift: Tensor, extent: Extent) -> Tensor:
    """Return which taps (2,P,9) lie in the frame: the others' gradient is zero."""
    position = _positions(shift, extent)
    kept = position.clone()
    _keep_inside(kept, extent)
    return (position == kept).view(shift.shape)


def _first_rows(shift: Tensor, extent: Extent) -> Tensor:
    """Return the row (B or 1,HW,9) of each tap at the frame's first cell of each picture."""
    _, taps = _resting(extent, shift)
    if extent.batch == 1:
        return taps
    cells = (extent.height + FRAME) * (extent.width + FRAME)
    pictures = torch.arange(extent.batch, dtype=taps.dtype, device=taps.device)
    return taps + (pictures * (cells * TAPS))[:, None, None]


def _resting(extent: Extent, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return y and x (2,1,HW,9) of taps that don't move, and the taps' numbers (1,HW,9)."""
    # A tracer's tensors must not outlive the trace.
    grid = _grid if type(like) is Tensor else _grid.__wrapped__
    return grid(extent.height, extent.width, like.dtype, like.device)


@functools.lru_cache(maxsize=12)
def _grid(
    height: int, width: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(mode=False):
        y, x = (torch.arange(size, dtype=dtype, device=device) for size in (height, width))
        kernel = torch.arange(3, dtype=dtype, device=device)
        shape = (height, width, 3, 3)
        grids = ((y[:, None] + kernel)[:, None, :, None], (x[:, None] + kernel)[:, None, :])
        at_rest = torch.stack([grid.expand(shape).reshape(1, -1, TAPS) for grid in grids])
        taps = torch.arange(TAPS, dtype=torch.int32, device=device)
        return at_rest, taps.repeat(height * width, 1)[None]
