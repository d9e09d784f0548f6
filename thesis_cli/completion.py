"""Shell completion of names; silent where there is no workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import ThesisError

if TYPE_CHECKING:
    import click


def complete_run(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Suggest runs and experiments."""
    del context, parameter
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace

    try:
        store = Store(Workspace.find())
        names = [*store.experiments(), *(run.id for run in store.runs())]
    except (ThesisError, OSError):
        return []
    return [name for name in names if name.startswith(typed)]


def complete_network(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Suggest variants, then recipes."""
    from featherface.variants.table import VARIANTS

    own = [name for name in complete_experiment(context, parameter, typed) if name not in VARIANTS]
    return [*(name for name in VARIANTS if name.startswith(typed)), *own]


def complete_experiment(
    context: click.Context, parameter: click.Parameter, typed: str
) -> list[str]:
    """Suggest the recipes, packaged and the user's."""
    del context, parameter
    from experiments.recipe.resolve import recipes
    from experiments.workspace.workspace import Workspace

    try:
        names = recipes(Workspace.find())
    except (ThesisError, OSError):
        return []
    return [name for name in names if name.startswith(typed)]


def complete_milestone(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Suggest the claims, packaged and the user's."""
    del context, parameter
    from experiments.workspace.workspace import Workspace

    try:
        names = Workspace.find().milestones
    except (ThesisError, OSError):
        return []
    return [name for name in names if name.startswith(typed)]


def complete_template(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """Suggest the templates of reports, packaged and the user's."""
    del context, parameter
    from experiments.workspace.workspace import Workspace
    from vault_sync.content.bodies import templates

    try:
        names = templates(Workspace.find())
    except (ThesisError, OSError):
        return []
    return [name for name in names if name.startswith(typed)]
