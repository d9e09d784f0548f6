"""`thesis completion`: let the shell finish what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import write

if TYPE_CHECKING:
    from thesis_cli.session import Session

SHELLS = ("bash", "zsh", "fish", "powershell")


HELP = """\
Print the completion script of a shell.

\b
bash        thesis completion bash --output ~/.local/share/bash-completion/completions/thesis
zsh         thesis completion zsh --output "${fpath[1]}/_thesis"
fish        thesis completion fish --output ~/.config/fish/completions/thesis.fish
PowerShell  thesis completion powershell --output "$HOME/thesis.ps1"
            Add-Content $PROFILE '. "$HOME/thesis.ps1"'
"""
"""`\b` keeps click from filling the lines below it."""


@click.command(cls=Command, help=HELP)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@pass_session
def completion(session: Session, context: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"this version of click knows no {shell}")
    root = context.find_root().command
    write(session, kind(root, {}, "thesis", "_THESIS_COMPLETE").source())
