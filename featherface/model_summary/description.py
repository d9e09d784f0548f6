"""The whole summary of a network, as plain values that survive a trip through JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import UsageError
from featherface.model_summary.anchors import FINEST, anchor_levels
from featherface.model_summary.layers import blocks, layers, parts
from featherface.model_summary.stages import stages
from featherface.model_summary.storage import storage
from featherface.model_summary.summary_types import Anatomy, FieldLevel
from featherface.model_summary.trace import UNIT, walk
from featherface.networks.detector import build
from featherface.profiling.counting import paper_counted, parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featherface.model_summary.trace import ModuleTrace
    from featherface.variants.config import DetectorConfig


def describe(config: DetectorConfig, height: int = 640, width: int = 640) -> Anatomy:
    """Take the network of CONFIG apart, for pictures of HEIGHT x WIDTH pixels.

    Raises:
        UsageError: a side is not a positive multiple of 32.
    """
    for side in (height, width):
        if side < UNIT or side % UNIT:
            nearest = max(1, round(side / UNIT)) * UNIT
            raise UsageError(f"{side} pixels is no multiple of {UNIT}", f"try {nearest}")
    model = build(config, seed=0).eval()
    seen = walk(model, height, width)
    rows = layers(model, seen)
    return Anatomy(
        height=height,
        width=width,
        parameters=parameters(model),
        standard_counted=paper_counted(model),
        macs=sum(row.macs for row in rows),
        storage=storage(model),
        parts=tuple(parts(rows)),
        blocks=tuple(blocks(rows, seen)),
        layers=tuple(rows),
        fields=tuple(_fields(config, seen)),
        anchors=tuple(anchor_levels(config, height, width)),
        stages=tuple(stages(config, rows)),
    )


def _fields(config: DetectorConfig, seen: Mapping[str, ModuleTrace]) -> list[FieldLevel]:
    backbone, entering = seen["backbone"], seen["shuffle"]
    levels = []
    for place, (shape, span) in enumerate(zip(entering.shapes, entering.spans, strict=True)):
        own = backbone.spans[place]
        if span is None or own is None:
            raise AssertionError  # every map depends on the picture
        said = [
            answer
            for name, component in seen.items()
            if name.startswith("heads.")
            for answered, answer in zip(component.shapes, component.spans, strict=True)
            if answer is not None and answer.local and answered[1:] == shape[1:]
        ]
        levels.append(
            FieldLevel(
                level=FINEST + place,
                stride=config.prior_steps[place],
                backbone_channels=backbone.shapes[place][0],
                channels=shape[0],
                height=shape[1],
                width=shape[2],
                backbone=own.size,
                features=span.size,
                prediction=max(span.size for span in said),
                whole=any(span.whole for span in said),
                learnt="deformable" in config.context,
            )
        )
    return levels
