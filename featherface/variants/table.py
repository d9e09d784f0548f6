"""The table of model variants: every network of the thesis is one entry here.

Lean on purpose, as `featherface.variants.config`, whose fields an entry fills in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from featherface.errors import UsageError, unknown
from featherface.variants.config import CHOICES, DetectorConfig
from featherface.variants.idle_keys import check_set

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHOICES", "VARIANTS", "DetectorConfig", "Variant", "variant"]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One named network."""

    config: DetectorConfig
    summary: str
    """One line for tables."""
    paper_counted: int | None = None
    """What the paper's counter reports, where it differs from the true count."""
    source: str = ""
    """Where the design comes from."""
    switches: Mapping[str, Any] = field(default_factory=dict)
    """Its innovations: a key of the configuration, and the value that turns it off alone."""


def variant(name: str, **overrides: Any) -> DetectorConfig:
    """Return the configuration called NAME, with some fields replaced.

    Raises:
        UsageError: no such variant, no such field, an illegal value, or one that nothing reads.
    """
    if name not in VARIANTS:
        raise UsageError(unknown("variant", name, VARIANTS), "thesis model list")
    known = [field.name for field in fields(DetectorConfig)]
    for key in overrides:
        if key not in known:
            raise UsageError(unknown("model key", key, known), f"thesis model show {name}")
    config = replace(VARIANTS[name].config, **overrides)
    check_set(config, VARIANTS[name].config, overrides)
    return config


_FEATHERFACE = "FeatherFace (Kim, Jung and Kim, 2025), https://doi.org/10.3390/electronics14030517"

VARIANTS: dict[str, Variant] = {
    "v1-official": Variant(
        config=DetectorConfig(attention="cbam-residual", shuffle="block", norm_momentum=0.01),
        summary="FeatherFace as its authors published it",
        paper_counted=488_661,
        source=_FEATHERFACE,
    ),
    "v1": Variant(
        config=DetectorConfig(channels=52, attention="cbam", shuffle="permute"),
        summary="the thesis's baseline: FeatherFace with 52 channels, plain CBAM, bare shuffle",
        source=_FEATHERFACE,
    ),
    "v1-489k": Variant(
        config=DetectorConfig(channels=56, repeats=2, shuffle="permute"),
        summary="the thesis author's first network: 56 channels, BiFPN x2, no attention",
        source="this thesis, earlier work",
    ),
    "eca-cbam": Variant(
        config=DetectorConfig(channels=52, attention="eca-cbam", shuffle="permute"),
        summary="v1 with ECA in place of CBAM's channel gate",
        source="this thesis, earlier work",
    ),
    "eca-cbam-parallel": Variant(
        config=DetectorConfig(channels=52, attention="eca-cbam-parallel", shuffle="permute"),
        summary="eca-cbam with both gates looking at the input",
        source="this thesis, earlier work",
    ),
    "v2-coordatt": Variant(
        config=DetectorConfig(
            channels=56, repeats=2, shuffle="permute", context_attention="coordinate"
        ),
        summary="v1-489k with coordinate attention after the context module",
        source="this thesis, earlier work",
    ),
    "v2": Variant(
        config=DetectorConfig(
            channels=32,
            neck="bifpn-light",
            repeats=2,
            attention="cbam-shared",
            context="ssh-grouped",
            shuffle="permute",
            head="shared",
        ),
        summary="the thesis's student: 32 channels, shared gates, grouped context, one head",
        source="this thesis",
    ),
    "v2-ultra": Variant(
        config=DetectorConfig(
            channels=28,
            neck="bifpn-light",
            repeats=2,
            attention="cbam-shared",
            reduction=64,
            attention_kernel=5,
            attention_passes=3,
            feature_recycling=True,
            scale_fusion=True,
            enhancement_passes=3,
            context="ssh-grouped",
            context_groups=8,
            contextual_sharing=True,
            shuffle="permute",
            head="shared-normed",
        ),
        summary="the thesis's ultra-light student: v2 with 28 channels that reuses what it has",
        source="this thesis",
        switches={
            "attention_passes": 1,
            "feature_recycling": False,
            "scale_fusion": False,
            "enhancement_passes": 0,
            "contextual_sharing": False,
        },
    ),
    "v2-plus": Variant(
        config=DetectorConfig(
            channels=48,
            neck="bifpn-ultra",
            repeats=3,
            attention="cbam-cascade",
            channel_allocation=True,
            context="ssh",
            context_paths=2,
            head="smart",
            task_fusion=True,
            box_refinement=True,
            adaptive_priors=True,
        ),
        summary="the thesis's plan in full: adaptive neck, cascades, tasks that help each other",
        source="this thesis",
        switches={
            "neck": "bifpn-light",
            "attention": "cbam-shared",
            "channel_allocation": False,
            "context_paths": 1,
            "task_fusion": False,
            "box_refinement": False,
            "adaptive_priors": False,
        },
    ),
    "v2-vit": Variant(
        config=DetectorConfig(
            backbone="ultra-vit",
            neck="pyramid-attention",
            repeats=1,
            context="none",
            context_attention="dynamic-channel",
            reduction=1,
            head="shared-detection",
            # Nine sizes, each 1.6 times the one before, in the three middle shapes of faces.
            prior_sizes=((10, 16, 26), (42, 67, 108), (173, 278, 447)),
            prior_ratios=(1.0, 1.25, 1.5),
        ),
        summary="the thesis's transformer: linear attention in backbone and neck, nine anchors",
        source="this thesis",
        switches={"context_attention": "none"},
    ),
    "v3-nano": Variant(
        config=DetectorConfig(
            backbone="nano",
            neck="top-down",
            repeats=1,
            context="cascade",
            head="decoupled",
        ),
        summary="our own: YuNet's units and width, EResFD's stem and context, V1's priors",
        source="this thesis, after YuNet (2023) and EResFD (2024)",
    ),
    "retinaface-mnet025": Variant(
        config=DetectorConfig(neck="fpn", repeats=1, context="ssh"),
        summary="the peer: RetinaFace with MobileNet x0.25",
        source="RetinaFace (Deng et al., 2020), https://arxiv.org/abs/1905.00641, as"
        " https://github.com/biubug6/Pytorch_Retinaface builds it",
    ),
    "retinaface-1mb": Variant(
        config=DetectorConfig(
            neck="fpn",
            repeats=1,
            context="ssh",
            leak=0.0,
            prior_sizes=((10, 20), (32, 64), (128, 256)),
        ),
        summary="the peer's other training: its tensors, smaller priors and plain ReLU",
        source="https://github.com/biubug6/Face-Detector-1MB-with-landmark",
    ),
}
"""Every variant by name."""
PAPER_COUNTS = frozenset(
    entry.paper_counted for entry in VARIANTS.values() if entry.paper_counted is not None
)
"""What papers counted of their networks in their own way: no other count is one of a paper."""
