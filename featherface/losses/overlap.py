"""IoU losses (DIoU, CIoU, EIoU): on boxes themselves instead of their deltas.

DIoU and CIoU: Zheng et al., 2019, https://arxiv.org/abs/1911.08287; EIoU: Zhang et al., 2021,
https://arxiv.org/abs/2101.08158 (without its focal weight: `hard_weight` does that here).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-7


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU (...) of the boxes FIRST (..., 4) with those of SECOND (..., 4), corners."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    common = (high - low).clamp_min(0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return common / (areas[0] + areas[1] - common + TINY**2)


def diou(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Return (...) 1 - IoU + squared distance of centres / squared diagonal of the hull.

    PREDICTED and WANTED (..., 4) are corners in any one unit; so for the other losses here.
    """
    return 1 - paired_iou(predicted, wanted) + _apart(predicted, wanted)


def ciou(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Return (...) DIoU + how much the aspect ratios differ, which counts more the better the IoU.

    As published, nothing flows back through that weight.
    """
    overlap = paired_iou(predicted, wanted)
    ratios = [torch.atan2(*_size(boxes).unbind(-1)) for boxes in (predicted, wanted)]
    differ = 4 / math.pi**2 * (ratios[0] - ratios[1]) ** 2
    weight = (differ / (1 - overlap + differ + TINY)).detach()
    return 1 - overlap + _apart(predicted, wanted) + weight * differ


def eiou(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Return (...) DIoU + squared differences of width and height / those of the hull, squared."""
    hull = _hull(predicted, wanted).clamp_min(TINY)
    sides = ((_size(predicted) - _size(wanted)) / hull).square().sum(-1)
    return diou(predicted, wanted) + sides


def _apart(first: Tensor, second: Tensor) -> Tensor:
    centres = [(boxes[..., :2] + boxes[..., 2:]) / 2 for boxes in (first, second)]
    distance = (centres[0] - centres[1]).square().sum(-1)
    return distance / (_hull(first, second).square().sum(-1) + TINY**2)


def _hull(first: Tensor, second: Tensor) -> Tensor:
    """Return width and height (..., 2) of the smallest box around both."""
    low = torch.minimum(first[..., :2], second[..., :2])
    return torch.maximum(first[..., 2:], second[..., 2:]) - low


def _size(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(TINY)
