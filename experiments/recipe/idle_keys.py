"""Keys of a recipe that nothing reads: accepted without a word they would look like a result.

Only what a recipe itself or `--set` says is refused: what was inherited may have been read below,
where a teacher was that is switched off here. Keys of a network have their own table, in
`featherface.variants.idle_keys`, those of a loss in `featherface.losses.config`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.recipe.model import DataConfig
from featherface.errors import UsageError
from featherface.evaluation.config import EvaluateConfig
from featherface.export.formats import FORMATS, ExportConfig
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.recipe.model import Recipe

SET = "--set"
"""Origin of what the command line says."""


class Need(NamedTuple):
    """What must hold for a key to be read."""

    keys: tuple[str, ...]
    """Those that decide it; messages name the first."""
    suggested: str
    """Value of the first with which it holds."""
    is_met: Callable[[Recipe], bool]


def _augmented(name: str) -> Need:
    return Need(
        ("train.augmentations",),
        f"[{name}, distort, pad, mirror]",
        lambda recipe: name in recipe.train.augmentations,
    )


def _learns_from_itself(weight: str) -> Need:
    keys = (f"distill.{weight}", "distill.phases")
    return Need(keys, "0.5", lambda recipe: recipe.distill.uses(weight))


def _left_to_section(key: str) -> Need:
    """Some stretch of the training has the section's value of KEY: not all phases set their own."""
    return Need(
        ("distill.phases",),
        "[]",
        lambda recipe: (
            not recipe.distill.phases
            or any(getattr(phase, key) is None for phase in recipe.distill.phases)
        ),
    )


_TEACHER = ("distill.teacher", "distill.teacher_weights")
_SOURCES = (*_TEACHER, "distill.self_weight", "distill.temporal_weight", "distill.phases")
_TAUGHT = Need(_TEACHER, "v1", lambda recipe: recipe.distill.taught)
_DISTILLED = Need(_SOURCES, "v1", lambda recipe: recipe.distill.enabled)
_KEPT = Need(
    ("distill.cache", "train.views"),
    "true",
    lambda recipe: recipe.distill.keeps(recipe.train.views),
)
_SOFTENED = Need(
    ("distill.soft_weight", "distill.phases"),
    "1.0",
    lambda recipe: recipe.distill.uses("soft_weight"),
)
_MINED = Need(
    ("train.loss.face", *_SOURCES),
    "cross-entropy",
    lambda recipe: recipe.train.loss.face == "cross-entropy" or recipe.distill.enabled,
)
_DRAWN = Need(("data.root",), "synthetic", lambda recipe: recipe.data.root == "synthetic")
_DETECTING = Need(
    ("evaluate.predictions",), "null", lambda recipe: recipe.evaluate.predictions is None
)
_EXPORTED = Need(("export.formats",), "[onnx]", lambda recipe: bool(recipe.export.formats))
_ROUNDED = Need(
    ("export.formats",),
    "[onnx-int8]",
    lambda recipe: any(FORMATS[name].rounds for name in recipe.export.formats),
)
_FROM_MAPS = ("feature_weight", "attention_weight", "cross_scale_weight")
_FROM_ALL = ("soft_weight", "box_weight", "landmark_weight")

NEEDS: dict[str, tuple[Need, ...]] = {
    "model.backbone_weights": (
        Need(("model.weights",), "null", lambda recipe: recipe.model.weights is None),
    ),
    "data.name": (Need(("data.root",), "FOLDER", lambda recipe: not _DRAWN.is_met(recipe)),),
    "data.val_limit": (_DETECTING,),
    **{
        f"data.synthetic.{key}": (_DRAWN,)
        for key in (
            *("image_size", "train_images", "val_images"),
            *("smallest_face", "largest_face", "crowd", "seed"),
        )
    },
    "train.momentum": (
        Need(("train.optimizer",), "sgd", lambda recipe: recipe.train.optimizer == "sgd"),
    ),
    "train.steps_at": (
        Need(("train.schedule",), "steps", lambda recipe: recipe.train.schedule == "steps"),
    ),
    "train.crop_scales": (_augmented("crop"),),
    "train.zoom_scales": (_augmented("zoom-crop"),),
    "train.overlap": (
        Need(
            ("train.loss.assignment",),
            "overlap",
            lambda recipe: recipe.train.loss.assignment == "overlap",
        ),
    ),
    "train.negatives": (_MINED,),
    "train.patience": (
        Need(("train.evaluate_every",), "1", lambda recipe: recipe.train.evaluate_every > 0),
    ),
    "distill.temperature": (_DISTILLED, _SOFTENED, _left_to_section("temperature")),
    "distill.alpha": (_TAUGHT, _left_to_section("alpha")),
    **{f"distill.{key}": (_DISTILLED, _left_to_section(key)) for key in _FROM_ALL},
    **{f"distill.{key}": (_TAUGHT, _left_to_section(key)) for key in _FROM_MAPS},
    "distill.self_weight": (_left_to_section("self_weight"),),
    "distill.temporal_weight": (_left_to_section("temporal_weight"),),
    "distill.confidence": (_DISTILLED,),
    "distill.init_backbone": (_TAUGHT,),
    "distill.teacher_engine": (_TAUGHT,),
    "distill.self_decay": (_learns_from_itself("self_weight"),),
    "distill.temporal_decay": (_learns_from_itself("temporal_weight"),),
    "distill.cache": (_TAUGHT,),
    "distill.cache_gb": (_TAUGHT, _KEPT),
    "distill.phases": (_DISTILLED,),
    **{
        f"evaluate.{key}": (_DETECTING,)
        for key in (
            *("flip", "voting", "score_threshold", "nms_threshold", "max_detections"),
            *("max_megapixels", "batch_size", "precision", "engine"),
        )
    },
    "evaluate.predictions_by": (
        Need(
            ("evaluate.predictions",),
            "FOLDER",
            lambda recipe: recipe.evaluate.predictions is not None,
        ),
    ),
    "export.opset": (_EXPORTED,),
    "export.parity_sizes": (_EXPORTED,),
    "export.parity_batches": (_EXPORTED,),
    "export.tolerance": (_EXPORTED,),
    "export.validate": (_ROUNDED,),
    "export.calibrate": (
        Need(
            ("export.formats",),
            "[onnx-int8]",
            lambda recipe: any("int8" in name for name in recipe.export.formats),
        ),
    ),
    "export.image_size": (_EXPORTED,),
}
"""Keys that not every recipe reads, and all that must hold where one does; a test goes through all
keys of the sections."""
_USUAL = {
    "data": DataConfig(),
    "train": TrainConfig(),
    "distill": DistillConfig(),
    "evaluate": EvaluateConfig(),
    "export": ExportConfig(),
}


def usual_value(key: str) -> Any:
    """Return what KEY of NEEDS is where nobody sets it."""
    section, name = key.split(".", 1)
    return attrgetter(name)(_USUAL[section]) if section in _USUAL else None


def check_set(recipe: Recipe, origins: Mapping[str, str], own: str) -> None:
    """Refuse keys that the recipe of the origin OWN, or `--set`, sets though nothing reads them.

    A key of the recipe's that only `--set` keeps from being read is not refused: there it is what
    the recipe says of other runs.

    Raises:
        UsageError: `--set: train.momentum is 0.8, but train.optimizer is adamw: nothing reads it`.
    """
    layers = {own: 1, SET: 2}
    for key, needs in NEEDS.items():
        layer = layers.get(origins.get(key, ""), 0)
        value, usual = attrgetter(key)(recipe), usual_value(key)
        if not layer or value == usual:
            continue
        for need in needs:
            decided = max(layers.get(origins.get(other, ""), 0) for other in need.keys)
            if decided <= layer and not need.is_met(recipe):
                other = need.keys[0]
                reason = f"{other} is {_shown(attrgetter(other)(recipe))}: nothing reads it"
                raise UsageError(
                    f"{origins[key]}: {key} is {_shown(value)}, but {reason}",
                    f"set {key}={_shown(usual)}, or {other}={need.suggested}",
                )


def _shown(value: Any) -> str:
    """Word VALUE as `--set` takes it; a list of sections stays closed."""
    if isinstance(value, tuple):
        plain = all(isinstance(item, str | int | float | tuple) for item in value)
        inner = ", ".join(map(_shown, value)) if plain else "…"
        return f"[{inner}]"
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"
    )
