"""Export a vault, or a part of it, to one document."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UnavailableError, UsageError, unknown
from featherface.filesystem.atomic import write_atomic
from vault_sync.commands.dry_run import find_vault
from vault_sync.export.assembly import assemble
from vault_sync.export.citations import read_bibliography
from vault_sync.export.document_writer import Choices, Press
from vault_sync.export.formats import ENGINES, FORMATS
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.link_index import Shelf
from vault_sync.export.reading.selection import select
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.formats import Format

FOLDER = "export"
"""Where documents go in the workspace."""


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    format: str
    output: Path
    notes: tuple[str, ...]
    """Paths in the vault, in the order of the document."""
    left_out: tuple[str, ...]
    """Notes that a whole thesis does without."""
    figures: int
    tables: int
    citations: tuple[str, ...]
    """Keys of the works that are cited."""
    warnings: tuple[str, ...]


def export(
    workspace: Workspace, names: Sequence[str] = (), choices: Choices | None = None
) -> Exported:
    """Export the notes and folders NAMES, or the whole thesis, to a document outside the vault.

    Raises:
        UsageError: an unknown format or engine, or a file name of another format.
        NotFoundError: there is no such vault, note, folder, bibliography or style.
        UnavailableError: pandoc, typst or the chosen engine is missing, or failed.
        RefusedError: the output would lie in the vault, or was changed since it was exported.
    """
    choices = choices or Choices()
    form = _form(choices)
    vault = find_vault(workspace)
    shelf, language = Shelf.read(vault), Words(workspace.language)
    chosen = select(shelf, workspace.chapters, language, names, with_runs=choices.with_runs)
    output = _output(workspace, vault, names, choices)
    entries = read_bibliography(workspace, choices.bibliography)
    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        build = Path(place)
        media = f"{_plain(output.stem)}-figures" if choices.to == "latex" else "figures"
        document = assemble(shelf, chosen, language, entries, (build / media, media))
        warnings = Press(workspace, build, choices, form).press(document)
        deliver(workspace, build / f"thesis{form.suffix}", output, force=choices.force)
        if choices.to == "latex":
            _deliver_figures(build / media, output.parent / media)
    return Exported(
        format=choices.to,
        output=output,
        notes=chosen.notes,
        left_out=chosen.left_out,
        figures=document.figures,
        tables=document.tables,
        citations=tuple(document.cited),
        warnings=(*document.warnings, *warnings),
    )


def _form(choices: Choices) -> Format:
    if choices.to not in FORMATS:
        raise UsageError(unknown("format", choices.to, FORMATS))
    if choices.engine not in ENGINES:
        raise UsageError(unknown("PDF engine", choices.engine, ENGINES))
    if choices.to != "pdf":
        return FORMATS[choices.to]
    if choices.engine != "typst":
        if shutil.which(choices.engine) is None:
            raise UnavailableError(
                f"there is no program {choices.engine} here to set the PDF",
                "leave --pdf-engine away: typst needs no TeX; or install TeX Live or MiKTeX",
            )
        return replace(FORMATS["pdf"], writer="latex")
    pandoc.require_typst()
    return FORMATS["pdf"]


def _output(workspace: Workspace, vault: Path, names: Sequence[str], choices: Choices) -> Path:
    suffix = FORMATS[choices.to].suffix
    name = "thesis" if len(names) != 1 else Path(names[0].replace("\\", "/")).name
    name = re.sub(r"\.md\Z", "", name) or "thesis"
    output = choices.output or workspace.root / FOLDER / f"{name}{suffix}"
    output = output.expanduser().resolve()
    if output.is_dir():
        output /= f"{name}{suffix}"
    if output.suffix.lower() != suffix:
        raise UsageError(
            f"{output.name} is no name for --to {choices.to}", f"--output {output.stem}{suffix}"
        )
    if output.is_relative_to(vault):
        raise RefusedError(
            f"{output} lies in the vault, where nothing is exported to",
            f"--output {workspace.root.parent / output.name}",
        )
    return output


def _plain(name: str) -> str:
    """Return a name that LaTeX takes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)


def _deliver_figures(made: Path, folder: Path) -> None:
    """Put figures beside a LaTeX source; another picture has another name."""
    for file in sorted(made.iterdir()) if made.is_dir() else ():
        write_atomic(folder / file.name, file.read_bytes())


def deliver(workspace: Workspace, made: Path, output: Path, *, force: bool) -> None:
    """Put a document in its place, unless someone has worked on the one that stands there.

    Raises:
        RefusedError: the file there is not the one that an export wrote.
    """
    register = workspace.state / "exports.json"
    known = _read_register(register)
    if output.exists() and not force:
        there = hashlib.sha256(output.read_bytes()).hexdigest()
        if known.get(str(output)) != there:
            raise RefusedError(
                f"{output} was changed since it was exported, or is not an export",
                "choose another place with --output, or write over it with --force",
            )
    content = made.read_bytes()
    write_atomic(output, content)
    known[str(output)] = hashlib.sha256(content).hexdigest()
    write_atomic(register, json.dumps(known, ensure_ascii=False, indent=1) + "\n")


def _read_register(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
