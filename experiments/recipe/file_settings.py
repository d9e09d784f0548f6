"""What a recipe takes from the weights files that it names: the settings of their networks.

They stand above a variant's defaults and below every key that a recipe or `--set` names.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import schema
from featherface.errors import WeightsError
from featherface.variants.table import VARIANTS
from featherface.weights.network_settings import conflicts, network_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from featherface.weights.network_settings import NetworkSettings

ORIGIN = "weights"
"""First word of the origin of a value that came from a file of weights."""


def file_settings(
    root: Path, values: Mapping[str, Any], explicit: Mapping[str, str]
) -> Iterator[tuple[str, Any, str]]:
    """Yield dotted key, value and origin of what the weights files among VALUES add to them.

    VALUES are a recipe's, nested, with paths relative to ROOT; EXPLICIT keys are left out. A file
    that isn't there or can't be read adds nothing: what needs its tensors says so.
    """
    model, distill = _section(values, "model"), _section(values, "distill")
    known = _known(root, model.get("weights"))
    if known is not None and known.variant in ("", model.get("variant")):
        origin = f"{ORIGIN} {Path(str(model['weights'])).name}"
        yield from _changes("model", model.get("variant"), known, origin, explicit)
    known = _known(root, distill.get("teacher_weights"))
    if known is None:
        return
    origin = f"{ORIGIN} {Path(str(distill['teacher_weights'])).name}"
    named = distill.get("teacher_variant") or known.variant
    if named and "teacher_variant" not in distill:
        yield "distill.teacher_variant", named, origin
    if known.variant in ("", named):
        yield from _changes("distill.teacher_model", named, known, origin, explicit)


def came_with_weights(origin: str) -> bool:
    """Whether ORIGIN says that a value came from a file of weights."""
    return origin.startswith(f"{ORIGIN} ")


def _changes(
    section: str, variant: Any, known: NetworkSettings, origin: str, explicit: Mapping[str, str]
) -> Iterator[tuple[str, Any, str]]:
    """Yield the settings in which the KNOWN network differs from its VARIANT's defaults."""
    if variant not in VARIANTS:
        return
    for key, (value, _) in conflicts(known.config, VARIANTS[variant].config).items():
        if f"{section}.{key}" not in explicit:
            yield f"{section}.{key}", schema.plain(value), origin


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = values.get(name)
    return section if isinstance(section, dict) else {}


def _known(root: Path, name: object) -> NetworkSettings | None:
    if not isinstance(name, str):
        return None
    with contextlib.suppress(WeightsError, OSError):
        return network_settings(root / Path(name).expanduser())
    return None
