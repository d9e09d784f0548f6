"""The session of one invocation: flags, workspace, warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

Color = Literal["auto", "always", "never"]


@dataclass
class Session:
    """Filled by the options that every command shares; asked by the commands."""

    root: Path | None = None
    """The workspace named by --workspace; None: THESIS_WORKSPACE, then the folders above."""
    debug: bool = False
    color: Color = "auto"
    as_json: bool = False
    stdout: TextIO | None = None
    """Where data goes; while a command works, a library's prints are sent to stderr."""
    output: Path | None = None
    """The file of --output, which gets what would go to stdout."""
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace this invocation is about.

        Raises:
            NotFoundError: no folder from here upwards holds a thesis.toml.
        """
        from experiments.workspace.workspace import Workspace

        return Workspace.find(explicit=self.root)

    @property
    def document_language(self) -> str:
        """The language of what is written for the thesis; English where there is no workspace.

        What a terminal shows is in `thesis_cli.language.TERMINAL`.
        """
        from featherface.errors import NotFoundError

        try:
            return self.workspace.language
        except NotFoundError:
            return "en"

    def warn(self, message: str) -> None:
        """Tell on stderr, and keep for the envelope of --json."""
        import click

        self.warnings.append(message)
        click.echo(f"warning: {message}", err=True)

    def note(self, message: str) -> None:
        """Tell on stderr what went as it should and is worth knowing."""
        import click

        click.echo(message, err=True)
