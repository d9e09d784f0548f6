"""Where the program's own packages lie, and the files that they are made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featherface import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("featherface", "experiments", "vault_sync", "thesis_cli", "templates")
"""They are installed side by side, from a wheel as from a checkout."""


@dataclass(frozen=True)
class Packages:
    """Packages that lie side by side in one folder."""

    root: Path
    names: tuple[str, ...]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name from the root, with `/`, and the path of every .py file, sorted."""
        for package in sorted(self.names):
            yield from _python_files(self.root / package, package)

    def own(self, module: str) -> bool:
        """Whether the dotted name MODULE begins with one of the packages."""
        return module.partition(".")[0] in self.names

    def path(self, module: str) -> Path | None:
        """Return the file of the dotted name MODULE, of a package its `__init__.py`."""
        if not self.own(module):
            return None
        place = self.root.joinpath(*module.split("."))
        files = (place / "__init__.py", place.with_name(f"{place.name}.py"))
        return next((path for path in files if path.is_file()), None)


def _python_files(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as entries:
            members = sorted((entry.name, entry.is_dir()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry, is_folder in members:
        if is_folder and entry != "__pycache__":
            yield from _python_files(folder / entry, f"{name}/{entry}")
        elif not is_folder and entry.endswith(".py"):
            yield f"{name}/{entry}", folder / entry


# By this very file: a folder called experiments in the path would hide ours from a search for it.
OURS = Packages(Path(errors.__file__).parent.parent, PACKAGES)
"""The packages that run."""
