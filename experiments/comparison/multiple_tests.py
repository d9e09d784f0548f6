"""Holm's correction of p values for the number of comparisons.

Holm, 1979, A simple sequentially rejective multiple test procedure: valid however the
comparisons depend on each other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """Return the P VALUES corrected for their number, in their order; NaN stays and counts not.

    A difference is established at level a, whatever the others are, where its corrected value
    is at most a.
    """
    order = sorted((value, at) for at, value in enumerate(values) if not math.isnan(value))
    corrected, highest = [math.nan] * len(values), 0.0
    for rank, (value, at) in enumerate(order):
        highest = max(highest, min(1.0, value * (len(order) - rank)))
        corrected[at] = highest
    return corrected
