"""Commands of other distributions, through the entry-point group `thesis.commands`."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session

GROUP = "thesis.commands"


def names() -> dict[str, str]:
    """Name each plugin command with the distribution it comes from; loads none of them.

    Reads the metadata files itself: importing importlib.metadata costs help a fifth of its time.
    """
    return {
        line.partition("=")[0].strip(): distribution
        for distribution, text in declarations()
        for line in section(text)
    }


def declarations() -> Iterator[tuple[str, str]]:
    """Yield distribution and entry_points.txt, of all that can be imported and have our group."""
    for folder in dict.fromkeys(sys.path):
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if entry.name.endswith((".dist-info", ".egg-info")):
                    text = read(os.path.join(entry.path, "entry_points.txt"))  # noqa: PTH118 - fast
                    if f"[{GROUP}]" in text:
                        yield entry.name.partition("-")[0], text


def read(path: str) -> str:
    """Read a file; empty where there is none."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a hundred of these at each start
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def section(text: str) -> Iterator[str]:
    """Yield the lines `name = module:attribute` of our group."""
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line.strip() == f"[{GROUP}]"
        elif inside and "=" in line and not line.lstrip().startswith("#"):
            yield line


def load(name: str, session: Session) -> click.Command | None:
    """Load the plugin command NAME; a broken one warns and counts as absent."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=name):
        try:
            command = entry.load()
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way
            session.warn(f"the command {name!r} of {entry.value} can't be loaded: {error}")
            continue
        if isinstance(command, click.Command):
            return command
        session.warn(f"the command {name!r} of {entry.value} is no click command")
    return None
