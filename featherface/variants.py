"""The table of model variants: every network of the thesis is one entry here.

Lean on purpose: the command line reads choices and help from this table, so nothing heavy is
imported. The blocks that the names stand for live in `featherface.networks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from featherface.data.checks import require_legal
from featherface.errors import UsageError, unknown

CHOICES: dict[str, tuple[str, ...]] = {
    "backbone": ("mobilenet-0.25",),
    "neck": ("fpn", "bifpn", "bifpn-light"),
    "attention": (
        "none",
        "cbam",
        "cbam-residual",
        "cbam-shared",
        "eca-cbam",
        "eca-cbam-parallel",
    ),
    "context": ("ssh", "ssh-deformable", "ssh-grouped"),
    "context_attention": ("none", "coordinate"),
    "shuffle": ("none", "permute", "block"),
    "head": ("separate", "shared"),
}
"""The legal names of each block; `featherface.networks` holds one builder per name."""


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """What a detector is made of. Every field can be overridden by a recipe."""

    channels: int = 64
    """Channels of each map from the neck on; a multiple of 4 (SSH splits it 2:1:1)."""
    backbone: str = "mobilenet-0.25"
    """Feature extractor; gives maps at strides 8, 16 and 32."""
    neck: str = "bifpn"
    """Feature pyramid that mixes the three maps."""
    repeats: int = 3
    """Layers of the neck; only the BiFPN kinds repeat."""
    attention: str = "none"
    """Attention on the maps that enter the neck and on those that leave it."""
    reduction: int = 16
    """Channels divided by this in the attention's bottleneck."""
    context: str = "ssh-deformable"
    """Context module per level."""
    context_attention: str = "none"
    """Attention after the context module."""
    shuffle: str = "none"
    """Channel shuffle after the context module."""
    head: str = "separate"
    """Prediction head: one per level and task, or one for all."""
    leak: float = 0.1
    """Negative slope of the activations in backbone, FPN, SSH and shared head; 0 is ReLU."""
    norm_momentum: float = 0.1
    """Share of the new batch in the running statistics of BiFPN's and CBAM's normalisations."""
    prior_probability: float = 0.01
    """Probability of `face` that an untrained head gives; 0.5 leaves the bias at zero."""
    prior_sizes: tuple[tuple[int, ...], ...] = ((16, 32), (64, 128), (256, 512))
    """Sides in pixels of the square priors, one tuple per level."""
    prior_steps: tuple[int, ...] = (8, 16, 32)
    """Pixels between the centres of neighbouring priors, one per level."""
    variances: tuple[float, float] = (0.1, 0.2)
    """Scale of centre offsets and of log sizes in the encoded boxes."""
    pixel_mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    """Subtracted from the blue, green and red of a picture in 0..255."""

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            value = getattr(self, key)
            if value not in choices:
                raise UsageError(
                    f"model.{key}: {unknown('choice', str(value), choices)}",
                    f"choose one of {', '.join(choices)}",
                )
        for field in fields(self):
            object.__setattr__(self, field.name, _frozen(getattr(self, field.name)))
        _check_numbers(self)

    @property
    def anchors(self) -> int:
        """Priors per position."""
        return len(self.prior_sizes[0])


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


def variant(name: str, **overrides: Any) -> DetectorConfig:
    """Return the configuration called NAME, with some fields replaced.

    Raises:
        UsageError: no such variant, no such field, or an illegal value.
    """
    if name not in VARIANTS:
        raise UsageError(unknown("variant", name, VARIANTS), "thesis model list")
    known = [field.name for field in fields(DetectorConfig)]
    for key in overrides:
        if key not in known:
            raise UsageError(unknown("model key", key, known), f"thesis model show {name}")
    return replace(VARIANTS[name].config, **overrides)


def _frozen(value: Any) -> Any:
    """Turn the lists of YAML into tuples, so that a configuration can be a cache key."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _check_numbers(config: DetectorConfig) -> None:
    _check(config.channels, "channels", "a multiple of 4", _is_int(config.channels, multiple=4))
    if config.context == "ssh-grouped":
        legal = _is_int(config.channels, multiple=16)
        _check(config.channels, "channels", "a multiple of 16 with ssh-grouped", legal)
    _check(config.repeats, "repeats", "a whole number from 1", _is_int(config.repeats))
    _check(config.reduction, "reduction", "a whole number from 1", _is_int(config.reduction))
    _check(
        config.leak, "leak", "from 0 to below 1", config.leak == 0 or _is_between(config.leak, 0, 1)
    )
    momentum, probability = config.norm_momentum, config.prior_probability
    _check(momentum, "norm_momentum", "between 0 and 1", _is_between(momentum, 0, 1))
    _check(probability, "prior_probability", "between 0 and 1", _is_between(probability, 0, 1))
    _check_priors(config)


def _check_priors(config: DetectorConfig) -> None:
    sizes, steps = config.prior_sizes, config.prior_steps
    three = "three levels with equally many sizes each, all positive"
    legal = (
        isinstance(sizes, tuple)
        and len(sizes) == 3
        and all(isinstance(level, tuple) and level for level in sizes)
        and len({len(level) for level in sizes}) == 1
        and all(_is_between(size, 0, math.inf) for level in sizes for size in level)
    )
    _check(sizes, "prior_sizes", three, legal)
    _check(steps, "prior_steps", "8, 16, 32: the strides of the maps", steps == (8, 16, 32))
    _check(
        config.variances, "variances", "two positive numbers", _are_positive(config.variances, 2)
    )
    numbers = isinstance(config.pixel_mean, tuple) and len(config.pixel_mean) == 3
    legal = numbers and all(isinstance(value, int | float) for value in config.pixel_mean)
    _check(config.pixel_mean, "pixel_mean", "three numbers (blue, green, red)", legal)


def _check(value: object, key: str, wanted: str, legal: bool) -> None:
    require_legal(legal, f"model.{key}", value, wanted)


def _is_int(value: Any, multiple: int = 1) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and value > 0 and value % multiple == 0


def _is_between(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and low < value < high


def _are_positive(values: Any, count: int) -> bool:
    right = isinstance(values, tuple) and len(values) == count
    return right and all(_is_between(value, 0, math.inf) for value in values)


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
    "retinaface-mnet025": Variant(
        config=DetectorConfig(
            neck="fpn",
            repeats=1,
            context="ssh",
            leak=0.0,
            prior_sizes=((10, 20), (32, 64), (128, 256)),  # what the published weights learnt
        ),
        summary="the peer: RetinaFace with MobileNet x0.25",
        source="RetinaFace (Deng et al., 2020), https://arxiv.org/abs/1905.00641",
    ),
}
"""Every variant by name."""
