"""Stages of a network as a diagram shows them, from the picture to the predictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from featherface.model_summary.summary_types import StageSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featherface.model_summary.summary_types import Layer
    from featherface.variants.config import DetectorConfig

MIXING = ("cbam-shared", "cbam-cascade")
"""Attention that has weights for all levels."""
PROJECTED = ("bifpn-light", "bifpn-ultra")
"""Necks whose maps are brought to one width before anything else."""
EXTRAS = {
    "context": {"contextual_sharing": "gate"},
    "heads": {
        "task_fusion": "task fusion",
        "adaptive_priors": "adaptive priors",
        "box_refinement": "refinement",
    },
}
"""Stage -> key of the configuration that adds something inside it -> what that is called."""


def stages(config: DetectorConfig, rows: Sequence[Layer]) -> list[StageSummary]:
    """Return the stages that CONFIG turns on, in order; ROWS are the network's layers."""
    return [_counted(stage, rows) for stage in _planned(config)]


def _planned(config: DetectorConfig) -> Iterator[StageSummary]:
    yield StageSummary(name="backbone", block=config.backbone, joint=True)
    if config.neck in PROJECTED:
        yield StageSummary(name="laterals", block="1×1", joint=False)
    yield from _attention(config, "attention")
    repeats = config.repeats if config.neck.startswith("bifpn") else 1
    yield StageSummary(name="neck", block=config.neck, times=repeats, joint=True)
    if config.feature_recycling:
        yield StageSummary(name="recycling", block="feature_recycling", joint=True, skips=True)
    if config.channel_allocation:
        yield StageSummary(name="allocation", block="channel_allocation", joint=True)
    yield from _attention(config, "neck_attention")
    yield from _before_context(config)
    if config.context != "none":
        block, times = _with_extras(config, "context", config.context), config.context_paths
        yield StageSummary(name="context", block=block, times=times, joint=False)
    if config.context_attention != "none":
        yield StageSummary(name="context_attention", block=config.context_attention, joint=False)
    if config.shuffle != "none":
        yield StageSummary(name="shuffle", block=config.shuffle, joint=False)
    block = _with_extras(config, "heads", config.head)
    yield StageSummary(name="heads", block=block, joint=config.head != "separate")


def _attention(config: DetectorConfig, name: str) -> Iterator[StageSummary]:
    kind = config.attention
    if kind != "none":
        yield StageSummary(
            name=name, block=kind, times=config.attention_passes, joint=kind in MIXING
        )


def _before_context(config: DetectorConfig) -> Iterator[StageSummary]:
    if config.scale_fusion:
        yield StageSummary(name="scale_fusion", block="scale_fusion", joint=True)
    if config.enhancement_passes:
        times = config.enhancement_passes
        yield StageSummary(name="enhancement", block="x + 0.1 tanh(x)", times=times, joint=False)


def _with_extras(config: DetectorConfig, name: str, block: str) -> str:
    return " + ".join(
        (block, *(what for key, what in EXTRAS[name].items() if getattr(config, key)))
    )


def _counted(stage: StageSummary, rows: Sequence[Layer]) -> StageSummary:
    own = [row for row in rows if row.name.split(".", 1)[0] == stage.name]
    return replace(
        stage,
        parameters=sum(row.parameters for row in own),
        macs=sum(row.macs for row in own),
    )
