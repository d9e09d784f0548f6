"""Types of a network summary: plain values that survive a trip through JSON.

Lean: reports and tables read them without PyTorch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from featherface.variants.table import PAPER_COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer."""

    name: str
    """As in the weights' names."""
    component: str
    """As in `Detector.components`."""
    kind: str
    """convolution, depthwise, deformable, linear, norm, or the name of a class of our own."""
    kernel: int = 0
    """Side of the kernel; 0 where there is none."""
    stride: int = 1
    groups: int = 1
    shapes: tuple[tuple[int, ...], ...] = ()
    """What it gives, without the batch: (C,H,W), or (C,) behind a global pooling; once per call."""
    parameters: int
    macs: int
    """Multiply-accumulates of all calls."""


@dataclass(frozen=True, kw_only=True)
class BlockSummary:
    """Some layers that belong together."""

    name: str
    component: str
    shapes: tuple[tuple[int, ...], ...]
    """What it gives: one map, or one per level."""
    layers: int
    parameters: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class ComponentSummary:
    """A component's share of a network."""

    component: str
    parameters: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Bytes of the weights: parameters and the normalisations' running statistics.

    Computed from the number of numbers, not measured on a file; a file adds its names.
    """

    fp32: int
    fp16: int
    int8: int
    """One byte for each number of an ordinary convolution's or linear layer's kernel, and one
    4-byte scale per output channel; everything else as in fp32."""
    quantised: int
    """Numbers that int8 turns into bytes."""
    single: int
    """Numbers that stay in single precision: deformable convolutions whole (their moved taps need
    the precision), biases, normalisations, fusion weights."""


@dataclass(frozen=True, kw_only=True)
class AnchorLevel:
    """The anchors of one level."""

    level: int
    """3 for the map at stride 8, and so on."""
    stride: int
    """Pixels between neighbouring centres."""
    sizes: tuple[float, ...]
    """Square roots of the areas, in pixels."""
    ratios: tuple[float, ...]
    """Height over width; each size comes in each ratio."""
    count: int
    """Anchors at this level in one picture."""


@dataclass(frozen=True, kw_only=True)
class StageSummary:
    """One box of the diagram, or one per level."""

    name: str
    """backbone, laterals, attention, neck, recycling, allocation, neck_attention, scale_fusion,
    enhancement, context, context_attention, shuffle, heads."""
    block: str
    """What the configuration calls it, and what it adds inside."""
    times: int = 1
    """How often it is applied in a row."""
    joint: bool
    """Whether it takes all levels together; else each level has one of its own."""
    parameters: int = 0
    macs: int = 0
    skips: bool = False
    """Whether it takes what entered the neck, too."""


@dataclass(frozen=True, kw_only=True)
class FieldLevel:
    """How many pixels the maps of one level see, as the side of a square."""

    level: int
    stride: int
    backbone_channels: int
    """Of the backbone's map."""
    channels: int
    """Of the map that enters the heads."""
    height: int
    width: int
    """Of the same map, in positions."""
    backbone: int
    """Field of the backbone's map."""
    features: int
    """Of the map that enters the heads."""
    prediction: int
    """Of what the heads say."""
    whole: bool
    """Whether a prediction depends on the whole picture too: a global pooling, linear attention."""
    learnt: bool
    """Whether deformable convolutions can look further than that."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """What a network is made of, for one size of picture."""

    height: int
    width: int
    parameters: int
    standard_counted: int
    """Parameters without deformable kernels and fusion weights: what the paper counts."""
    macs: int
    storage: Storage
    parts: tuple[ComponentSummary, ...]
    blocks: tuple[BlockSummary, ...]
    layers: tuple[Layer, ...]
    fields: tuple[FieldLevel, ...]
    anchors: tuple[AnchorLevel, ...]
    stages: tuple[StageSummary, ...]

    @property
    def paper_counted(self) -> int | None:
        """What a paper counted of this network in its own way; None where none counted it."""
        return self.standard_counted if self.standard_counted in PAPER_COUNTS else None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Anatomy:
        """Read what `to_json` gave, also from a file."""
        kinds: dict[str, Any] = {
            "parts": ComponentSummary,
            "blocks": BlockSummary,
            "layers": Layer,
            "fields": FieldLevel,
            "anchors": AnchorLevel,
            "stages": StageSummary,
        }
        lists = {
            key: tuple(kind(**_frozen(values)) for values in content[key])
            for key, kind in kinds.items()
        }
        return cls(**{**content, **lists, "storage": Storage(**content["storage"])})


def _frozen(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _tuples(value) for key, value in content.items()}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
