"""Choice of cuDNN's kernels: deterministic ones, or those that its benchmark finds fastest."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from torch.backends import cudnn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def kernels(*, repeatable: bool) -> Iterator[None]:
    """Use REPEATABLE kernels within the block, or time them all for each new shape.

    A training keeps its shapes; elsewhere, where each picture has its own, the search would cost
    more than it saves, so what held before holds again afterwards.
    """
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = repeatable, not repeatable
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
