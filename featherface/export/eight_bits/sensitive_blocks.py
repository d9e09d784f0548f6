"""Which blocks of a network 8 bits spoil, found by measurement."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

LIMIT = 0.06
"""Error (`Quantisable.error`) of the whole file up to which blocks are quantised."""


class Quantisable(Protocol):
    """A network whose layers can be quantised one by one."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers, in their order; those of one block begin with its module."""

    def quantised(self, layers: Collection[str]) -> Any:
        """Return the network with LAYERS in 8 bits."""

    def error(self, graph: Any) -> float:
        """Return how far the answers of what `quantised` gave are from the network's."""


@dataclass(frozen=True)
class Choice:
    """What of a network is quantised, and what is left in single precision."""

    layers: tuple[str, ...]
    """Nodes that compute in 8 bits."""
    blocks: int
    """Blocks that there are."""
    sensitive: Mapping[str, float]
    """Block that is left alone -> the error where it alone is quantised; largest first."""
    error: float
    """Of the whole file."""
    error_of_all: float
    """Of a file in which nothing is left alone."""

    def to_json(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            "quantised_layers": len(self.layers),
            "blocks": self.blocks,
            "sensitive_blocks": dict(self.sensitive),
            "quantisation_error": self.error,
            "quantisation_error_of_all": self.error_of_all,
        }


def choose(calibrated: Quantisable, limit: float = LIMIT) -> Choice:
    """Leave the fewest blocks alone, those with the largest errors, that keep the file in LIMIT."""
    blocks = _blocks(calibrated.layers)
    whole = calibrated.error(calibrated.quantised(calibrated.layers))
    if whole <= limit:
        return Choice(tuple(calibrated.layers), len(blocks), {}, whole, whole)
    alone = {
        name: calibrated.error(calibrated.quantised(layers)) for name, layers in blocks.items()
    }
    ranked = sorted(alone, key=lambda name: -alone[name])
    errors = {0: whole}

    def error_without(count: int) -> float:
        if count not in errors:
            layers = _without(calibrated.layers, ranked[:count])
            errors[count] = calibrated.error(calibrated.quantised(layers))
        return errors[count]

    counts = range(len(ranked) + 1)
    fewest = bisect.bisect_left(counts, -limit, key=lambda count: -error_without(count))
    return Choice(
        layers=_without(calibrated.layers, ranked[:fewest]),
        blocks=len(blocks),
        sensitive={name: alone[name] for name in ranked[:fewest]},
        error=error_without(fewest),
        error_of_all=whole,
    )


def module_of(name: str) -> str:
    """Return the module that the node called NAME is of.

    >>> module_of("backbone.stage1.0.0/Conv")
    'backbone.stage1.0.0'
    """
    return name.rpartition("/")[0]


def block_of(name: str) -> str:
    """Return the module that holds the module of node NAME.

    >>> block_of("backbone.stage1.0.0/Conv")
    'backbone.stage1.0'
    """
    return module_of(name).rpartition(".")[0] or module_of(name)


def _blocks(layers: Sequence[str]) -> dict[str, list[str]]:
    """Gather LAYERS by the module that holds them."""
    blocks: dict[str, list[str]] = {}
    for name in layers:
        blocks.setdefault(block_of(name), []).append(name)
    return blocks


def _without(layers: Sequence[str], blocks: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in layers if block_of(name) not in blocks)
