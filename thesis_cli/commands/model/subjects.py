"""What the verbs of `thesis model` share: the workspace if there is one, networks, weights."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from featherface.errors import DataError, NotFoundError, unknown
from featherface.variants.table import VARIANTS
from featherface.weights.network_settings import read_metadata
from featherface.weights.published_weights import published
from thesis_cli.networks.loading import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.workspace.workspace import Workspace
    from featherface.variants.config import DetectorConfig
    from thesis_cli.session import Session


def workspace_of(session: Session) -> Workspace | None:
    """Return the workspace; None where there is none here and none was named."""
    try:
        return session.workspace
    except NotFoundError:
        if session.root is not None:
            raise
        return None


def network(
    session: Session, name: str, overrides: tuple[str, ...] = ()
) -> tuple[str, DetectorConfig]:
    """Return the variant that NAME is or builds upon, empty if changed, and its configuration.

    NAME is a variant, else a recipe or a run's selector of the workspace; OVERRIDES are
    `key=value` texts for fields of the network.

    Raises:
        NotFoundError: it is none of them; the nearest is named.
    """
    variant, config = _named(session, name)
    if overrides:
        config = replace(config, **read_settings(overrides))
    same = variant in VARIANTS and VARIANTS[variant].config == config
    return (variant if same else ""), config


def _named(session: Session, name: str) -> tuple[str, DetectorConfig]:
    if name in VARIANTS:
        return name, VARIANTS[name].config
    from experiments.recipe.resolve import recipes, resolve

    workspace = workspace_of(session)
    if workspace is not None and "@" in name:
        from experiments.records.store import Store

        model = Store(workspace).find(name).resolved().recipe.model
        return model.variant, model.detector()
    known = recipes(workspace)
    if name in known:
        model = resolve(name, workspace).recipe.model
        return model.variant, model.detector()
    names = [*VARIANTS, *known]
    raise NotFoundError(unknown("network", name, names), "thesis model list")


def trained(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Return variant -> the trained weights that are known: published, imported, of runs."""
    weights: dict[str, list[dict[str, Any]]] = {
        name: [
            {"origin": "published", "name": entry.title, "path": None, "ap": _ap(entry.reported)}
            for entry in published(name)
        ]
        for name in VARIANTS
    }
    workspace = workspace_of(session)
    if workspace is not None:
        for variant, entry in (*_imported(workspace), *_of_runs(workspace)):
            if variant in weights:
                weights[variant].append(entry)
    return weights


def _ap(values: tuple[float, float, float]) -> list[float] | None:
    return None if any(map(math.isnan, values)) else list(values)


def _imported(workspace: Workspace) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((workspace.root / "weights").glob("*.safetensors")):
        about = read_metadata(path)
        where = path.relative_to(workspace.root).as_posix()
        entry = {"origin": "imported", "name": about.get("source", path.name), "path": where}
        yield about.get("variant", ""), {**entry, "ap": None}


def _of_runs(workspace: Workspace) -> Iterator[tuple[str, dict[str, Any]]]:
    from experiments.records.store import Store

    for run in Store(workspace).runs():
        if run.sealed and (path := run.weights):
            where = path.relative_to(workspace.root).as_posix()
            try:
                variant = read_metadata(path).get("variant") or run.variant
            except DataError:  # `runs verify` tells about it
                continue
            yield variant, {"origin": "run", "name": run.id, "path": where, "ap": None}
