"""Silence for what PyTorch's exporters say whatever is exported."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN = ".*LeafSpec.*is deprecated"
"""A warning of PyTorch that it deprecates a class of its own, which it copies itself."""


@contextlib.contextmanager
def quiet(warning: str = KNOWN) -> Iterator[None]:
    """Silence within the block what is printed, and warnings that WARNING, a pattern, fits.

    Of each operator of torchvision the exporter tells that torchvision is absent; none is needed.
    """
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", warning)
        registration.setLevel(logging.ERROR)
        try:
            yield
        finally:
            registration.setLevel(level)
