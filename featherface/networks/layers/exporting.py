"""Whether operations are kept in one piece, for an exporter that has its own operators for them."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT: ContextVar[bool] = ContextVar("own_operators", default=False)


@contextlib.contextmanager
def own_operators() -> Iterator[None]:
    """Trace the operators `featherface::…` in the block, not the many operations inside them.

    The exporter needs a translation of each; see `featherface.export.onnx_file`. Without this a
    network is traced as plain operations of PyTorch, which every exporter knows.
    """
    token = _KEPT.set(True)
    try:
        yield
    finally:
        _KEPT.reset(token)


def keeps_own_operators() -> bool:
    """Whether the network is being traced inside `own_operators`."""
    return torch.compiler.is_exporting() and _KEPT.get()
