"""Layers of a network in the order of their names, and the blocks they make up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from featherface.model_summary.summary_types import BlockSummary, ComponentSummary, Layer
from featherface.networks.layers.deformable import DeformableConv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from featherface.model_summary.trace import ModuleTrace
    from featherface.networks.detector import Detector

PASSIVE = (nn.Identity, nn.ReLU, nn.LeakyReLU)
"""Layers that are no row of a table: they hold nothing and multiply nothing."""
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
MERGED = {"laterals": "neck"}
"""Parts of the detector that tables count to another one, as `Detector.components` does."""


@dataclass
class _Sum:
    parameters: int = 0
    macs: int = 0
    rows: list[Layer] = field(default_factory=list)


def layers(model: Detector, seen: Mapping[str, ModuleTrace]) -> list[Layer]:
    """Return the layers of MODEL; SEEN is what `trace.walk` found."""
    return [
        _layer(name, module, seen.get(name))
        for name, module in _leaves(model)
        if not isinstance(module, PASSIVE) and (name in seen or any(module.parameters()))
    ]


def parts(rows: Iterable[Layer]) -> list[ComponentSummary]:
    """Return what each component holds, in the order of ROWS; those that hold nothing are out."""
    rows = list(rows)
    sums = {row.component: _Sum() for row in rows if row.name.startswith(row.component)}
    for row in rows:
        _add(sums[row.component], row)
    return [
        ComponentSummary(component=name, parameters=component.parameters, macs=component.macs)
        for name, component in sums.items()
        if component.parameters or component.macs
    ]


def blocks(rows: Iterable[Layer], seen: Mapping[str, ModuleTrace]) -> list[BlockSummary]:
    """Join ROWS to blocks, such as `backbone.stage1` and `neck.layers.0`."""
    sums: dict[str, _Sum] = {}
    for row in rows:
        _add(sums.setdefault(_block_of(row.name), _Sum()), row)
    return [
        BlockSummary(
            name=name,
            component=block.rows[-1].component,
            shapes=_given(name, block.rows, seen),
            layers=len(block.rows),
            parameters=block.parameters,
            macs=block.macs,
        )
        for name, block in sums.items()
    ]


def _leaves(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules without members; a deformable convolution counts as one."""
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if inside and name.startswith(inside):
            continue
        whole = isinstance(module, DeformableConv)
        inside = (f"{name}.",) if whole else inside
        if whole or not any(module.children()):
            empty = isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)
            if name and not empty:
                yield name, module


def _layer(name: str, module: nn.Module, seen: ModuleTrace | None) -> Layer:
    first = name.split(".", 1)[0]
    return Layer(
        name=name,
        component=MERGED.get(first, first),
        shapes=tuple(seen.shapes) if seen else (),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        macs=seen.macs if seen else 0,
        **_kind(module),
    )


def _kind(module: nn.Module) -> dict[str, Any]:
    if isinstance(module, DeformableConv):
        return {"kind": "deformable", "kernel": module.kernel.kernel_size[0]}
    if isinstance(module, CONVOLUTIONS):
        alone = 1 < module.groups == module.in_channels
        return {
            "kind": "depthwise" if alone else "convolution",
            "kernel": module.kernel_size[0],
            "stride": module.stride[0],
            "groups": 1 if alone else module.groups,
        }
    if isinstance(module, nn.Linear):
        return {"kind": "linear"}
    return {"kind": "norm" if isinstance(module, NORMS) else type(module).__name__}


def _add(total: _Sum, row: Layer) -> None:
    total.parameters += row.parameters
    total.macs += row.macs
    total.rows.append(row)


def _block_of(name: str) -> str:
    """Name the block of a layer; what each level has of its own makes one block."""
    first, *rest = name.split(".")
    if len(rest) > 2 and rest[0] == "layers":
        return ".".join((first, *rest[:2]))
    levels = bool(rest) and rest[0].isdigit() and first != "reuse"
    return first if levels else ".".join((first, *rest[:1]))


def _given(
    name: str, rows: Sequence[Layer], seen: Mapping[str, ModuleTrace]
) -> tuple[tuple[int, ...], ...]:
    """Return the maps of a block, each once; of one never called itself, as wide as its last."""
    if name in seen:
        own = [shape for shape in seen[name].shapes if len(shape) == 3]
        if own:
            return tuple(dict.fromkeys(own))
    given = [shape for row in rows for shape in row.shapes]
    wide = rows[-1].shapes[-1][0] if rows[-1].shapes else 0
    return tuple(dict.fromkeys(shape for shape in given if shape[0] == wide))
