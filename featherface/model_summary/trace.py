"""Tracing one forward pass: output shapes, operations and receptive field of every module.

The walk is done on two small pictures. Every side of every map is a constant or grows in
proportion to the picture, so two pictures tell it for all sizes in multiples of 32.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from featherface.model_summary.receptive_field import FieldOfViewMode
from featherface.profiling.counting import COUNTED, layer_macs

if TYPE_CHECKING:
    from collections.abc import Callable

    from featherface.model_summary.receptive_field import FieldOfView
    from featherface.networks.detector import Detector

    Shape = tuple[int, ...]

SMALL = ((64, 96), (128, 160))
"""Heights and widths of the two pictures."""
UNIT = 32
"""Sides that are multiples of this divide evenly at every level."""


@dataclass
class ModuleTrace:
    """What one module gave during the walk."""

    shapes: list[Shape] = field(default_factory=list)
    """Of every map, without the batch: (C,H,W), or (C,) behind a global pooling."""
    spans: list[FieldOfView | None] = field(default_factory=list)
    """How far each of them sees."""
    macs: int = 0
    """Multiply-accumulates of all calls."""


def walk(model: Detector, height: int, width: int) -> dict[str, ModuleTrace]:
    """Return module name -> what it gives for one picture of HEIGHT x WIDTH pixels.

    MODEL is in evaluation mode. Modules that are never called are left out.
    """
    if height % UNIT or width % UNIT:
        return _walk(model, height, width)
    first = _walk(model, *SMALL[0])
    second = _walk(model, *SMALL[1], follow=False)
    return {name: _grown(seen, second[name], (height, width)) for name, seen in first.items()}


def _walk(
    model: Detector, height: int, width: int, *, follow: bool = True
) -> dict[str, ModuleTrace]:
    """Walk once; FOLLOW tells how far maps see, too, and takes its time."""
    traces: dict[str, ModuleTrace] = {}
    mode = FieldOfViewMode()
    handles = [
        module.register_forward_hook(_noting(name, traces, mode))
        for name, module in model.named_modules()
    ]
    handles += mode.watch(model) if follow else []
    try:
        with torch.no_grad(), mode if follow else contextlib.nullcontext():
            picture = torch.zeros(1, 3, height, width)
            mode.begin(picture)
            model(picture)
    finally:
        for handle in handles:
            handle.remove()
    return traces


def _noting(
    name: str, traces: dict[str, ModuleTrace], mode: FieldOfViewMode
) -> Callable[..., None]:
    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        seen = traces.setdefault(name, ModuleTrace())
        for tensor in tensors(output):
            seen.shapes.append(tuple(tensor.shape[1:]))
            seen.spans.append(mode.span(tensor))
            if isinstance(module, COUNTED):
                seen.macs += layer_macs(module, tensor)

    return note


def tensors(value: Any) -> list[Tensor]:
    """Return the tensors in VALUE, a tensor or nested lists, tuples and dicts of some."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def _grown(small: ModuleTrace, large: ModuleTrace, size: tuple[int, int]) -> ModuleTrace:
    """Tell from what two pictures gave what one of SIZE gives."""
    shapes = [_shape(*pair, size) for pair in zip(small.shapes, large.shapes, strict=True)]
    before = sum(map(positions, small.shapes))
    macs = small.macs * sum(map(positions, shapes)) // before if small.macs else 0
    return ModuleTrace(shapes, small.spans, macs)


def _shape(small: Shape, large: Shape, size: tuple[int, int]) -> Shape:
    if len(small) != 3:
        return small
    sides = (
        low + (high - low) * (wanted - start) // (stop - start)
        for low, high, wanted, start, stop in zip(small[1:], large[1:], size, *SMALL, strict=True)
    )
    return (small[0], *sides)


def positions(shape: Shape) -> int:
    """Return how many positions a map of SHAPE has."""
    return shape[1] * shape[2] if len(shape) == 3 else 1
