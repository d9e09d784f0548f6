"""Recipe settings in which runs differ."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from experiments.workspace import paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run

NAMING = ("name", "title", "hypothesis", "tags")
"""Recipe keys that differ by nature."""
REPEATED_KEYS = ("train.seed",)
"""Keys that repeat another one, `seed`."""


def differing_settings(runs: Sequence[Run]) -> dict[str, tuple[Any, ...]]:
    """Return dotted recipe key -> value per run, of the keys in which RUNS differ.

    A key that an older record does not know yet has its default there; None stands for what is
    empty too.
    """
    recipes = [_settings(run) for run in runs]
    names = dict.fromkeys(key for recipe in recipes for key in recipe)
    rows = {key: tuple(_plain(recipe.get(key)) for recipe in recipes) for key in names}
    return {
        key: row
        for key, row in rows.items()
        if not all(paths.same(key, row[0], value) for value in row)
    }


def tabled(differing: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return those of the DIFFERING settings that a table shows."""
    return {key: row for key, row in differing.items() if key not in (*NAMING, *REPEATED_KEYS)}


@cache
def defaults(variant: str) -> dict[str, Any]:
    """Return what a recipe for VARIANT holds where nothing is said."""
    from experiments import schema  # noqa: PLC0415 - all configurations
    from experiments.recipe.model import ModelConfig, Recipe, flatten  # noqa: PLC0415 - as above
    from featherface.variants.table import VARIANTS  # noqa: PLC0415 - as above

    if variant not in VARIANTS:
        return {}
    recipe = schema.plain(Recipe(name=variant, model=ModelConfig(variant=variant)))
    recipe["model"] |= schema.plain(VARIANTS[variant].config)
    return flatten(recipe)


def _settings(run: Run) -> dict[str, Any]:
    from experiments.recipe.model import flatten  # noqa: PLC0415 - all configurations

    own = flatten(run.recipe)
    usual = defaults(run.variant)
    return {**own, **{key: value for key, value in usual.items() if key not in own}}


def _plain(value: object) -> object:
    """Make a key that is missing equal to one that says none."""
    return None if value in ("", [], ()) else value
