"""The detector: a chain of stages, each chosen by name from one table."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from featherface.networks import allocation
from featherface.networks.attention import cbam, channel_attention, coordinate, eca
from featherface.networks.backbones import mobilenet, nano, ultra_vit
from featherface.networks.heads import cascade, linear, smart_head, ssh, towers
from featherface.networks.layers import dropblock, shuffle
from featherface.networks.layers.convolution import PerLevel
from featherface.networks.necks import bifpn, bifpn_ultra, fpn, multipath, pyramid_attention, reuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from featherface.variants.config import DetectorConfig

    Stage = Callable[[DetectorConfig, Sequence[int]], nn.Module]


class RawOutput(NamedTuple):
    """What the network says about each prior, before decoding and softmax."""

    boxes: Tensor
    """(B,N,4) deltas of centre and log size, divided by the variances."""
    logits: Tensor
    """(B,N,2) background, face."""
    landmarks: Tensor
    """(B,N,10) deltas of five points, x before y."""


def _per_level(make: Callable[[DetectorConfig, int], nn.Module]) -> Stage:
    return lambda config, widths: PerLevel(make(config, width) for width in widths)


def _nothing(_config: DetectorConfig, _widths: Sequence[int]) -> nn.Module:
    return nn.Identity()


def _gate(config: DetectorConfig) -> tuple[int, float, int]:
    return config.reduction, config.norm_momentum, config.attention_kernel


Backbone = mobilenet.MobileNet | nano.NanoBackbone | ultra_vit.UltraEfficientViT
BACKBONES: dict[str, Callable[[float], Backbone]] = {
    "mobilenet-0.25": mobilenet.MobileNet,
    "nano": nano.NanoBackbone,
    "ultra-vit": ultra_vit.UltraEfficientViT,
}
LATERALS: dict[str, Stage] = {
    "fpn": _nothing,
    "bifpn": _nothing,
    "pyramid-attention": _nothing,
    "top-down": _nothing,
    "bifpn-light": lambda c, widths: bifpn.light_laterals(widths, c.channels),
    "bifpn-ultra": lambda c, widths: bifpn.light_laterals(widths, c.channels),
}
NECKS: dict[str, Stage] = {
    "fpn": lambda c, widths: fpn.FPN(widths, c.channels, c.leak),
    "bifpn": lambda c, widths: bifpn.BiFPN(widths, c.channels, c.repeats, c.norm_momentum),
    "top-down": lambda c, widths: nano.TopDown(widths, c.channels, c.leak),
    "pyramid-attention": lambda c, widths: pyramid_attention.PyramidAttentionFusion(
        widths, c.channels, c.leak
    ),
    "bifpn-light": lambda c, _: bifpn.LightBiFPN(c.channels, c.repeats, c.norm_momentum),
    "bifpn-ultra": lambda c, _: bifpn_ultra.BiFPNUltra(c.channels, c.repeats, c.norm_momentum),
}
ATTENTIONS: dict[str, Stage] = {
    "none": _nothing,
    "cbam": _per_level(lambda c, width: cbam.CBAM(width, *_gate(c))),
    "cbam-residual": _per_level(lambda c, width: cbam.ResidualCBAM(width, *_gate(c))),
    "cbam-shared": lambda c, widths: cbam.SharedCBAM(widths, *_gate(c), passes=c.attention_passes),
    "cbam-cascade": lambda c, widths: cbam.SharedCBAM(widths, *_gate(c)),
    "eca-cbam": _per_level(lambda _, width: eca.ECACBAM(width)),
    "eca-cbam-parallel": _per_level(lambda _, width: eca.ParallelECACBAM(width)),
}
NECK_ATTENTIONS: dict[str, Stage] = {
    **ATTENTIONS,
    "cbam-cascade": lambda c, widths: cascade.ContextCBAM(widths, *_gate(c)),
}
CONTEXT_ATTENTIONS: dict[str, Stage] = {
    "none": _nothing,
    "coordinate": _per_level(lambda _, width: coordinate.CoordinateAttention(width)),
    "dynamic-channel": _per_level(
        lambda c, width: channel_attention.DynamicChannelAttention(width, c.reduction)
    ),
}
CONTEXTS: dict[str, Stage] = {
    "cascade": _per_level(lambda c, width: nano.CascadeContext(width, c.leak)),
    "none": _nothing,
    "ssh": _per_level(
        lambda c, width: (
            ssh.plain(width, c.leak)
            if c.context_paths == 1
            else multipath.MultiPathSSH(width, c.leak, c.context_paths)
        )
    ),
    "ssh-deformable": _per_level(lambda c, width: ssh.deformable(width, c.leak)),
    "ssh-grouped": _per_level(lambda c, width: ssh.grouped(width, c.leak, c.context_groups)),
}
SHUFFLES: dict[str, Stage] = {
    "none": _nothing,
    "permute": _per_level(lambda _c, _w: shuffle.Permutation()),
    "block": _per_level(lambda _, width: shuffle.ShuffleBlock(width)),
}
HEADS: dict[str, Callable[[DetectorConfig], nn.Module]] = {
    "separate": lambda c: linear.SeparateHeads(c.channels, c.anchors),
    "shared": lambda c: linear.SharedHead(c.channels, c.anchors, c.leak),
    "shared-normed": lambda c: towers.normed(c.channels, c.anchors, c.leak),
    "smart": smart_head.SmartHead,
    "decoupled": lambda c: towers.decoupled(c.channels, c.anchors, c.leak),
    "shared-detection": lambda c: towers.shared_detection(c.channels, c.anchors, c.leak),
}


def _reuse(config: DetectorConfig) -> nn.Module:
    """Return what precedes the context without parameters."""
    parts: list[nn.Module] = []
    if config.scale_fusion:
        parts.append(reuse.ScaleFusion())
    if config.enhancement_passes:
        passes = config.enhancement_passes
        parts.append(
            PerLevel(reuse.ProgressiveEnhancement(config.channels, passes) for _ in range(3))
        )
    return nn.Sequential(*parts)


class Detector(nn.Module):
    """Pictures to raw predictions for each prior."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = BACKBONES[config.backbone](config.leak)
        widths: Sequence[int] = self.backbone.widths
        even = (config.channels,) * len(widths)
        self.laterals = LATERALS[config.neck](config, widths)
        widths = widths if isinstance(self.laterals, nn.Identity) else even
        self.attention = ATTENTIONS[config.attention](config, widths)
        self.neck = NECKS[config.neck](config, widths)
        self.allocation: nn.Module = nn.Identity()
        if config.channel_allocation:
            self.allocation = allocation.ChannelAllocation(config.channels, 3, config.reduction)
        self.recycling = reuse.FeatureRecycling()
        self.neck_attention = NECK_ATTENTIONS[config.attention](config, even)
        self.reuse = _reuse(config)
        self.dropblock: nn.Module = nn.Identity()
        if config.dropblock:
            self.dropblock = dropblock.DropBlock(config.dropblock, config.dropblock_size)
        self.context = CONTEXTS[config.context](config, even)
        if config.contextual_sharing:
            self.context = reuse.ContextualSharing(self.context, even)
        self.context_attention = CONTEXT_ATTENTIONS[config.context_attention](config, even)
        self.shuffle = SHUFFLES[config.shuffle](config, even)
        self.heads = HEADS[config.head](config)
        linear.initialise(self.heads, config.prior_probability)

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the maps (B,C,H/8,W/8), /16, /32 that enter the heads."""
        entering = self.laterals(self.backbone(images))
        maps = self.neck(self.attention(entering))
        if self.config.feature_recycling:
            maps = self.recycling(maps, entering)
        maps = self.dropblock(self.reuse(self.neck_attention(self.allocation(maps))))
        shuffled: list[Tensor] = self.shuffle(self.context_attention(self.context(maps)))
        return shuffled

    def predict(self, maps: list[Tensor]) -> RawOutput:
        """Turn the maps of `features` into raw predictions."""
        return RawOutput(*self.heads(maps))

    def forward(self, images: Tensor) -> RawOutput:
        """Predict from IMAGES (B,3,H,W), blue-green-red minus the pixel mean."""
        return self.predict(self.features(images))

    def components(self) -> dict[str, int]:
        """Return the number of parameters of each component that has any."""
        counts = {name: _count(getattr(self, name)) for name in _STAGES}
        counts["neck"] += counts.pop("laterals")
        return {name: count for name, count in counts.items() if count}


_STAGES = (
    "backbone",
    "laterals",
    "attention",
    "neck",
    "allocation",
    "neck_attention",
    "context",
    "context_attention",
    "shuffle",
    "heads",
)


def build(config: DetectorConfig, seed: int | None = None) -> Detector:
    """Make the network of CONFIG with random weights, the same ones for the same SEED.

    Kept channels-last in memory: on the CPU a fifth faster in training, a third in use.
    """
    with _seeded(seed):
        model = Detector(config)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Draw from SEED inside the block, leaving the program's own random numbers alone."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
