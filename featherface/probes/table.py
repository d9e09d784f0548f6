"""The table of probes: what each reads of a recipe, and which families of numbers follow from it.

A probe is a small computation on fixed input, by the very code that makes the numbers. Its values
are kept with a run; where later code gives others for the same settings, the run's numbers of
that family are no longer what the code computes.

Tolerances. `EXACT` is for float64: with AVX-512 and without any such instructions (PyTorch, MKL and
NumPy told so) results differed by at most 6e-13 for three networks, so there is room for a thousand
times that. `SINGLE` is for what the code itself computes or draws in float32, which differed by at
most 9e-7. `PIXELS` is for means over pictures in whole numbers, of which another version of Pillow
may round some the other way. All are relative to 1 + the value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.probes import accuracy, export, network, objective, speed, training
from featherface.probes.isolation import isolated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings

EXACT, SINGLE, PIXELS = 1e-9, 1e-5, 1e-4
PRIORS = ("model.prior_sizes", "model.prior_ratios", "model.prior_steps", "model.variances")
PIXELS_IN = ("model.pixel_mean", "model.channel_order", "model.pixel_scale")
LOSS = (*PRIORS, "train.loss", "train.overlap", "train.negatives")
WEIGHTED_LOSS = (*LOSS, "train.box_weight", "train.landmark_weight")
VIEWS = ("evaluate.protocol", "evaluate.flip")
SUPPRESSION = ("evaluate.nms_threshold", "evaluate.voting", "evaluate.max_detections")


def _always(settings: ProbeSettings) -> bool:
    del settings
    return True


def _runs_network(settings: ProbeSettings) -> bool:
    """Whether a network detects; else predictions of another program are evaluated."""
    return settings.evaluate.predictions is None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One small computation."""

    compute: Callable[[ProbeSettings], Values]
    families: tuple[str, ...]
    """Of numbers, that follow from it."""
    reads: tuple[str, ...] = ()
    """Sections of the settings and keys in them; it is given nothing else."""
    tolerance: float = EXACT
    applies: Callable[[ProbeSettings], bool] = _always
    """Whether a run of such settings depends on it at all."""


PROBES: dict[str, Probe] = {
    "outputs": Probe(
        compute=network.outputs,
        families=("network", "training", "accuracy", "speed", "export"),
        reads=("model",),
        applies=_runs_network,
    ),
    "counts": Probe(compute=network.counts, families=("network",), reads=("model",)),
    "anchors": Probe(
        compute=network.anchors,
        families=("network", "training", "accuracy"),
        reads=PRIORS,
        applies=_runs_network,
    ),
    "initial-weights": Probe(
        compute=network.initial_weights, families=("training",), reads=("model",), tolerance=SINGLE
    ),
    "gradients": Probe(compute=network.gradients, families=("training",), reads=("model",)),
    "pictures": Probe(
        compute=training.pictures,
        families=("training",),
        reads=(
            *("train.augmentations", "train.crop_scales", "train.zoom_scales"),
            *PIXELS_IN,
        ),
        tolerance=PIXELS,
    ),
    "synthetic-set": Probe(
        compute=training.synthetic_set,
        families=("training", "accuracy"),
        reads=("synthetic",),
        tolerance=PIXELS,
        applies=lambda settings: settings.synthetic is not None,
    ),
    "order": Probe(
        compute=training.order,
        families=("training",),
        reads=(
            *("train.epochs", "train.batch_size", "train.accumulate", "train.image_size"),
            *("train.views", "train.progressive", "train.multi_scale", "train.curriculum"),
            "train.frozen_backbone",
        ),
    ),
    "assignment": Probe(compute=objective.assignment, families=("training",), reads=LOSS),
    "loss": Probe(compute=objective.loss, families=("training",), reads=WEIGHTED_LOSS),
    "schedule": Probe(
        compute=training.schedule,
        families=("training",),
        reads=("train.lr", "train.schedule", "train.warmup", "train.steps_at"),
    ),
    "parameter-groups": Probe(
        compute=training.weight_decay_groups,
        families=("training",),
        reads=("model", "train.weight_decay"),
    ),
    "optimizer": Probe(
        compute=training.optimizer,
        families=("training",),
        reads=("train.optimizer", "train.lr", "train.momentum"),
    ),
    "steps": Probe(
        compute=training.steps,
        families=("training",),
        reads=(
            *("train.weight_decay", "train.clip", "train.ema", "train.lr"),
            *("train.schedule", "train.warmup", "train.steps_at"),
        ),
    ),
    "best-weights": Probe(
        compute=training.best_weights,
        families=("training",),
        reads=("train.epochs", "train.patience"),
    ),
    "distillation": Probe(
        compute=objective.distillation,
        families=("training",),
        reads=(
            *(*WEIGHTED_LOSS, "model.channels", "distill"),
            *("train.epochs", "train.views"),
        ),
        tolerance=SINGLE,  # adapters are drawn in float32
        applies=lambda settings: settings.distill.enabled,
    ),
    "teacher-outputs": Probe(
        compute=network.teacher_outputs,
        families=("training",),
        reads=("teacher",),
        applies=lambda settings: settings.teacher is not None,
    ),
    "views": Probe(
        compute=accuracy.views, families=("accuracy",), reads=VIEWS, applies=_runs_network
    ),
    "detections": Probe(
        compute=accuracy.detections,
        families=("accuracy",),
        reads=(*PRIORS, *PIXELS_IN, *VIEWS, *SUPPRESSION, "evaluate.score_threshold"),
        tolerance=SINGLE,
        applies=_runs_network,
    ),
    "score-border": Probe(
        compute=accuracy.score_threshold,
        families=("accuracy",),
        reads=(*PRIORS, *SUPPRESSION),
        applies=_runs_network,
    ),
    "suppression": Probe(
        compute=accuracy.suppression,
        families=("accuracy",),
        reads=SUPPRESSION,
        tolerance=SINGLE,
        applies=_runs_network,
    ),
    "matching": Probe(compute=accuracy.matching, families=("accuracy",)),
    "landmark-error": Probe(
        compute=accuracy.landmark_errors,
        families=("accuracy",),
        reads=("evaluate.decision",),
        tolerance=SINGLE,
    ),
    "built-subsets": Probe(compute=accuracy.built_subsets, families=("accuracy",)),
    "timing": Probe(compute=speed.timing, families=("speed",), tolerance=SINGLE),
    "memory": Probe(compute=speed.memory, families=("speed",)),
    "exported-outputs": Probe(
        compute=export.exported_outputs, families=("export",), reads=("model",)
    ),
    "formats": Probe(compute=export.formats, families=("export",), reads=("export.formats",)),
    "parity": Probe(compute=export.parity, families=("export",), tolerance=SINGLE),
}
"""By name, in the order in which a difference is told."""
FAMILIES = tuple(dict.fromkeys(family for probe in PROBES.values() for family in probe.families))


def measure(settings: ProbeSettings, probes: Mapping[str, Probe]) -> dict[str, Values]:
    """Compute PROBES under SETTINGS, one after the other; what they share is made once.

    Networks stay in memory for the next call, which often asks for another family of the same
    recipe. Nothing else of the program's state changes: random numbers, threads, types and modes.
    """
    with isolated():
        return {
            name: probe.compute(settings.reduced(probe.reads)) for name, probe in probes.items()
        }


def forget_networks() -> None:
    """Free the networks that `measure` keeps; they are built anew where they are asked for."""
    network.clear_cache()
    export.clear_cache()


def probes_for(
    settings: ProbeSettings, families: Iterable[str], probes: Mapping[str, Probe] = PROBES
) -> dict[str, Probe]:
    """Return those of PROBES that the numbers of FAMILIES depend on under SETTINGS."""
    asked = set(families)
    return {
        name: probe
        for name, probe in probes.items()
        if asked.intersection(probe.families) and probe.applies(settings)
    }


def agree(first: Values, second: Values, tolerance: float) -> bool:
    """Whether two results of a probe are equal within TOLERANCE, relative to 1 + the value.

    >>> agree([1.0, 100.0], [1.0 + 1e-10, 100.0], 1e-9)
    True
    """
    if len(first) != len(second):
        return False
    return all(
        left == right or abs(left - right) <= tolerance * (1 + max(abs(left), abs(right)))
        for left, right in zip(first, second, strict=True)
        if not (math.isnan(left) and math.isnan(right))
    )
