"""`thesis init`: a workspace and the vault it writes into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.wording.shell_quote import enter
from experiments.workspace.settings import LANGUAGES
from thesis_cli.calling import called
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session

language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Language of the chapters, tables and plots.",
)


@click.command(cls=Command)
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@language_option
@click.option("--title", default="", help="The thesis's title.")
@click.option("--author", default="", help="Who writes it.")
@click.option(
    "--vault", default="vault", show_default=True, help="The Obsidian vault; existing notes stay."
)
@json_option
@pass_session
def init(
    session: Session,
    folder: Path,
    language: str,
    title: str,
    author: str,
    vault: str,
    as_json: bool,
) -> None:
    """Make a workspace and its vault.

    FOLDER (default: here) gets a thesis.toml; the vault gets chapters with room for results.
    What exists already stays as it is.
    """
    del as_json
    emit(session, "init", make_workspace(folder, language, title, author, vault), view)


def make_workspace(
    folder: Path, language: str, title: str = "", author: str = "", vault: str = "vault"
) -> dict[str, Any]:
    """Make the workspace and scaffold its vault; tell what was new."""
    from experiments.workspace.workspace import CONFIG, Workspace
    from vault_sync.commands import scaffold
    from vault_sync.commands.dry_run import check_place

    root = folder.expanduser().resolve()
    check_place(root, (root / Path(vault).expanduser()).resolve())
    existed = (folder / CONFIG).is_file()
    workspace = Workspace.create(folder, language=language, title=title, author=author, vault=vault)
    notes = scaffold.create(workspace)
    return {
        "workspace": workspace.root,
        "vault": workspace.vault,
        "created": not existed,
        "notes": list(notes or ()),
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Tell where things are and what to type next."""
    verb = "made" if data["created"] else "already there, thesis.toml kept:"
    return [
        f"workspace  {verb} {data['workspace']}",
        f"vault      {data['vault']} ({len(data['notes'])} new notes)",
        f"next       {enter(data['workspace'])}",
        f"then       {called('thesis run smoke', data['workspace'])}",
        f"or         {called('thesis run v1', data['workspace'])} (trains in full)",
    ]
