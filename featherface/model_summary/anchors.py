"""The anchors (priors) of a configuration, level by level, without computing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.model_summary.summary_types import AnchorLevel

if TYPE_CHECKING:
    from featherface.variants.config import DetectorConfig

FINEST = 3
"""The pyramid level of the finest map: stride 2^3."""


def anchor_levels(config: DetectorConfig, height: int, width: int) -> list[AnchorLevel]:
    """Return the anchors of each level for a picture of HEIGHT x WIDTH pixels."""
    return [
        AnchorLevel(
            level=FINEST + place,
            stride=step,
            sizes=sizes,
            ratios=config.prior_ratios,
            count=-(-height // step) * -(-width // step) * len(sizes) * len(config.prior_ratios),
        )
        for place, (sizes, step) in enumerate(
            zip(config.prior_sizes, config.prior_steps, strict=True)
        )
    ]
