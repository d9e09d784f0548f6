"""The network in deployed form: evaluation mode, float32, on the CPU."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch.nn.parallel import DistributedDataParallel

from featherface.devices.precision import undressed

if TYPE_CHECKING:
    from torch import nn

    from featherface.networks.detector import Detector


def deployed(model: Detector | DistributedDataParallel) -> Detector:
    """Return a copy of MODEL on the CPU, in single precision and in evaluation mode.

    What a training wrapped around it stays behind: another process's share, and the forward pass
    of mixed precision, which would call the network that was copied and not the copy.
    """
    inner: nn.Module = model.module if isinstance(model, DistributedDataParallel) else model
    with undressed(inner):
        bare: Detector = copy.deepcopy(inner)  # type: ignore[assignment]
    vars(bare).pop("_original_forward", None)
    return bare.cpu().float().eval()
