"""The folder of one thesis: its settings, recipes, runs and vault."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.wording.shell_quote import command
from experiments.workspace.settings import CHAPTERS, LANGUAGES, Settings, read_settings
from featherface.errors import DataError, NotFoundError, UnavailableError, UsageError, unknown
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.workspace.milestones import CitedResult, Milestone

CONFIG = "thesis.toml"
OTHER_DATA = "correct data.root; or use the synthetic set: --set data.root=synthetic"

STARTER = """\
# The settings of this thesis. `thesis config show --origin` tells which value is in force.
title = {title}
author = {author}
language = {language}
vault = {vault}
# Your BibTeX file: citation keys such as [@kim2025featherface] are looked up there first.
# bibliography = "references.bib"

[data]
# The WIDER FACE folder, once you have it (`thesis data download`):
# widerface = "/data/widerface"
# On Windows in single quotes: widerface = 'D:\\data\\widerface'

[chapters]
# Where generated blocks live in your vault, for instance:
# performance = "05-Results/Performance-Analysis"

# Title page, abstracts and what else stands before the first chapter of `thesis vault export`:
# [document]
# institution = "University of Lyon"
# degree = "master"
# abstract = "Front/Abstract"

[tracking]
backend = "none"

# A claim of your own, checked by `thesis milestone check`:
# [milestones.hard-over-80]
# title = "Hard AP over 80 %"
# predicate = "v2@best widerface.hard.ap > 0.80"
"""


@dataclass(frozen=True)
class Workspace:
    """A folder that holds thesis.toml."""

    root: Path
    settings: Settings

    @classmethod
    def find(
        cls,
        start: Path | None = None,
        explicit: Path | str | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Workspace:
        """Return the workspace at EXPLICIT, THESIS_WORKSPACE, or above START (working directory).

        Raises:
            NotFoundError: there is no thesis.toml there.
            UsageError: thesis.toml holds an unknown key or a wrong value.
        """
        named = explicit or os.environ.get("THESIS_WORKSPACE")
        if named:
            root = Path(named).expanduser().resolve()
            root = root.parent if root.name == CONFIG and root.is_file() else root
            if not (root / CONFIG).is_file():
                raise NotFoundError(
                    f"{root} holds no {CONFIG}", command(["thesis", "init", str(root)])
                )
            return cls.open(root, flags)
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG).is_file():
                return cls.open(folder, flags)
        raise NotFoundError(f"no {CONFIG} in {here} or above it", "thesis init")

    @classmethod
    def open(cls, root: Path, flags: Mapping[str, Any] | None = None) -> Workspace:
        """Return the workspace at ROOT, whose thesis.toml exists."""
        return cls(root, read_settings(root / CONFIG, flags))

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        language: str = "en",
        title: str = "",
        author: str = "",
        vault: str = "vault",
    ) -> Workspace:
        """Make ROOT a workspace; an existing thesis.toml stays as it is.

        What git has to know stands in .gitattributes and .gitignore then, after what was there.

        Raises:
            UsageError: LANGUAGE is not one of `fr`, `en`, or git can't read one of those files.
            UnavailableError: ROOT can't be written.
        """
        from experiments.workspace.repository import complete  # noqa: PLC0415 - only a new one is completed

        if language not in LANGUAGES:
            raise UsageError(unknown("language", language, LANGUAGES))
        root = root.expanduser().resolve()
        values = {"title": title, "author": author, "language": language, "vault": vault}
        quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
        try:
            for folder in ("experiments", "runs", ".thesis"):
                (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"can't make a workspace in {root}: {error.strerror}",
                "choose a folder you may write to: thesis init FOLDER",
            ) from error
        if not (root / CONFIG).exists():
            write_atomic(root / CONFIG, STARTER.format(**quoted))
        complete(root)
        return cls.open(root)

    @property
    def runs(self) -> Path:
        """The folder of records: runs/<experiment>/<NNN>/."""
        return self.root / "runs"

    @property
    def recipes(self) -> Path:
        """The folder of the user's own recipes."""
        return self.root / "experiments"

    @property
    def state(self) -> Path:
        """The folder of everything that can be rebuilt, and of the journal."""
        return self.root / ".thesis"

    @property
    def vault(self) -> Path:
        """The Obsidian vault, which may lie anywhere and need not exist yet."""
        return (self.root / Path(self.settings["vault"]).expanduser()).resolve()

    @property
    def language(self) -> str:
        """Return `fr` or `en`."""
        return str(self.settings["language"])

    @property
    def chapters(self) -> dict[str, str]:
        """Return chapter -> note in the vault, without `.md`."""
        return {name: str(self.settings[f"chapters.{name}"]) for name in CHAPTERS}

    def data_root(self, name: str) -> Path:
        """Return the folder that NAME stands for: a name of [data], or a path.

        Raises:
            DataError: NAME is neither; the message names the nearest data root.
        """
        roots = self.data_roots
        if name in roots:
            return roots[name]
        path = (self.root / Path(name).expanduser()).resolve()
        if path.is_dir():
            return path
        if "/" in name or "\\" in name:
            raise DataError(f"there is no folder {path}", OTHER_DATA)
        key = name or "widerface"
        raise DataError(
            f"{unknown('data root', name, roots)}, and there is no folder {path} either",
            f"name its folder in {self.root / CONFIG}: under [data], {key} = 'FOLDER'; "
            "or use the synthetic set: --set data.root=synthetic",
        )

    @property
    def data_roots(self) -> dict[str, Path]:
        """Return the named data roots, `synthetic` (drawn by the tool) among them."""
        roots = {"synthetic": self.state / "data" / "synthetic"}
        for key, value in self.settings.values.items():
            if key.startswith("data."):
                path = self.root / Path(str(value)).expanduser()
                roots[key.removeprefix("data.")] = path.resolve()
        return roots

    @cached_property
    def milestones(self) -> dict[str, Milestone]:
        """The packaged claims and those of thesis.toml, which win."""
        from experiments.workspace.milestones import read_milestones  # noqa: PLC0415 - read when asked

        own = self.settings.tables.get("milestones", {})
        return read_milestones(own, self.settings.origins)

    @cached_property
    def cited(self) -> dict[str, CitedResult]:
        """Published and planned results: the packaged ones and those of thesis.toml."""
        from experiments.workspace.milestones import read_cited  # noqa: PLC0415 - read when asked

        return read_cited(self.settings.tables.get("cited", {}))
