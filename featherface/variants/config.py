"""What a detector is made of: the fields that a recipe's `model` section may set.

Lean on purpose: the command line and the recipes read choices and help from here, so nothing
heavy is imported. The blocks that the names stand for live in `featherface.networks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from featherface.checks import require_legal
from featherface.errors import UsageError, unknown

CHOICES: dict[str, tuple[str, ...]] = {
    "backbone": ("mobilenet-0.25", "ultra-vit", "nano"),
    "neck": ("fpn", "bifpn", "bifpn-light", "bifpn-ultra", "pyramid-attention", "top-down"),
    "attention": (
        "none",
        "cbam",
        "cbam-residual",
        "cbam-shared",
        "cbam-cascade",
        "eca-cbam",
        "eca-cbam-parallel",
    ),
    "context": ("none", "ssh", "ssh-deformable", "ssh-grouped", "cascade"),
    "context_attention": ("none", "coordinate", "dynamic-channel"),
    "shuffle": ("none", "permute", "block"),
    "head": ("separate", "shared", "shared-normed", "smart", "shared-detection", "decoupled"),
}
"""The legal names of each block; `featherface.networks` holds one builder per name."""
NEEDS: tuple[tuple[str, Any, str, tuple[str, ...]], ...] = (
    ("attention_passes", 1, "attention", ("cbam-shared",)),
    ("feature_recycling", False, "neck", ("bifpn-light", "bifpn-ultra")),
    ("context_paths", 1, "context", ("ssh",)),
    ("task_fusion", False, "head", ("smart",)),
    ("box_refinement", False, "head", ("smart",)),
    ("adaptive_priors", False, "head", ("smart",)),
)
"""Key, the value that asks nothing, and the other key whose value must be one of those."""


CHANNEL_ORDERS = ("bgr", "rgb")
LATER: dict[str, Any] = {"channel_order": "bgr", "pixel_scale": 1.0}
"""Keys that earlier versions lack, and the value that says what those versions did."""


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
    attention_kernel: int = 7
    """Side of the spatial gates' kernel in the CBAM kinds; odd."""
    attention_passes: int = 1
    """Times that cbam-shared is applied, with the same weights."""
    channel_allocation: bool = False
    """Share out each channel between the levels as the scene asks for, after the neck."""
    feature_recycling: bool = False
    """Add the backbone's P3 and the neck's P4 to the neck's P3; no parameters."""
    scale_fusion: bool = False
    """Add fixed shares of the neighbouring maps before the context; no parameters."""
    enhancement_passes: int = 0
    """Times that x + 0.1 tanh(x) and a shuffle precede the context; no parameters; 0 for none."""
    context: str = "ssh-deformable"
    """Context module per level."""
    context_groups: int = 4
    """Groups of ssh-grouped's narrow convolutions; even."""
    context_paths: int = 1
    """Walks through ssh with the same kernels, dilated 1, 2, … times, and averaged."""
    contextual_sharing: bool = False
    """Use the context as much as the picture needs, told by a learnt gate per level."""
    context_attention: str = "none"
    """Attention after the context module."""
    shuffle: str = "none"
    """Channel shuffle after the context module."""
    dropblock: float = 0.0
    """Share of the maps before the context left out in training, in blocks; 0 leaves out none."""
    dropblock_size: int = 7
    """Side of those blocks, positions of the map; odd."""
    head: str = "separate"
    """Prediction head: one per level and task, or one for all levels."""
    task_fusion: bool = False
    """Let classes help boxes, boxes landmarks, and landmarks classes, in the smart head."""
    box_refinement: bool = False
    """Refine the smart head's boxes in a second stage."""
    adaptive_priors: bool = False
    """Learn the priors' widths and heights; predictions stay relative to the given ones."""
    leak: float = 0.1
    """Negative slope of the activations in backbone, FPN, SSH and shared head; 0 is ReLU."""
    norm_momentum: float = 0.1
    """Share of the new batch in the running statistics of BiFPN's and CBAM's normalisations."""
    prior_probability: float = 0.01
    """Probability of `face` that an untrained head gives; 0.5 leaves the bias at zero."""
    prior_sizes: tuple[tuple[int, ...], ...] = ((16, 32), (64, 128), (256, 512))
    """Sides in pixels of square priors, one tuple per level."""
    prior_ratios: tuple[float, ...] = (1.0,)
    """Height over width of the priors of each size, which all have the square's area."""
    prior_steps: tuple[int, ...] = (8, 16, 32)
    """Pixels between the centres of neighbouring priors, one per level."""
    variances: tuple[float, float] = (0.1, 0.2)
    """Scale of centre offsets and of log sizes in the encoded boxes."""
    pixel_mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    """Subtracted from the blue, green and red of a picture in 0..255, whatever channel_order."""
    channel_order: str = "bgr"
    """In which order the network takes a picture's channels: bgr or rgb."""
    pixel_scale: float = 1.0
    """Times this after the mean was subtracted: 0.0078125 for a network that takes -1..1."""

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
        _check_switches(self)

    @property
    def anchors(self) -> int:
        """Priors per position."""
        return len(self.prior_sizes[0]) * len(self.prior_ratios)


def identity(config: DetectorConfig) -> dict[str, Any]:
    """Return key -> value of CONFIG, without `LATER` keys that change nothing.

    Digests of it stay what they were before those keys.
    """
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {key: value for key, value in values.items() if LATER.get(key) != value}


def _frozen(value: Any) -> Any:
    """Turn the lists of YAML into tuples, so that a configuration can be a cache key."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _check_numbers(config: DetectorConfig) -> None:
    _check(config.channels, "channels", "a multiple of 4", _is_int(config.channels, multiple=4))
    for key in ("repeats", "reduction", "attention_passes", "context_paths"):
        value = getattr(config, key)
        _check(value, key, "a whole number from 1", _is_int(value))
    kernel, passes = config.attention_kernel, config.enhancement_passes
    _check(kernel, "attention_kernel", "an odd number", _is_int(kernel) and kernel % 2 == 1)
    whole = passes is not False and (passes == 0 or _is_int(passes))
    _check(passes, "enhancement_passes", "a whole number from 0", whole)
    _check_groups(config)
    _check(
        config.leak, "leak", "from 0 to below 1", config.leak == 0 or _is_between(config.leak, 0, 1)
    )
    share, block = config.dropblock, config.dropblock_size
    legal = share == 0 or _is_between(share, 0, 1)
    _check(share, "dropblock", "from 0 to below 1", legal)
    _check(block, "dropblock_size", "an odd number", _is_int(block) and block % 2 == 1)
    momentum, probability = config.norm_momentum, config.prior_probability
    _check(momentum, "norm_momentum", "between 0 and 1", _is_between(momentum, 0, 1))
    _check(probability, "prior_probability", "between 0 and 1", _is_between(probability, 0, 1))
    _check_priors(config)


def _check_groups(config: DetectorConfig) -> None:
    groups, channels = config.context_groups, config.channels
    _check(groups, "context_groups", "an even number from 2", _is_int(groups, multiple=2))
    if config.context == "ssh-grouped":
        left = channels - 2 * grouped_quarter(channels, groups)
        least = next(n for n in range(4, 12 * groups, 4) if n > 2 * grouped_quarter(n, groups))
        wanted = f"{least} or more with ssh-grouped in {groups} groups"
        _check(channels, "channels", wanted, left > 0)


def grouped_quarter(channels: int, groups: int) -> int:
    """Return a quarter of CHANNELS, raised to a multiple of GROUPS."""
    return groups * -(-channels // (4 * groups))


def _check_switches(config: DetectorConfig) -> None:
    """Check that switches are true or false, and that what they build upon is there."""
    for field in fields(config):
        if field.type == "bool":
            value = getattr(config, field.name)
            _check(value, field.name, "true or false", isinstance(value, bool))
    for key, idle, other, choices in NEEDS:
        value, block = getattr(config, key), getattr(config, other)
        if value != idle and block not in choices:
            raise UsageError(
                f"model.{key} is {_shown(value)}, but model.{other} is {block}",
                f"set model.{key}={_shown(idle)}, or model.{other}={choices[0]}",
            )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_priors(config: DetectorConfig) -> None:
    sizes, ratios, steps = config.prior_sizes, config.prior_ratios, config.prior_steps
    three = "three levels with equally many sizes each, all positive"
    legal = (
        isinstance(sizes, tuple)
        and len(sizes) == 3
        and all(isinstance(level, tuple) and level for level in sizes)
        and len({len(level) for level in sizes}) == 1
        and all(_is_between(size, 0, math.inf) for level in sizes for size in level)
    )
    _check(sizes, "prior_sizes", three, legal)
    legal = isinstance(ratios, tuple) and bool(ratios) and _are_positive(ratios, len(ratios))
    _check(ratios, "prior_ratios", "one or more positive numbers", legal)
    _check(steps, "prior_steps", "8, 16, 32: the strides of the maps", steps == (8, 16, 32))
    _check(
        config.variances, "variances", "two positive numbers", _are_positive(config.variances, 2)
    )
    numbers = isinstance(config.pixel_mean, tuple) and len(config.pixel_mean) == 3
    legal = numbers and all(isinstance(value, int | float) for value in config.pixel_mean)
    _check(config.pixel_mean, "pixel_mean", "three numbers (blue, green, red)", legal)
    order, scale = config.channel_order, config.pixel_scale
    _check(order, "channel_order", " or ".join(CHANNEL_ORDERS), order in CHANNEL_ORDERS)
    _check(scale, "pixel_scale", "a positive number", _is_between(scale, 0, math.inf))


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
