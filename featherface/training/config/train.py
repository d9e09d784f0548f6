"""How a detector is trained and distilled. Lean: imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from featherface.checks import require, require_choice
from featherface.devices.names import check_device
from featherface.errors import UsageError
from featherface.losses.config import LossConfig, check_read

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("onecycle", "cosine", "steps", "constant")
AUTO = "auto"
"""Value of the keys in MEASURED that leaves them to `featherface.training.tuning.automatic`, and of
`workers`, which decides nothing that is learnt and follows anew from each machine."""
MEASURED = ("batch_size", "amp", "channels_last", "deterministic")
PRECISIONS = ("no", "bf16", "fp16")
AUGMENTATIONS = (
    "crop",
    "zoom-crop",
    "distort",
    "pad",
    "mosaic",
    "mixup",
    "cutmix",
    "compose",
    "mirror",
    "erase",
    "auto",
)
"""Entries of `augmentation.transforms.AUGMENTATIONS` (a test keeps the two equal)."""
SCALES = ("crop_scales", "zoom_scales", "progressive", "multi_scale")
"""Keys that hold several sizes."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training; the defaults are the official FeatherFace's."""

    epochs: int = 350
    """Passes over the train split."""
    batch_size: int | Literal["auto"] = 32
    """Pictures per optimizer step and process (before `accumulate`); `auto`: the most that fit."""
    image_size: int = 640
    """Side of the square the network sees, pixels; a multiple of 32."""
    optimizer: str = "adamw"
    """One of OPTIMIZERS."""
    lr: float = 1e-3
    """Highest learning rate."""
    weight_decay: float = 5e-4
    """Per step and unit of learning rate (AdamW: decoupled); not on biases and norms."""
    momentum: float = 0.9
    """Of SGD; AdamW ignores it."""
    schedule: str = "onecycle"
    """One of SCHEDULES, per optimizer step."""
    warmup: float = 0.1
    """Share of all steps over which the learning rate rises."""
    steps_at: tuple[float, ...] = (0.6, 0.85)
    """Shares of all steps after which `steps` divides the learning rate by ten."""
    clip: float = 10.0
    """Largest gradient norm; 0 clips nothing."""
    accumulate: int = 1
    """Batches whose gradients are added up for one optimizer step."""
    ema: float = 0.0
    """Decay of the moving average of the weights, per step; 0 keeps none."""
    amp: str = "no"
    """Mixed precision, one of PRECISIONS; `auto` measures which is faster."""
    channels_last: bool | Literal["auto"] = True
    """Keep a position's channels side by side in memory; `auto` measures whether that helps."""
    deterministic: bool | Literal["auto"] = True
    """Of NVIDIA's convolutions, only those that repeat their result; `false` takes the fastest,
    `auto` measures whether that helps. Nothing changes elsewhere."""
    workers: int | Literal["auto"] = "auto"
    """Processes that load pictures; 0: a thread of the training's own; `auto`: as many as pay."""
    cache: bool = True
    """Keep decoded pictures in memory where the split needs less than 1 GiB."""
    keep_memory: bool = True
    """Keep the memory that a step frees for the next one: faster, and up to half as much memory
    again. On the CPU under Linux (glibc); nothing changes elsewhere, nor in what is learnt."""
    views: int = 0
    """Augmentations that each picture is seen in, one after the other; 0: another every epoch."""
    augmentations: tuple[str, ...] = ("crop", "distort", "pad", "mirror")
    """Applied in the order of AUGMENTATIONS, whatever the order here."""
    crop_scales: tuple[float, ...] = (0.3, 0.45, 0.6, 0.8, 1.0)
    """Sides of the square crops, shares of the picture's short side."""
    zoom_scales: tuple[float, ...] = (0.3, 0.45, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
    """The same for `zoom-crop`; shares above 1 reach beyond the picture and make faces smaller."""
    progressive: tuple[int, ...] = ()
    """Sides in pixels, each for an equal share of the epochs, the last one `image_size`, such as
    320, 480, 640; batches grow where pictures are smaller. Empty: `image_size` throughout."""
    multi_scale: tuple[float, ...] = ()
    """Shares of the side of which each batch draws one, such as 0.75, 1, 1.25; empty: none."""
    curriculum: float = 0.0
    """Share of the epochs over which harder pictures join the easiest third; 0: all at once."""
    frozen_backbone: float = 0.0
    """Share of the epochs, from the first, in which the backbone stays as it began: only what
    follows it learns, at half of the cost. For a backbone taken over from a teacher or a file."""
    loss: LossConfig = field(default_factory=LossConfig)
    """Which losses and which matching."""
    overlap: float = 0.35
    """IoU from which a prior is trained as the face."""
    negatives: int = 7
    """Hard background priors per face prior."""
    box_weight: float = 2.0
    """Of the box loss; the classification loss has 1."""
    landmark_weight: float = 1.0
    """Of the landmark loss."""
    evaluate_every: int = 0
    """Epochs between two evaluations on the validation split; 0: only after the last one."""
    patience: int = 0
    """Evaluations without a better metric before training stops; 0: never early."""
    log_every: int = 10
    """Optimizer steps between two `step` events."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1` (any number) or `mps`."""
    seed: int = 0
    """Order, augmentation and initialisation follow from it; set from the recipe's `seed`."""

    def __post_init__(self) -> None:
        for key in ("augmentations", "steps_at", *SCALES):
            object.__setattr__(self, key, tuple(getattr(self, key)))  # YAML gives lists
        require_choice("train.optimizer", self.optimizer, OPTIMIZERS)
        require_choice("train.schedule", self.schedule, SCHEDULES)
        require_choice("train.amp", self.amp, (*PRECISIONS, AUTO))
        check_device(self.device, "train.device")
        size = self.batch_size
        legal = size == AUTO if isinstance(size, str) else size >= 1
        require(legal, "train.batch_size", size, "1 or more, or auto")
        for name in self.augmentations:
            require_choice("train.augmentations", name, AUGMENTATIONS)
        both = {"crop", "zoom-crop"} <= set(self.augmentations)
        require(not both, "train.augmentations", self.augmentations, "with one kind of crop")
        for name in ("epochs", "accumulate", "negatives", "log_every"):
            require(getattr(self, name) >= 1, f"train.{name}", getattr(self, name), "1 or more")
        legal = self.workers == AUTO if isinstance(self.workers, str) else self.workers >= 0
        require(legal, "train.workers", self.workers, "0 or more, or auto")
        for name in ("views", "evaluate_every", "patience", "seed"):
            require(getattr(self, name) >= 0, f"train.{name}", getattr(self, name), "0 or more")
        for name in ("weight_decay", "clip", "box_weight", "landmark_weight"):
            require(getattr(self, name) >= 0, f"train.{name}", getattr(self, name), "0 or more")
        size = self.image_size
        require(size >= 64 and size % 32 == 0, "train.image_size", size, "a multiple of 32 from 64")
        require(self.lr > 0, "train.lr", self.lr, "above 0")
        for name in ("warmup", "ema", "momentum"):
            value = getattr(self, name)
            require(0 <= value < 1, f"train.{name}", value, "from 0 to below 1")
        require(0 < self.overlap < 1, "train.overlap", self.overlap, "between 0 and 1")
        for key in ("crop_scales", "steps_at"):
            values = getattr(self, key)
            inside = len(values) > 0 and all(0 < value <= 1 for value in values)
            require(inside, f"train.{key}", values, "one or more shares from above 0 to 1")
        self._check_pace()
        check_read(self.loss)

    def _check_pace(self) -> None:
        for key, least in (("zoom_scales", 1), ("multi_scale", 0)):
            values = getattr(self, key)
            inside = len(values) >= least and all(0.1 <= value <= 4 for value in values)
            require(inside, f"train.{key}", values, "shares from 0.1 to 4")
        sides = self.progressive
        legal = all(side >= 64 and side % 32 == 0 for side in sides)
        require(legal, "train.progressive", sides, "multiples of 32 from 64")
        if sides:
            wanted = f"rising to image_size ({self.image_size})"
            rising = sides == tuple(sorted(sides)) and sides[-1] == self.image_size
            require(rising, "train.progressive", sides, wanted)
            fits = len(sides) <= self.epochs
            require(fits, "train.progressive", sides, f"no more sides than epochs ({self.epochs})")
        for key in ("curriculum", "frozen_backbone"):
            value = getattr(self, key)
            require(0 <= value <= 1, f"train.{key}", value, "from 0 to 1")

    @property
    def unsettled(self) -> tuple[str, ...]:
        """Keys that are still to be measured."""
        return tuple(key for key in MEASURED if getattr(self, key) == AUTO)

    @property
    def pictures(self) -> int:
        """Pictures in a batch of one process.

        Raises:
            UsageError: that is still to be measured.
        """
        if isinstance(self.batch_size, str):
            raise UsageError("train.batch_size is auto: nothing has measured it yet")
        return self.batch_size
