"""Ablation studies: which recipes leave out which innovation, and which have been run."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.names import check_name
from experiments.recipe.resolve import resolve
from experiments.running import autotune
from experiments.running.buildup_names import BARE, UP_TO
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
    """What it has otherwise than the base: `without feature_recycling`; empty for the base."""


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
    plan = [((), ""), *(steps(base) if build_up else omissions(base))]
    first = base.recipe.seed
    return [
        Cell(resolve(name, workspace, [*overrides, *changes, *_seeded(seed, first)]), told)
        for seed in range(first, first + seeds)
        for changes, told in plan
    ]


def omissions(base: ResolvedRecipe) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield changes and wording of the recipes that lack one innovation each."""
    for key, off in switched(base).items():
        yield _changes(base, f"without-{key}", {key: off}), _told(key, off)


def steps(base: ResolvedRecipe) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield changes and wording of the recipes that lead from none to all but the last."""
    lacking = dict(switched(base))
    yield _changes(base, BARE, lacking), "without all of them"
    for place, key in enumerate(list(lacking)[:-1], 1):
        del lacking[key]
        yield _changes(base, f"{UP_TO}-{key}", lacking), f"step {place}: + {key}"


def switched(base: ResolvedRecipe) -> dict[str, Any]:
    """Return the innovations that BASE has: a key of `model`, and the value that turns it off.

    Raises:
        UsageError: there is none.
    """
    model = base.recipe.model
    config = model.detector()
    known: Mapping[str, Any] = VARIANTS[model.variant].switches
    found = {key: off for key, off in known.items() if getattr(config, key) != off}
    if not found:
        able = ", ".join(name for name, one in VARIANTS.items() if one.switches)
        raise UsageError(
            f"{base.name!r} has variant {model.variant}, of which nothing can be switched off",
            f"choose a recipe of one of these variants: {able}",
        )
    return found


def finished(store: Store, resolved: ResolvedRecipe) -> Run | None:
    """Return the latest sealed, unchanged run of this very recipe; None where it is to be made."""
    wanted = set(resolved.recipe.stages)
    for run in reversed(store.runs(resolved.recipe.name)):
        if not run.sealed:
            continue
        with contextlib.suppress(ThesisError):  # of another version, or damaged: made again
            recorded = run.resolved()
            asked = autotune.as_begun(resolved, recorded)
            done = {name for name, one in run.record.stages.items() if one.status == "done"}
            alike = _digest(asked.recipe) == _digest(recorded.recipe) and wanted <= done
            if alike and not store.problems(run):
                return run
    return None


@contextlib.contextmanager
def claimed(workspace: Workspace, cell: Cell) -> Iterator[bool]:
    """Keep CELL for this process during the block; yield False where another one makes it."""
    recipe = cell.resolved.recipe
    with held(workspace, f"matrix-{recipe.name}-{recipe.digest[:16]}") as mine:
        yield mine


def _digest(recipe: Recipe) -> str:
    """Return RECIPE's digest with what its network's later versions know filled in."""
    detector = plain(recipe.model.detector())
    config = {key: getattr(recipe.model.detector(), key) for key in detector}
    return replace(recipe, model=replace(recipe.model, overrides=config)).digest


def _told(key: str, off: object) -> str:
    return f"without {key}" if off is False else f"{key} {_written(off)}"


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _seeded(seed: int, first: int) -> tuple[str, ...]:
    """Return the override that gives SEED, where it isn't the recipe's own."""
    return (f"seed={seed}",) if seed != first else ()


def _changes(base: ResolvedRecipe, suffix: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the overrides that make an ablation of BASE."""
    recipe = base.recipe
    name = check_name(f"{recipe.name}-{suffix.replace('_', '-')}")
    tags = [*recipe.tags, f"{TAG}{recipe.name}"]
    told = ", ".join(f"{key} {_written(value)}" for key, value in values.items())
    about = {
        "name": name,
        "title": f"{recipe.name} with {told}",
        "hypothesis": f"With {told}, {recipe.name} is less accurate.",
        "tags": tags,
    }
    inner = {f"model.{key}": value for key, value in values.items()}
    return tuple(f"{key}={json.dumps(value)}" for key, value in {**about, **inner}.items())
