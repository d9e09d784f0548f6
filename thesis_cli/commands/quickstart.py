"""`thesis quickstart`: the main job, end to end, on the data that comes with the program."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.disturbances import marks_text
from experiments.wording.numbers import format_number
from experiments.wording.shell_quote import command, enter
from featherface.errors import NotFoundError, UsageError
from featherface.filesystem.atomic import write_atomic
from thesis_cli.calling import called
from thesis_cli.commands.compare import compared
from thesis_cli.commands.init import language_option, make_workspace
from thesis_cli.grid import Grid
from thesis_cli.groups import pass_session
from thesis_cli.language import TERMINAL
from thesis_cli.output import Block, emit, json_option
from thesis_cli.run_and_sync import execute, result, synchronise
from thesis_cli.torchrun_command import SharedVerb
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace
    from thesis_cli.session import Session

RECIPES = {
    "v1": """\
# The thesis's baseline on the small synthetic set, so that it trains in a minute or two.
# Delete this file, and `thesis run v1` means the packaged recipe, for WIDER FACE.
extends: [v1, demo]
tags: [synthetic] # not `demo`: this workspace's chapters show it, labelled synthetic
""",
    "v2": """\
# The student, taught by the run of v1; see v1.yaml.
extends: [v2, demo]
tags: [synthetic]
distill:
  teacher: v1
""",
}
"""The recipes that a quickstart leaves in the workspace, in the order they run."""


@click.command(cls=SharedVerb)
@click.argument("folder", type=click.Path(path_type=Path))
@language_option
@json_option
@pass_session
def quickstart(session: Session, folder: Path, language: str, as_json: bool) -> None:
    """Make a workspace, train v1 and v2 on the embedded data, fill the vault.

    FOLDER must be new or empty. After an interruption, the same command goes on.
    """
    del as_json
    from experiments.workspace.workspace import Workspace

    began = time.monotonic()
    check_free(folder)
    made = make_workspace(folder, language, title="Quickstart")
    workspace = Workspace.open(made["workspace"])
    for name, text in RECIPES.items():
        keep_recipe(workspace, name, text)
    runs = [run_once(session, workspace, name) for name in RECIPES]
    comparison = compared(workspace, [run.id for run in runs])
    synced = synchronise(session, workspace, comparison)
    answer = {
        "workspace": workspace.root,
        "vault": workspace.vault,
        "runs": [result(run) for run in runs],
        "comparison": comparison.to_json(),
        "sync": synced.data,
        "chapters": chapters(workspace),
        "seconds": round(time.monotonic() - began, 1),
    }
    emit(session, "quickstart", answer, view)
    if synced.error:
        raise synced.error


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        UsageError: FOLDER is a file, or holds files and is no quickstart's workspace.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "thesis quickstart NEW-FOLDER")
    ours = all((folder / "experiments" / f"{name}.yaml").is_file() for name in RECIPES)
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise UsageError(f"{folder} is not empty", "thesis quickstart NEW-FOLDER")


def keep_recipe(workspace: Workspace, name: str, text: str) -> None:
    """Write a recipe, unless there is one already."""
    path = workspace.recipes / f"{name}.yaml"
    if not path.exists():
        write_atomic(path, text)


def run_once(session: Session, workspace: Workspace, name: str) -> Run:
    """Run an experiment, unless an earlier call has finished it."""
    from experiments.recipe.resolve import resolve
    from experiments.records.store import Store

    try:
        return Store(workspace).find(name)
    except NotFoundError:
        again = command(["thesis", "quickstart", str(workspace.root)])
        return execute(session, workspace, resolve(name, workspace), again=again)


def chapters(workspace: Workspace) -> list[str]:
    """Name the notes worth opening first."""
    names = ("performance", "comparison", "milestones")
    notes = [workspace.vault / f"{workspace.chapters[name]}.md" for name in names]
    return [str(note) for note in notes if note.is_file()]


def view(data: dict[str, Any]) -> list[Block]:
    """Tell what was measured, and where to look next."""
    names = ["widerface.mean_ap", "params.total", "latency.cpu.median_ms"]
    rows = [[run["run"], *(cell(run, name) for name in names)] for run in data["runs"]]
    seconds = format_number(data["seconds"], ",.0f")
    return [
        f"Both models are trained and measured here; this took {seconds} s.",
        "The pictures are synthetic: these are no WIDER FACE results.",
        Grid(["run", ">mean AP (synthetic)", ">parameters", ">CPU latency"], rows),
        "Look at:",
        *(f"  {note}" for note in data["chapters"]),
        f"Next: {enter(data['workspace'])}",
        f"Then: {called('thesis compare v1 v2', data['workspace'])}",
    ]


def cell(run: dict[str, Any], name: str) -> str:
    """Word one metric of a run with its marks, or nothing where it has none."""
    metric = next((each for each in run["metrics"] if each["name"] == name), None)
    if metric is None:
        return ""
    marks = marks_text(tuple(metric.get("marks", ())), TERMINAL)
    text = quantity(metric["value"], metric["unit"])
    return f"{text} ({marks})" if marks else text
