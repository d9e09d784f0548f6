"""Validation of configuration values, worded the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable


def require(allowed: bool, key: str, value: object, wanted: str) -> None:
    """Refuse VALUE unless ALLOWED.

    Raises:
        UsageError: `train.lr = -1.0: must be above 0`.
    """
    if not allowed:
        raise UsageError(
            f"{key} = {value!r}: must be {wanted}",
            f"change it in the recipe, or with --set {key}=VALUE",
        )


def require_legal(legal: bool, key: str, value: object, wanted: str) -> None:
    """Refuse VALUE unless it is LEGAL.

    Raises:
        UsageError: `model.channels: 51 is not legal`.
    """
    if not legal:
        raise UsageError(f"{key}: {value!r} is not legal", f"it must be {wanted}")


def require_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Refuse VALUE unless it is one of CHOICES.

    Raises:
        UsageError: it names the nearest choice, or all of them.
    """
    names = sorted(choices)
    if value not in names:
        raise UsageError(
            f"{key}: {unknown('choice', value, names)}",
            f"change it with --set {key}=VALUE; choices: {', '.join(names)}",
        )
