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
from vault_sync.export.document_writer import DocumentFace, DocumentWriter, ExportOptions
from vault_sync.export.drawings.letters import find_missing
from vault_sync.export.evidence import examine, refuse_altered
from vault_sync.export.formats import DOCUMENTS, ENGINES, FORMATS
from vault_sync.export.front_matter.details import read_details
from vault_sync.export.front_matter.pages import front_pages
from vault_sync.export.front_matter.sources import virtual
from vault_sync.export.front_matter.templates import check_templates, copy_beside
from vault_sync.export.maths.preamble import read_preamble
from vault_sync.export.planning import plan_document
from vault_sync.export.reading import pandoc
from vault_sync.export.typography import typeset
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.formats import DocumentFormat

FOLDER = "export"
"""Where documents go in the workspace."""


@dataclass(frozen=True)
class ExportReport:
    """The document that an export wrote, and what it is made of."""

    format: str
    output: Path
    notes: tuple[str, ...]
    """Paths in the vault, in the order of the document."""
    front: tuple[str, ...]
    """Which pages stand before the first chapter: `title-page`, `abstract`, …"""
    front_empty: tuple[str, ...]
    """Keys of `document` in thesis.toml that say nothing yet."""
    left_out: tuple[str, ...]
    """Notes that a whole thesis does without."""
    reasons: Mapping[str, str]
    """Each of them -> why, of `rules.REASONS`."""
    empty_sections: tuple[str, ...]
    """`note:line: heading` of each that heads nothing, and is not printed."""
    pages: int | None
    """Of a PDF; None where they are not known."""
    figures: int
    tables: int
    citations: tuple[str, ...]
    """Keys of the works that are cited."""
    numbers: Mapping[str, int]
    """What a number of the document is (measured, cited, unbacked, …), and how many are."""
    blocks: int
    """Generated blocks in it; their numbers are not among those counted."""
    warnings: tuple[str, ...]
    slides: int = 0
    """How many slides it has; none where it is a document."""


def export(
    workspace: Workspace, names: Sequence[str] = (), options: ExportOptions | None = None
) -> ExportReport:
    """Export the notes and folders NAMES, or the whole thesis, to a document outside the vault.

    Raises:
        UsageError: an unknown format or engine, a file name of another format, or a template of
            one's own that lacks what it must have.
        NotFoundError: there is no such vault, note, folder, bibliography, style or template.
        UnavailableError: pandoc, typst or the chosen engine is missing, or failed.
        RefusedError: the output would lie in the vault, or was changed since it was exported; a
            block or a bound number of the document was altered by hand.
    """
    options = options or ExportOptions()
    form = _form(options)
    vault = find_vault(workspace)
    templates = check_templates(workspace, form.layout, options.style)
    plan = plan_document(workspace, vault, names, with_runs=options.with_runs)
    output = output_path(workspace, vault, names, options)
    entries = read_bibliography(workspace, options.bibliography)
    language = Words(workspace.language)
    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        build = Path(place)
        media = f"{_plain(output.stem)}-figures" if options.to == "latex" else "figures"
        logo = copy_logo(templates.logo, build, media)
        preamble = read_preamble(workspace, plan.index)
        figures = (build / media, media)
        document = assemble(plan.index, plan.selection, language, entries, figures, preamble)
        document.notes = tuple(path for path in document.notes if not virtual(path))
        evidence = examine(workspace, document)
        if not options.force:
            refuse_altered(evidence)
        details = read_details(workspace, typeset)
        pages = front_pages(plan.front, document.front, details)
        face = DocumentFace(details, templates, pages, logo)
        writer = DocumentWriter(workspace, build, options, form, face)
        warnings = writer.write(document)
        if form.writer.startswith("typst"):
            warnings += find_missing(plan.index, document.notes, document.shown)
        made = build / f"thesis{form.suffix}"
        count = count_pages(made) if options.to == "pdf" else None
        deliver(workspace, made, output, force=options.force)
        if options.to == "latex":
            _deliver_figures(build / media, output.parent / media)
            for name, file in templates.beside("latex").items():
                deliver(workspace, file, output.parent / name, force=options.force)
    titled = ("title-page",) if not names and writer.titled else ()
    return ExportReport(
        format=options.to,
        output=output,
        notes=plan.notes,
        front=(*titled, *(page.role for page in pages)),
        front_empty=plan.front_empty,
        left_out=plan.selection.left_out,
        reasons=plan.selection.reasons,
        empty_sections=tuple(f"{one.where}: {one.heading}" for one in document.empty),
        pages=count,
        figures=document.figures,
        tables=document.tables,
        citations=tuple(document.cited),
        numbers=evidence.counts,
        blocks=evidence.blocks,
        warnings=(
            *_unused(workspace, form, options),
            *document.warnings,
            *evidence.altered,
            *evidence.outdated,
            *warnings,
        ),
    )


def count_pages(path: Path) -> int | None:
    """Return how many pages a PDF has; None where its objects are packed away."""
    pages = re.findall(rb"/Type\s*/Page(?![A-Za-z])", path.read_bytes())
    return len(pages) or None


def copy_logo(logo: Path | None, build: Path, media: str) -> str:
    """Put the picture of the title page among the others; return how the document calls it."""
    if logo is None:
        return ""
    name = f"logo{logo.suffix.lower()}"
    copy_beside({f"{media}/{name}": logo}, build)
    return f"{media}/{name}"


def _unused(workspace: Workspace, form: DocumentFormat, options: ExportOptions) -> tuple[str, ...]:
    """Warn of a LaTeX class that shapes no PDF, for typst sets it."""
    settings = workspace.settings
    named = settings["export.latex_class"] and not settings["export.typst_template"]
    if options.to != "pdf" or form.layout != "typst" or not named:
        return ()
    return (
        "latex_class of thesis.toml shapes no PDF that typst sets: --pdf-engine lualatex uses it",
    )


def _form(options: ExportOptions) -> DocumentFormat:
    if options.to not in DOCUMENTS:
        raise UsageError(unknown("format", options.to, DOCUMENTS))
    if options.engine not in ENGINES:
        raise UsageError(unknown("PDF engine", options.engine, ENGINES))
    if options.to != "pdf":
        return DOCUMENTS[options.to]
    if options.engine != "typst":
        if shutil.which(options.engine) is None:
            raise UnavailableError(
                f"there is no program {options.engine} here to set the PDF",
                "leave --pdf-engine away: typst needs no TeX; or install TeX Live or MiKTeX",
            )
        return replace(FORMATS["pdf"], writer="latex")
    pandoc.require_typst()
    return FORMATS["pdf"]


def output_path(
    workspace: Workspace, vault: Path, names: Sequence[str], options: ExportOptions
) -> Path:
    """Return where the document of NAMES goes.

    Raises:
        UsageError: the name that was asked for is none of the format.
        RefusedError: it lies in the vault.
    """
    suffix = FORMATS[options.to].suffix
    name = "thesis" if len(names) != 1 else Path(names[0].replace("\\", "/")).name
    name = re.sub(r"\.md\Z", "", name) or "thesis"
    output = options.output or workspace.root / FOLDER / f"{name}{suffix}"
    output = output.expanduser().resolve()
    if output.is_dir():
        output /= f"{name}{suffix}"
    if output.suffix.lower() != suffix:
        raise UsageError(
            f"{output.name} is no name for --to {options.to}", f"--output {output.stem}{suffix}"
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


def _deliver_figures(source: Path, folder: Path) -> None:
    """Put figures beside a LaTeX source; another picture has another name."""
    for file in sorted(source.iterdir()) if source.is_dir() else ():
        write_atomic(folder / file.name, file.read_bytes())


def deliver(workspace: Workspace, document: Path, output: Path, *, force: bool) -> None:
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
    content = document.read_bytes()
    write_atomic(output, content)
    known[str(output)] = hashlib.sha256(content).hexdigest()
    write_atomic(register, json.dumps(known, ensure_ascii=False, indent=1) + "\n")


def _read_register(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
