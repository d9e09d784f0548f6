"""Ablation studies: the matrix of recipes with innovations left out, and which of it has run."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.ablation.buildup_names import BARE, UP_TO
from experiments.names import check_name
from experiments.recipe.resolve import resolve
from experiments.running import autotune
from experiments.schema import plain
from experiments.workspace.locks import held
from featherface.errors import ThesisError, UsageError
from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from experiments.recipe.model import Recipe, ResolvedRecipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace

TAG = "ablation:"
"""Start of the tag by which reports know the base of an ablation."""


@dataclass(frozen=True)
class Cell:
    """One run of the matrix."""

    resolved: ResolvedRecipe
    change: str
    """How it differs from the base, such as `without feature_recycling`; empty for the base."""


def matrix(
    name: str,
    workspace: Workspace | None = None,
    overrides: Sequence[str] = (),
    *,
    build_up: bool = False,
    seeds: int = 1,
) -> list[Cell]:
    """Return the base, then each ablation of it, and all of that once per seed.

    Args:
        name: the recipe that has all innovations.
        workspace: where the student's recipes are.
        overrides: `key.path=value` texts, for every run alike.
        build_up: begin without any innovation and add them one by one, in place of leaving out
            one at a time; the base is the last step.
        seeds: how many seeds, counting up from the recipe's.

    Raises:
        UsageError: the variant of the recipe has no innovation that can be switched off.
        NotFoundError: there is no such recipe.
    """
    base = resolve(name, workspace, overrides)
    ablations = [((), ""), *(build_up_steps(base) if build_up else leave_one_out(base))]
    first_seed = base.recipe.seed
    return [
        Cell(
            resolve(name, workspace, [*overrides, *changes, *_seed_override(seed, first_seed)]),
            label,
        )
        for seed in range(first_seed, first_seed + seeds)
        for changes, label in ablations
    ]


def leave_one_out(base: ResolvedRecipe) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield overrides and label of each recipe that lacks one innovation."""
    for key, off in active_switches(base).items():
        yield _cell_overrides(base, f"without-{key}", {key: off}), _change_label(key, off)


def build_up_steps(base: ResolvedRecipe) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield overrides and label of each recipe from no innovation to all but the last."""
    switched_off = dict(active_switches(base))
    yield _cell_overrides(base, BARE, switched_off), "without all of them"
    for number, key in enumerate(list(switched_off)[:-1], 1):
        del switched_off[key]
        yield _cell_overrides(base, f"{UP_TO}-{key}", switched_off), f"step {number}: + {key}"


def active_switches(base: ResolvedRecipe) -> dict[str, Any]:
    """Return the innovations that BASE has: key of `model` -> value that turns it off.

    Raises:
        UsageError: there is none.
    """
    model = base.recipe.model
    config = model.detector()
    switches: Mapping[str, Any] = VARIANTS[model.variant].switches
    active = {key: off for key, off in switches.items() if getattr(config, key) != off}
    if not active:
        switchable = ", ".join(name for name, entry in VARIANTS.items() if entry.switches)
        raise UsageError(
            f"{base.name!r} has variant {model.variant}, of which nothing can be switched off",
            f"choose a recipe of one of these variants: {switchable}",
        )
    return active


def finished_run(store: Store, resolved: ResolvedRecipe) -> Run | None:
    """Return the latest sealed, intact run of exactly this recipe; None where there is none."""
    stages = set(resolved.recipe.stages)
    for run in reversed(store.runs(resolved.recipe.name)):
        if not run.sealed:
            continue
        with contextlib.suppress(ThesisError):  # of another version, or damaged: run again
            recorded = run.resolved()
            requested = autotune.with_measured_values(resolved, recorded)
            done = {name for name, stage in run.record.stages.items() if stage.status == "done"}
            same_recipe = _digest(requested.recipe) == _digest(recorded.recipe)
            if same_recipe and stages <= done and not store.problems(run):
                return run
    return None


@contextlib.contextmanager
def reserved(workspace: Workspace, cell: Cell) -> Iterator[bool]:
    """Reserve CELL for this process during the block; yield False where another one has it."""
    recipe = cell.resolved.recipe
    with held(workspace, f"matrix-{recipe.name}-{recipe.digest[:16]}") as is_reserved:
        yield is_reserved


def _digest(recipe: Recipe) -> str:
    """Return RECIPE's digest with every key of its network written out, defaults too."""
    detector = plain(recipe.model.detector())
    config = {key: getattr(recipe.model.detector(), key) for key in detector}
    return replace(recipe, model=replace(recipe.model, overrides=config)).digest


def _change_label(key: str, off: object) -> str:
    return f"without {key}" if off is False else f"{key} {_value_text(off)}"


def _value_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _seed_override(seed: int, first_seed: int) -> tuple[str, ...]:
    """Return the override that sets SEED; none where it is FIRST_SEED, the recipe's own."""
    return (f"seed={seed}",) if seed != first_seed else ()


def _cell_overrides(
    base: ResolvedRecipe, suffix: str, values: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the overrides that set VALUES of BASE's model, with a name and title of their own."""
    recipe = base.recipe
    name = check_name(f"{recipe.name}-{suffix.replace('_', '-')}")
    tags = [*recipe.tags, f"{TAG}{recipe.name}"]
    changes = ", ".join(f"{key} {_value_text(value)}" for key, value in values.items())
    description = {
        "name": name,
        "title": f"{recipe.name} with {changes}",
        "hypothesis": f"With {changes}, {recipe.name} is less accurate.",
        "tags": tags,
    }
    switches = {f"model.{key}": value for key, value in values.items()}
    return tuple(f"{key}={json.dumps(value)}" for key, value in {**description, **switches}.items())
