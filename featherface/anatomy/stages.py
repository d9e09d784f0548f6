"""The way of a picture through a network, as a diagram shows it: one stage after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from featherface.anatomy.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from featherface.anatomy.facts import Part
    from featherface.variants import DetectorConfig

MIXING = ("cbam-shared", "cbam-cascade")
"""Attention that has weights for all levels."""


def stages(config: DetectorConfig, parts: Mapping[str, Part]) -> list[Stage]:
    """Return the stages that CONFIG turns on, in order; PARTS are its components by name."""
    return [_counted(one, parts) for one in _planned(config)]


def _planned(config: DetectorConfig) -> Iterator[Stage]:
    yield Stage(name="backbone", block=config.backbone, joint=True)
    yield from _attention(config, "attention")
    repeats = config.repeats if config.neck.startswith("bifpn") else 1
    yield Stage(name="neck", block=config.neck, times=repeats, joint=True)
    if config.feature_recycling:
        yield Stage(name="recycling", block="", joint=True, skips=True)
    if config.channel_allocation:
        yield Stage(name="allocation", block="", joint=True)
    yield from _attention(config, "neck_attention")
    yield from _before_context(config)
    if config.context != "none":
        yield Stage(name="context", block=config.context, times=config.context_paths, joint=False)
    if config.context_attention != "none":
        yield Stage(name="context_attention", block=config.context_attention, joint=False)
    if config.shuffle != "none":
        yield Stage(name="shuffle", block=config.shuffle, joint=False)
    yield Stage(name="heads", block=config.head, joint=config.head != "separate")


def _attention(config: DetectorConfig, name: str) -> Iterator[Stage]:
    kind = config.attention
    if kind != "none":
        yield Stage(name=name, block=kind, times=config.attention_passes, joint=kind in MIXING)


def _before_context(config: DetectorConfig) -> Iterator[Stage]:
    if config.scale_fusion:
        yield Stage(name="scale_fusion", block="", joint=True)
    if config.enhancement_passes:
        times = config.enhancement_passes
        yield Stage(name="enhancement", block="", times=times, joint=False)


def _counted(stage: Stage, parts: Mapping[str, Part]) -> Stage:
    part = parts.get(stage.name)
    return replace(stage, parameters=part.parameters, macs=part.macs) if part else stage
