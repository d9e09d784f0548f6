"""What every engine does: pictures in, probabilities and deltas of the priors out."""

from __future__ import annotations

import abc
import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch

from featherface.devices.precision import FULL
from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.variants.config import DetectorConfig


class Answer(NamedTuple):
    """What a network says about each prior, before decoding."""

    boxes: Tensor
    """(B,N,4) deltas of centre and log size, divided by the variances."""
    scores: Tensor
    """(B,N) probabilities of a face."""
    landmarks: Tensor
    """(B,N,10) deltas of five points, x before y."""


class Engine(abc.ABC):
    """A network that is ready to look at pictures, whatever computes it."""

    name: str
    """Key of `featherface.engines.table.ENGINES`."""
    variant: str = ""
    """Name of the network's variant, where its file tells it."""

    def __init__(self, config: DetectorConfig, device: torch.device) -> None:
        self.config = config
        """Settings of the network: priors, variances, how pixels are given."""
        self.device = device
        """Where its tensors are taken and given."""

    @abc.abstractmethod
    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W), float32 on `device`, as `network_input` makes them."""

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Hash (SHA-256) what is computed: shape and weights, or the file."""

    @property
    def computes_on(self) -> torch.device:
        """What does the work, which may be a card though tensors come and go on the CPU."""
        return self.device

    @property
    def stored_in(self) -> str:
        """In which precision the network was written: fp32, fp16 or int8."""
        return FULL

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width in pixels that it computes at; None for any.

        A smaller picture is filled up by the engine, which answers for its own priors alone; a
        larger one is refused.
        """
        return None

    def side_by_side(self) -> tuple[Engine, int]:
        """Return an engine for many pictures, and how many threads may call it at once.

        With more than one, each call computes on one thread: where several pictures are at hand,
        that leaves no thread waiting for another.
        """
        return self, 1

    @contextlib.contextmanager
    def ready(self, precision: str = FULL) -> Iterator[None]:
        """Let it compute in PRECISION inside the block, without gradients.

        Raises:
            UsageError: it can't.
        """
        if precision != FULL:
            raise UsageError(
                f"precision {precision}: {self.name} computes a file as it was written",
                f"export it in that precision, or leave precision at {FULL}",
            )
        with torch.no_grad():
            yield
