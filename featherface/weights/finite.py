"""Weights that are numbers at all: an infinite or undefined one makes a network find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

HALF = 65_504
"""The largest number of half precision."""


def check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights in which a tensor holds infinity or no number.

    Raises:
        WeightsError: the first such tensor is named, with what mends it.
    """
    spoilt = [name for name, value in state.items() if not _is_finite(value)]
    if not spoilt:
        return
    name, value = spoilt[0], state[spoilt[0]]
    count = int((~torch.isfinite(value)).sum())
    more = f" (and {len(spoilt) - 1:,} more tensors do)" if len(spoilt) > 1 else ""
    raise WeightsError(
        f"{path}: {name} holds {count:,} of {value.numel():,} values that are infinite or no"
        f" number{more}",
        _remedy(value),
    )


def _is_finite(value: Tensor) -> bool:
    return not value.is_floating_point() or bool(torch.isfinite(value).all())


def _remedy(value: Tensor) -> str:
    if value.dtype == torch.float16 and not torch.isnan(value).any():
        return (
            f"half precision ends at {HALF:,}, which a running variance easily passes: save the"
            " weights again in single precision, with model.float() before model.state_dict()"
        )
    return "the training diverged: take an earlier checkpoint, or train again with a lower train.lr"
